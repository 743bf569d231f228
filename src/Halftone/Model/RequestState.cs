namespace Halftone.Model;

/// <summary>States of a request: lower case in the database, upper case on the wire, where the two hidden ones have no name.</summary>
internal static class RequestState
{
    public static string ToWire(string state) => state switch
    {
        "cancelling" => "PROCESSING",
        "pending" or "processing" or "completed" or "failed" or "cancelled" => state.ToUpperInvariant(),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "This state is not shown."),
    };
}
