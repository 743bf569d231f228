using Halftone.Io;

namespace Halftone.Requests;

/// <summary>Set when a transaction with due rows was committed, so that the retry sweep runs at once.</summary>
internal sealed class DueSignal : WakeSignal;
