using Halftone.Model;

namespace Halftone.Requests;

/// <summary>The state of a request, read alone.</summary>
internal sealed record StateRow
{
    public required RequestState State { get; init; }
}
