using System.Runtime.InteropServices;

namespace Halftone.Compress;

/// <summary>What a codec child asks of the operating system about itself (POSIX names; see the manual pages in section 2).</summary>
internal static class ChildProcessLimits
{
    private const int RlimitCpu = 0, RlimitData = 2, RlimitCore = 4;
    private const int StandardInput = 0, StandardOutput = 1, StandardError = 2;
    private const int SetPipeSize = 1031; // F_SETPIPE_SZ of Linux
    private const int PipeBytes = 1 << 20; // what /proc/sys/fs/pipe-max-size allows everyone

    /// <summary>Limits memory for data. RLIMIT_AS would not do: .NET reserves hundreds of GiB of addresses that it never fills.</summary>
    public static void LimitMemory(long bytes) => SetSoftLimit(RlimitData, (ulong)bytes);

    /// <summary>Gives free memory of the heap back to the system. Only glibc can; elsewhere nothing happens.</summary>
    public static void TrimHeap()
    {
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl and others have no such call.
        }
    }

    /// <summary>No core file for an image that crashes a decoder: it would fill a disk, and hold customers' pictures.</summary>
    public static void ForbidCoreFiles() => SetSoftLimit(RlimitCore, 0);

    /// <summary>
    /// From now on, so many seconds of processor time; then SIGXCPU ends the process. The limit counts from the start of the
    /// process, so it is moved before each image; whole seconds are all it knows, hence up to one second more.
    /// </summary>
    public static void LimitCpuFromNow(int seconds) =>
        SetSoftLimit(RlimitCpu, (ulong)(Math.Ceiling(Environment.CpuUsage.TotalTime.TotalSeconds) + seconds));

    /// <summary>
    /// Takes the pipe to the parent away from file descriptor 1, and puts standard error there: what a native library prints
    /// must not end up between frames.
    /// </summary>
    /// <returns>The pipe's new descriptor.</returns>
    public static int TakeStandardOutput()
    {
        var pipe = dup(StandardOutput);
        _ = dup2(StandardError, StandardOutput);
        return pipe;
    }

    /// <summary>Room for an ordinary image in each pipe, so that writer and reader need not take turns every 64 KiB. Where refused, it works without.</summary>
    public static void EnlargePipes(int output)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = fcntl(StandardInput, SetPipeSize, PipeBytes);
            _ = fcntl(output, SetPipeSize, PipeBytes);
        }
    }

    /// <summary>
    /// Ends this process at once when the parent is gone, in the middle of an image too: a thread waits for an error on our
    /// end of the output pipe, which comes when the only reader closes it, however it ended. (PR_SET_PDEATHSIG would follow the
    /// thread that started us and kill children whose parent is well.)
    /// </summary>
    public static void EndWithReader(int output)
    {
        var watcher = new Thread(() =>
        {
            var waited = new PollDescriptor { Descriptor = output };
            while (poll(ref waited, 1, -1) <= 0)
            {
                // Interrupted by a signal: wait on.
            }
            _exit(0);
        }, maxStackSize: 128 << 10)
        { IsBackground = true, Name = "parent watcher" };
        watcher.Start();
    }

    private static void SetSoftLimit(int resource, ulong value)
    {
        // The hard limit stays: it could never be raised again, and it is lower already where an administrator said so.
        if (getrlimit(resource, out var limit) == 0)
        {
            limit.Soft = Math.Min(value, limit.Hard);
            _ = setrlimit(resource, in limit);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>No events asked for: errors are reported always.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Happened;
    }

    // Blittable parameters only, so that this project needs no unsafe code; fcntl is variadic in C, which does not matter to
    // an int argument on any Linux that .NET runs on.
#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc")]
    private static extern int getrlimit(int resource, out ResourceLimit limit);
    [DllImport("libc")]
    private static extern int setrlimit(int resource, in ResourceLimit limit);
    [DllImport("libc")]
    private static extern int malloc_trim(nuint pad);
    [DllImport("libc")]
    private static extern int dup(int descriptor);
    [DllImport("libc")]
    private static extern int dup2(int descriptor, int target);
    [DllImport("libc")]
    private static extern int fcntl(int descriptor, int command, int argument);
    [DllImport("libc")]
    private static extern int poll(ref PollDescriptor descriptors, nuint count, int milliseconds);
    [DllImport("libc")]
    private static extern void _exit(int status);
#pragma warning restore SYSLIB1054, CA5392
}
