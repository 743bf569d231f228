namespace Halftone.Requests;

/// <summary>Outputs of earlier requests that later ones of the same owner take over.</summary>
internal sealed class ReuseOptions
{
    /// <summary>
    /// Where an owner asks for the same image with the same options again, its origin is asked whether it has changed, and an output that is still good
    /// is taken over instead of made anew; true. An upload with <c>reuse=false</c> does without.
    /// </summary>
    public bool Enabled { get; set; } = true;
}
