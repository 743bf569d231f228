namespace Halftone.Cli;

/// <summary>What every verb tells the shell, by one rule.</summary>
internal static class ExitCode
{
    /// <summary>All that was asked for is done.</summary>
    public const int Done = 0;

    /// <summary>Not done; a sentence on standard error says why.</summary>
    public const int NotDone = 1;

    /// <summary>Done to its end, and not every image could be.</summary>
    public const int SomeFailed = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM before the end; the same command goes on. (128 and the number of SIGINT, as shells have it)</summary>
    public const int Stopped = 130;
}
