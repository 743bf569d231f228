namespace Halftone.Compress.Sandbox;

/// <summary>Setting <c>Compress:Sandbox</c>.</summary>
internal enum SandboxMode
{
    /// <summary>As much as the system has; what it lacks is logged at the start.</summary>
    Auto,
    /// <summary>All of it, or no start.</summary>
    Required,
}
