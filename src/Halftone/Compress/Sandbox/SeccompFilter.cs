using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// The system calls that a warm codec needs: memory, threads of its own, clocks, and the descriptors that are open. All others fail
/// with EPERM: it opens, connects, starts and signals nothing, reads no other process, and makes no namespace. It applies to every
/// thread, for good.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class SeccompFilter
{
    private const nint SetModeFilter = 1, AllThreads = 1; // SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
    private const uint NoSuchCall = 38; // ENOSYS
    private const uint ProcessorTime = 0, AddressSpace = 9; // RLIMIT_CPU, RLIMIT_AS
    private const uint OrdinaryPolicy = 0; // SCHED_OTHER
    private const uint SetName = 15; // PR_SET_NAME
    private const uint GetDescriptorFlags = 1, GetStatusFlags = 3; // F_GETFD, F_GETFL

    /// <summary>
    /// The flags of clone(2) that make a thread: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID and CHILD_CLEARTID with
    /// glibc, and DETACHED besides with musl. Any others make a process or a namespace.
    /// </summary>
    private const uint GlibcThread = 0x003D_0F00, MuslThread = 0x007D_0F00;

    /// <summary>Installs it in all threads; <see cref="Kernel.ForbidNewPrivileges"/> comes first.</summary>
    /// <returns>False where the kernel, the architecture or another sandbox does not allow it.</returns>
    public static bool Install() =>
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
        && Install(Codec(RuntimeInformation.ProcessArchitecture));

    /// <summary>Installs a program in all threads.</summary>
    public static bool Install(BpfProgram.Instruction[] instructions)
    {
        var pinned = GCHandle.Alloc(instructions, GCHandleType.Pinned);
        var program = Marshal.AllocHGlobal(Marshal.SizeOf<FilterHeader>());
        try
        {
            var header = new FilterHeader { Length = (ushort)instructions.Length, Instructions = pinned.AddrOfPinnedObject() };
            Marshal.StructureToPtr(header, program, fDeleteOld: false);
            return Kernel.Call(SystemCall.Seccomp, SetModeFilter, AllThreads, program) == 0;
        }
        finally
        {
            Marshal.FreeHGlobal(program);
            pinned.Free();
        }
    }

    /// <summary>The program for a codec child.</summary>
    public static BpfProgram.Instruction[] Codec(Architecture architecture)
    {
        var program = new BpfProgram(architecture);
        program.Allow(
            SystemCall.Futex, SystemCall.Read, SystemCall.Write, SystemCall.Pread64, SystemCall.Readv, SystemCall.Writev,
            SystemCall.Madvise, SystemCall.Mmap, SystemCall.Munmap, SystemCall.Mprotect, SystemCall.Mremap, SystemCall.Brk,
            SystemCall.Mincore, SystemCall.Msync, SystemCall.GetMemPolicy, SystemCall.SchedYield, SystemCall.SchedGetAffinity,
            SystemCall.GetCpu, SystemCall.Membarrier, SystemCall.GetRandom, SystemCall.ClockGetTime, SystemCall.ClockGetRes,
            SystemCall.ClockNanoSleep, SystemCall.NanoSleep, SystemCall.GetTimeOfDay, SystemCall.Time, SystemCall.RtSigAction,
            SystemCall.RtSigProcMask, SystemCall.RtSigReturn, SystemCall.SigAltStack, SystemCall.RestartSyscall,
            SystemCall.SetRobustList, SystemCall.Rseq, SystemCall.Exit, SystemCall.ExitGroup, SystemCall.GetPid, SystemCall.GetTid,
            SystemCall.GetRusage, SystemCall.SysInfo, SystemCall.Poll, SystemCall.Ppoll, SystemCall.Close, SystemCall.Fstat,
            SystemCall.Lseek);
        program.AllowIf(SystemCall.CloneByFlags, (0u, GlibcThread));
        program.AllowIf(SystemCall.CloneByFlags, (0u, MuslThread));
        // Its flags are behind a pointer, which no filter can follow; the libraries then take clone.
        program.Fail(SystemCall.Clone3, NoSuchCall);
        // The runtime interrupts its own threads so; anyone else's are not its business.
        program.AllowIf(SystemCall.Tgkill, (0u, (uint)Environment.ProcessId));
        program.AllowIf(SystemCall.Prlimit64, (0u, 0u), (1u, ProcessorTime));
        // The collector reads it.
        program.AllowIf(SystemCall.Prlimit64, (0u, 0u), (1u, AddressSpace), (2u, 0u));
        // The runtime starts a thread so: a pipe to wait on, the affinity of the thread itself, the ordinary priority.
        program.Allow(
            SystemCall.Pipe2, SystemCall.SchedGetParam, SystemCall.SchedGetScheduler, SystemCall.SchedGetPriorityMax,
            SystemCall.SchedGetPriorityMin);
        program.AllowIf(SystemCall.SchedSetAffinity, (0u, 0u));
        program.AllowIf(SystemCall.SchedSetScheduler, (1u, OrdinaryPolicy));
        program.AllowIf(SystemCall.Prctl, (0u, SetName));
        // Not F_SETOWN, which sends signals to others.
        program.AllowIf(SystemCall.Fcntl, (1u, GetDescriptorFlags));
        program.AllowIf(SystemCall.Fcntl, (1u, GetStatusFlags));
        return program.End();
    }

    /// <summary><c>struct sock_fprog</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterHeader
    {
        public ushort Length;
        public nint Instructions;
    }
}
