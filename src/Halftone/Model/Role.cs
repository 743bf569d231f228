namespace Halftone.Model;

/// <summary>The part of the work that a process does; <c>--role</c>, setting <c>Server:Role</c>.</summary>
internal enum Role
{
    /// <summary>Everything: the default, for a single machine.</summary>
    All,
    /// <summary>Accepts uploads and answers API calls; processes no images.</summary>
    Api,
    /// <summary>Processes images, writes results and delivers webhooks; answers only health probes.</summary>
    Worker,
}
