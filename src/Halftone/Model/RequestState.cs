namespace Halftone.Model;

/// <summary>The state of a request: in lower case in the database, in upper case on the wire. docs/states.md shows who moves it.</summary>
internal enum RequestState
{
    /// <summary>Its upload is being taken in. Never shown.</summary>
    Receiving,

    Pending,

    Processing,

    /// <summary>Cancelled, its result not yet written. Shown as PROCESSING.</summary>
    Cancelling,

    Completed,

    Failed,

    Cancelled,

    /// <summary>Its files and rows are being removed. Never shown.</summary>
    Deleting,
}

/// <summary>The stored state of an image: in lower case in the database, in upper case on the wire.</summary>
internal enum ImageState
{
    /// <summary>No outcome yet. Shown as PROCESSING once it was handed out.</summary>
    Pending,

    Completed,

    Failed,
}

/// <summary>
/// The words for states. Dapper reads a state from its word by itself, in any case, if it is a property of a row: it
/// knows no handlers for enums. As a parameter it would send a number, so parameters are words.
/// </summary>
internal static class StateWords
{
    /// <summary>What a request or an image is shown as while it is worked on.</summary>
    public const string Processing = "PROCESSING";

    extension(RequestState state)
    {
        /// <summary>True while its images are worked on.</summary>
        public bool IsOpen => state is RequestState.Pending or RequestState.Processing;

        /// <summary>True for a state that only a retry or a delete leaves.</summary>
        public bool HasEnded => state is RequestState.Completed or RequestState.Failed or RequestState.Cancelled;

        /// <exception cref="ArgumentOutOfRangeException">The state is never shown.</exception>
        public string ToWire() => state switch
        {
            RequestState.Cancelling => Processing,
            RequestState.Receiving or RequestState.Deleting =>
                throw new ArgumentOutOfRangeException(nameof(state), state, "This state is never shown."),
            _ => state.ToString().ToUpperInvariant(),
        };

        /// <summary>The word in the database.</summary>
        public string ToStored() => state.ToString().ToLowerInvariant();
    }

    extension(ImageState state)
    {
        public string ToWire() => state.ToString().ToUpperInvariant();

        /// <summary>The word in the database.</summary>
        public string ToStored() => state.ToString().ToLowerInvariant();

        /// <param name="word">In any case.</param>
        public static ImageState? Of(string word)
        {
            foreach (var known in Enum.GetValues<ImageState>())
            {
                if (word.Equals(known.ToString(), StringComparison.OrdinalIgnoreCase))
                {
                    return known;
                }
            }

            return null;
        }
    }
}
