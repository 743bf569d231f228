namespace Halftone.Requests;

/// <summary>Section <c>Reuse</c>: outputs of earlier requests that later ones of the same owner reuse.</summary>
internal sealed class ReuseOptions
{
    /// <summary>
    /// If an owner uploads the same image with the same options again, asks its origin whether it has changed, and
    /// reuses an earlier output that is still valid instead of compressing again; true. An upload with
    /// <c>reuse=false</c> skips this.
    /// </summary>
    public bool Enabled { get; set; } = true;
}
