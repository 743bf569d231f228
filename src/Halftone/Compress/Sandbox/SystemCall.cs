using System.Runtime.InteropServices;

namespace Halftone.Compress.Sandbox;

/// <summary>A system call of Linux and its number by architecture (<c>asm/unistd_64.h</c> and <c>asm-generic/unistd.h</c>).</summary>
/// <param name="X64">Its number on x86-64.</param>
/// <param name="Arm64">Its number on arm64; null where that architecture does not have it.</param>
internal readonly record struct SystemCall(uint X64, uint? Arm64)
{
    public static SystemCall Brk => new(12, 214);
    public static SystemCall ClockGetRes => new(229, 114);
    public static SystemCall ClockGetTime => new(228, 113);
    public static SystemCall ClockNanoSleep => new(230, 115);
    public static SystemCall CloneByFlags => new(56, 220);
    public static SystemCall Clone3 => new(435, 435);
    public static SystemCall Close => new(3, 57);
    public static SystemCall Exit => new(60, 93);
    public static SystemCall ExitGroup => new(231, 94);
    public static SystemCall Fcntl => new(72, 25);
    public static SystemCall Fstat => new(5, 80);
    public static SystemCall Futex => new(202, 98);
    public static SystemCall GetCpu => new(309, 168);
    public static SystemCall GetMemPolicy => new(239, 236);
    public static SystemCall GetPid => new(39, 172);
    public static SystemCall GetRandom => new(318, 278);
    public static SystemCall GetRusage => new(98, 165);
    public static SystemCall GetTid => new(186, 178);
    public static SystemCall GetTimeOfDay => new(96, 169);
    public static SystemCall LandlockCreateRuleset => new(444, 444);
    public static SystemCall LandlockRestrictSelf => new(446, 446);
    public static SystemCall Lseek => new(8, 62);
    public static SystemCall Madvise => new(28, 233);
    public static SystemCall Membarrier => new(324, 283);
    public static SystemCall Mincore => new(27, 232);
    public static SystemCall Mmap => new(9, 222);
    public static SystemCall Mprotect => new(10, 226);
    public static SystemCall Mremap => new(25, 216);
    public static SystemCall Msync => new(26, 227);
    public static SystemCall Munmap => new(11, 215);
    public static SystemCall NanoSleep => new(35, 101);
    public static SystemCall Pipe2 => new(293, 59);
    public static SystemCall Poll => new(7, null);
    public static SystemCall Ppoll => new(271, 73);
    public static SystemCall Prctl => new(157, 167);
    public static SystemCall Pread64 => new(17, 67);
    public static SystemCall Prlimit64 => new(302, 261);
    public static SystemCall Read => new(0, 63);
    public static SystemCall Readv => new(19, 65);
    public static SystemCall RestartSyscall => new(219, 128);
    public static SystemCall Rseq => new(334, 293);
    public static SystemCall RtSigAction => new(13, 134);
    public static SystemCall RtSigProcMask => new(14, 135);
    public static SystemCall RtSigReturn => new(15, 139);
    public static SystemCall SchedGetAffinity => new(204, 123);
    public static SystemCall SchedGetParam => new(143, 121);
    public static SystemCall SchedGetPriorityMax => new(146, 125);
    public static SystemCall SchedGetPriorityMin => new(147, 126);
    public static SystemCall SchedGetScheduler => new(145, 120);
    public static SystemCall SchedSetAffinity => new(203, 122);
    public static SystemCall SchedSetScheduler => new(144, 119);
    public static SystemCall SchedYield => new(24, 124);
    public static SystemCall Seccomp => new(317, 277);
    public static SystemCall SetRobustList => new(273, 99);
    public static SystemCall SigAltStack => new(131, 132);
    public static SystemCall SysInfo => new(99, 179);
    public static SystemCall Tgkill => new(234, 131);
    public static SystemCall Time => new(201, null);
    public static SystemCall Write => new(1, 64);
    public static SystemCall Writev => new(20, 66);

    /// <summary>The number on an architecture; null where it does not have this call.</summary>
    /// <exception cref="PlatformNotSupportedException">An architecture that no number is known for.</exception>
    public uint? On(Architecture architecture) => architecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => throw new PlatformNotSupportedException($"System calls of {architecture} are not known."),
    };
}
