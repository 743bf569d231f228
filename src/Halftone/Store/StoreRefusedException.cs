namespace Halftone.Store;

/// <summary>The object store answers and will not take this object, now or later: too large for the account, say. The message says why, in the store's words.</summary>
internal sealed class StoreRefusedException(string message) : Exception(message);
