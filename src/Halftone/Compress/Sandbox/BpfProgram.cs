using System.Runtime.InteropServices;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// A seccomp filter in classic BPF: what is not allowed fails with EPERM, and a call of a foreign architecture ends the process. The
/// kernel runs it at each system call on <c>struct seccomp_data</c>: number, architecture, instruction pointer, six arguments of 64
/// bits; see seccomp(2).
/// </summary>
internal sealed class BpfProgram
{
    // BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K and BPF_RET|BPF_K of linux/bpf_common.h.
    private const ushort Load = 0x20, JumpIfEqual = 0x15, Return = 0x06;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16, ArgumentBytes = 8;
    // SECCOMP_RET_… of linux/seccomp.h; an errno is in the low 16 bits.
    private const uint KillProcess = 0x8000_0000, Allowed = 0x7FFF_0000, Failed = 0x0005_0000;
    private const uint NotPermitted = 1; // EPERM

    private readonly Architecture architecture;
    private readonly List<Instruction> instructions = [];

    /// <exception cref="PlatformNotSupportedException">Neither x86-64 nor arm64.</exception>
    public BpfProgram(Architecture architecture)
    {
        this.architecture = architecture;
        // AUDIT_ARCH_… of linux/audit.h. 32-bit calls have other numbers; those of x32 have bit 30 set and equal none of ours.
        var audited = architecture switch
        {
            Architecture.X64 => 0xC000_003Eu,
            Architecture.Arm64 => 0xC000_00B7u,
            _ => throw new PlatformNotSupportedException($"There is no seccomp filter for {architecture}."),
        };
        instructions.Add(new(Load, 0, 0, ArchitectureOffset));
        instructions.Add(new(JumpIfEqual, 1, 0, audited));
        instructions.Add(new(Return, 0, 0, KillProcess));
        instructions.Add(new(Load, 0, 0, NumberOffset));
    }

    /// <summary>Allows calls with any arguments.</summary>
    public void Allow(params ReadOnlySpan<SystemCall> calls)
    {
        foreach (var call in calls)
        {
            Answer(call, Allowed);
        }
    }

    /// <summary>Allows a call if all of these arguments are equal; may be said several times of one call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="arguments">Numbers of arguments, from 0, and the low 32 bits of each: all that the kernel reads of an int.</param>
    public void AllowIf(SystemCall call, params ReadOnlySpan<(uint Argument, uint Value)> arguments)
    {
        if (call.On(architecture) is not { } number)
        {
            return;
        }

        // Every argument is a load and a jump; a jump that does not match leads behind the block, where the number is loaded again.
        var left = (2 * arguments.Length) + 2;
        instructions.Add(new(JumpIfEqual, 0, (byte)left, number));
        foreach (var (argument, value) in arguments)
        {
            left -= 2;
            instructions.Add(new(Load, 0, 0, ArgumentsOffset + (argument * ArgumentBytes)));
            instructions.Add(new(JumpIfEqual, 0, (byte)(left - 1), value));
        }

        instructions.Add(new(Return, 0, 0, Allowed));
        instructions.Add(new(Load, 0, 0, NumberOffset));
    }

    /// <summary>Lets a call fail with an errno other than EPERM.</summary>
    public void Fail(SystemCall call, uint errno) => Answer(call, Failed | errno);

    /// <summary>The instructions, each as <c>struct sock_filter</c>; what no rule allowed fails with EPERM.</summary>
    public Instruction[] End() => [.. instructions, new(Return, 0, 0, Failed | NotPermitted)];

    /// <summary>The instructions of a program that only forbids: what no rule named is allowed.</summary>
    public Instruction[] EndAllowing() => [.. instructions, new(Return, 0, 0, Allowed)];

    private void Answer(SystemCall call, uint answer)
    {
        if (call.On(architecture) is { } number)
        {
            instructions.Add(new(JumpIfEqual, 0, 1, number));
            instructions.Add(new(Return, 0, 0, answer));
        }
    }

    /// <summary><c>struct sock_filter</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);
}
