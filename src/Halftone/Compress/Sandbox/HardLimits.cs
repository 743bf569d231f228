using System.Globalization;
using System.Runtime.Versioning;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// Limits that a child can never raise again. Processor time is not among them: it is counted from the start of the process and
/// moved before each image, so it stays soft, and <see cref="CompressOptions.ImageTimeout"/> ends a child that moves it by itself.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class HardLimits
{
    private const int FileSize = 1, Data = 2, CoreFile = 4, Processes = 6, OpenFiles = 7; // RLIMIT_…
    private const string LoadPath = "/proc/loadavg";
    private const ulong MoreThreads = 1024;
    private const ulong ForNewThreads = 64; // pipes, for the moment of a start

    /// <summary>Sets them all; the last thing before the filter, since no file can be opened after it.</summary>
    /// <param name="maxBytes">Memory for data.</param>
    /// <returns>False where one was refused.</returns>
    public static bool Set(long maxBytes)
    {
        // The system counts processes and threads of a user together, the server's among them. With more than the whole system has at the
        // moment no thread of a codec is ever refused, and a child that starts threads without end stops there.
        var threads = ThreadsOfTheSystem() is { } running ? Kernel.SetHardLimit(Processes, running + MoreThreads) : true;
        return Kernel.SetHardLimit(Data, (ulong)maxBytes)
            & Kernel.SetHardLimit(FileSize, 0)
            & Kernel.SetHardLimit(CoreFile, 0)
            & Kernel.SetHardLimit(OpenFiles, (ulong)InheritedFiles.Highest() + ForNewThreads)
            & threads;
    }

    /// <summary>From a line such as "0.20 0.18 0.12 1/80 11206"; see proc_loadavg(5).</summary>
    private static ulong? ThreadsOfTheSystem()
    {
        try
        {
            return ulong.Parse(File.ReadAllText(LoadPath).Split(' ')[3].Split('/')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not every container shows it.
            return null;
        }
    }
}
