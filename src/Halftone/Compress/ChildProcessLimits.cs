using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Halftone.Compress;

/// <summary>
/// Operating system settings that a codec child makes for itself (POSIX names; see section 2 of the manual). On Windows a
/// job object holds the limits (<see cref="ChildJob"/>). macOS does not count mappings under RLIMIT_DATA: there only the
/// pixel limit bounds memory.
/// </summary>
internal static class ChildProcessLimits
{
    private const int RlimitCpu = 0, RlimitData = 2, RlimitCore = 4;
    private const int StandardInput = 0, StandardOutput = 1, StandardError = 2;
    private const int SetPipeSize = 1031; // F_SETPIPE_SZ of Linux
    private const int PipeBytes = 1 << 20; // what /proc/sys/fs/pipe-max-size allows everyone

    /// <summary>
    /// Limits memory for data. RLIMIT_AS is not usable: .NET reserves hundreds of GiB of address space that it never
    /// fills.
    /// </summary>
    public static void LimitMemory(long bytes)
    {
        if (OperatingSystem.IsWindows())
        {
            ChildJob.LimitMemory(bytes);
        }
        else
        {
            SetSoftLimit(RlimitData, (ulong)bytes);
        }
    }

    /// <summary>Returns free heap memory to the system. Only glibc can; elsewhere this has no effect.</summary>
    public static void TrimHeap()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no such call.
        }
    }

    /// <summary>Disables core files for images that crash a decoder: they would fill the disk and contain customers' images.</summary>
    public static void ForbidCoreFiles()
    {
        if (!OperatingSystem.IsWindows())
        {
            SetSoftLimit(RlimitCore, 0);
        }
    }

    /// <summary>
    /// Allows this many more seconds of processor time; then SIGXCPU ends the process. The limit counts from the start
    /// of the process, so it is raised before each image. It has whole seconds, hence up to one second more.
    /// </summary>
    public static void LimitCpuFromNow(int seconds)
    {
        if (OperatingSystem.IsWindows())
        {
            ChildJob.LimitCpu(Environment.CpuUsage.UserTime + TimeSpan.FromSeconds(seconds));
        }
        else
        {
            SetSoftLimit(RlimitCpu, (ulong)(Math.Ceiling(Environment.CpuUsage.TotalTime.TotalSeconds) + seconds));
        }
    }

    /// <summary>Standard input, as the pipe that it is.</summary>
    public static Stream OpenInput() => OperatingSystem.IsWindows()
        ? Console.OpenStandardInput()
        : new FileStream(new SafeFileHandle(StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    /// <summary>
    /// The pipe to the parent, set up for frames: nothing else gets into it, it has room, and this process ends when nobody reads it.
    /// </summary>
    public static Stream OpenOutput()
    {
        if (OperatingSystem.IsWindows())
        {
            // libvips prints nothing (its log is shut), and the write that finds the parent gone ends this process.
            return Console.OpenStandardOutput();
        }

        var pipe = TakeStandardOutput();
        EndWithReader(pipe);
        EnlargePipes(pipe);
        return new FileStream(new SafeFileHandle(pipe, ownsHandle: true), FileAccess.Write, bufferSize: 0);
    }

    /// <summary>
    /// Moves the pipe to the parent from file descriptor 1 to another, and puts standard error in its place: output of
    /// a native library must not end up between frames.
    /// </summary>
    /// <returns>The new descriptor of the pipe.</returns>
    [UnsupportedOSPlatform("windows")]
    private static int TakeStandardOutput()
    {
        var pipe = dup(StandardOutput);
        _ = dup2(StandardError, StandardOutput);
        return pipe;
    }

    /// <summary>
    /// Makes each pipe large enough for an ordinary image, so that writer and reader need not alternate every 64 KiB.
    /// Works without it if refused.
    /// </summary>
    private static void EnlargePipes(int output)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = fcntl(StandardInput, SetPipeSize, PipeBytes);
            _ = fcntl(output, SetPipeSize, PipeBytes);
        }
    }

    /// <summary>
    /// Ends this process at once when the parent is gone, even in the middle of an image: a thread waits for an error
    /// on our end of the output pipe, which occurs when the only reader closes it, however it ended. (PR_SET_PDEATHSIG
    /// would follow the thread that started us, and kill children whose parent is alive.)
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static void EndWithReader(int output)
    {
        var watcher = new Thread(() =>
        {
            var waited = new PollDescriptor { Descriptor = output };
            while (poll(ref waited, 1, -1) <= 0)
            {
                // Interrupted by a signal: wait again.
            }

            _exit(0);
        }, maxStackSize: 128 << 10)
        { IsBackground = true, Name = "parent watcher" };
        watcher.Start();
    }

    [UnsupportedOSPlatform("windows")]
    private static void SetSoftLimit(int resource, ulong value)
    {
        // The hard limit stays, because it could never be raised again, and an administrator may already have lowered it.
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

    /// <summary>No events requested: errors are always reported.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Happened;
    }

    // Only blittable parameters, so that this project needs no unsafe code. fcntl is variadic in C, which makes no
    // difference for an int argument on any Linux that .NET supports.
#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int getrlimit(int resource, out ResourceLimit limit);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int setrlimit(int resource, in ResourceLimit limit);
    [DllImport("libc"), SupportedOSPlatform("linux")]
    private static extern int malloc_trim(nuint pad);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int dup(int descriptor);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int dup2(int descriptor, int target);
    [DllImport("libc"), SupportedOSPlatform("linux")]
    private static extern int fcntl(int descriptor, int command, int argument);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int poll(ref PollDescriptor descriptors, nuint count, int milliseconds);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern void _exit(int status);
#pragma warning restore SYSLIB1054, CA5392
}
