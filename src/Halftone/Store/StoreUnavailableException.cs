using Halftone.Io;

namespace Halftone.Store;

/// <summary>
/// The object store does not answer, or refuses us: an outage of our own, which is waited out, never an image's fault.
/// The message names the store.
/// </summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : OutageException(message, inner);
