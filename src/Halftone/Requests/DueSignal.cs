using Halftone.Io;

namespace Halftone.Requests;

/// <summary>Set when a transaction with rows that are due was committed, so that the retry sweep looks at once.</summary>
internal sealed class DueSignal : WakeSignal;
