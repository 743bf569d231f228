using Halftone.Io;

namespace Halftone.Queue;

/// <summary>
/// The broker does not answer or accepts no messages: an outage of our own, which is waited out. The message names the
/// broker without credentials.
/// </summary>
internal sealed class QueueUnavailableException(string message, Exception? inner = null) : OutageException(message, inner);
