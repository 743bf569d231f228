namespace Halftone.Model;

/// <summary>States of a request: lower case in the database, upper case in the API, which does not show the two hidden ones.</summary>
internal static class RequestState
{
    public static string ToWire(string state) => state switch
    {
        "cancelling" => "PROCESSING",
        "pending" or "processing" or "completed" or "failed" or "cancelled" => state.ToUpperInvariant(),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "This state is not public."),
    };
}
