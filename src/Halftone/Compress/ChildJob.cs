using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Compress;

/// <summary>
/// The job object that a codec child puts itself into on Windows: what it holds ends the process, or fails its allocations, when a limit is
/// passed.
/// Names and numbers are those of <c>winnt.h</c>. Built for Windows and not yet run there.
/// </summary>
[SupportedOSPlatform("windows")]
internal static class ChildJob
{
    private const int ExtendedLimitInformation = 9;
    private const uint ProcessTime = 0x2, ProcessMemory = 0x100, DieOnUnhandledException = 0x400;

    private static readonly nint Job = Enter();
    private static ExtendedLimits limits;

    /// <summary>Limits what this process may commit; allocations beyond it fail.</summary>
    public static void LimitMemory(long bytes)
    {
        limits.ProcessMemoryBytes = (nuint)bytes;
        Set(ProcessMemory);
    }

    /// <summary>Ends this process when it has used so much processor time in its own code since its start.</summary>
    public static void LimitCpu(TimeSpan sinceStart)
    {
        limits.ProcessUserTime = sinceStart.Ticks;
        Set(ProcessTime);
    }

    private static void Set(uint flag)
    {
        limits.Flags |= flag | DieOnUnhandledException;
        if (Job == 0 || !SetInformationJobObject(Job, ExtendedLimitInformation, in limits, Marshal.SizeOf<ExtendedLimits>()))
        {
            Console.Error.WriteLine($"This system sets no limits for a codec process (error {Marshal.GetLastPInvokeError()}).");
        }
    }

    private static nint Enter()
    {
        var job = CreateJobObjectW(0, 0);
        return job != 0 && AssignProcessToJobObject(job, GetCurrentProcess()) ? job : 0;
    }

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ExtendedLimits
    {
        public long ProcessUserTime;
        public long JobUserTime;
        public uint Flags;
        public nuint LeastWorkingSet;
        public nuint MostWorkingSet;
        public uint ActiveProcesses;
        public nuint Affinity;
        public uint PriorityClass;
        public uint SchedulingClass;
        public ulong ReadOperations;
        public ulong WriteOperations;
        public ulong OtherOperations;
        public ulong ReadBytes;
        public ulong WrittenBytes;
        public ulong OtherBytes;
        public nuint ProcessMemoryBytes;
        public nuint JobMemoryBytes;
        public nuint PeakProcessMemoryBytes;
        public nuint PeakJobMemoryBytes;
    }

#pragma warning disable SYSLIB1054, CA5392
    [DllImport("kernel32", SetLastError = true)]
    private static extern nint CreateJobObjectW(nint security, nint name);
    [DllImport("kernel32")]
    private static extern nint GetCurrentProcess();
    [DllImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool AssignProcessToJobObject(nint job, nint process);
    [DllImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool SetInformationJobObject(nint job, int kind, in ExtendedLimits limits, int bytes);
#pragma warning restore SYSLIB1054, CA5392
}
