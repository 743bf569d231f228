namespace Halftone.Cli;

/// <summary>Exit codes, the same for every verb.</summary>
internal static class ExitCode
{
    /// <summary>Everything that was asked for is done.</summary>
    public const int Done = 0;

    /// <summary>The verb failed; a sentence on standard error says why.</summary>
    public const int NotDone = 1;

    /// <summary>The verb ran to its end, but not every image succeeded.</summary>
    public const int SomeFailed = 2;

    /// <summary>
    /// Stopped by Ctrl-C or SIGTERM before the end; the same command resumes. (128 plus the number of SIGINT, as in
    /// shells.)
    /// </summary>
    public const int Stopped = 130;
}
