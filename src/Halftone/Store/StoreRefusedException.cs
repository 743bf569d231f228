namespace Halftone.Store;

/// <summary>
/// The object store answers but refuses this object permanently, for example because it is too large for the account.
/// The message is the store's reason.
/// </summary>
internal sealed class StoreRefusedException(string message) : Exception(message);
