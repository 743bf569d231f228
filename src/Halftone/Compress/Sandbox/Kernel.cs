using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Compress.Sandbox;

/// <summary>The calls of Linux that the sandbox is made of, and nothing that decides anything.</summary>
[SupportedOSPlatform("linux")]
internal static class Kernel
{
    private const int SetDumpable = 4, GetDumpable = 3, SetNoNewPrivileges = 38; // PR_… of linux/prctl.h
    private const int GetDescriptorFlags = 1, CloseOnExec = 1; // F_GETFD, FD_CLOEXEC

    /// <summary>Neither this process nor what it starts gains rights by exec; a filter needs it.</summary>
    public static bool ForbidNewPrivileges() => prctl(SetNoNewPrivileges, 1, 0, 0, 0) == 0;

    /// <summary>
    /// Closes <c>/proc/PID/mem</c>, <c>environ</c> and <c>fd</c> of this process, and ptrace, to all but root; no core files.
    /// </summary>
    public static bool HideMemory() => prctl(SetDumpable, 0, 0, 0, 0) == 0;

    /// <summary>False after <see cref="HideMemory"/>.</summary>
    public static bool IsMemoryOpen => prctl(GetDumpable, 0, 0, 0, 0) != 0;

    /// <summary>True for a descriptor of the program that started this one: all that .NET opens is closed at an exec.</summary>
    public static bool IsInherited(int descriptor) =>
        fcntl(descriptor, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Sets the soft and the hard limit of a resource, never above the hard limit that there is.</summary>
    public static bool SetHardLimit(int resource, ulong value)
    {
        if (getrlimit(resource, out var limit) != 0)
        {
            return false;
        }

        limit.Hard = Math.Min(limit.Hard, value);
        limit.Soft = Math.Min(limit.Soft, limit.Hard);
        return setrlimit(resource, in limit) == 0;
    }

    /// <summary>A system call by number; negative where it failed.</summary>
    public static nint Call(SystemCall call, nint first, nint second, nint third) =>
        call.On(RuntimeInformation.ProcessArchitecture) is { } number ? syscall((nint)number, first, second, third) : -1;

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    // See the manual pages in section 2. Variadic in C, which does not matter to integer arguments on any Linux that .NET runs on.
#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc")]
    private static extern int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);
    [DllImport("libc")]
    private static extern nint syscall(nint number, nint first, nint second, nint third);
    [DllImport("libc")]
    private static extern int fcntl(int descriptor, int command, int argument);
    [DllImport("libc")]
    private static extern int close(int descriptor);
    [DllImport("libc")]
    private static extern int getrlimit(int resource, out ResourceLimit limit);
    [DllImport("libc")]
    private static extern int setrlimit(int resource, in ResourceLimit limit);
#pragma warning restore SYSLIB1054, CA5392
}
