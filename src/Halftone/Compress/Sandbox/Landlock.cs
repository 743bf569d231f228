using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// Landlock without a rule: every path is closed, for reading, writing and running, and so are TCP and abstract sockets where the kernel
/// knows how. It holds for the thread that asks, which decodes, and for every thread that starts from it; see landlock(7).
/// </summary>
/// <remarks>
/// Threads that are there already are left out before ABI 8, so this is the second wall: <see cref="SeccompFilter"/> closes open(2) for
/// all. Signals are its business alone: kernels with ABI 6 took a thread's signal to its own process for one to a stranger, and .NET
/// ended over it.
/// </remarks>
[SupportedOSPlatform("linux")]
internal static class Landlock
{
    private const nint AskVersion = 1; // LANDLOCK_CREATE_RULESET_VERSION
    private const nint AllThreads = 1 << 3; // LANDLOCK_RESTRICT_SELF_TSYNC, since ABI 8
    private const ulong BindAndConnect = 0b11; // LANDLOCK_ACCESS_NET_…_TCP
    private const ulong AbstractSockets = 0b1; // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
    private const int FirstWithAllThreads = 8;

    /// <summary>Version of the kernel's interface, from 1; 0 where there is none.</summary>
    public static int Abi => (int)Math.Max(Kernel.Call(SystemCall.LandlockCreateRuleset, 0, 0, AskVersion), 0);

    /// <summary>Closes every path; <see cref="Kernel.ForbidNewPrivileges"/> comes first.</summary>
    /// <returns>False where the kernel has no Landlock, or has it switched off.</returns>
    public static bool CloseEveryPath()
    {
        var abi = Abi;
        if (abi == 0)
        {
            return false;
        }

        var attributes = Marshal.AllocHGlobal(Marshal.SizeOf<Attributes>());
        try
        {
            Marshal.StructureToPtr(For(abi), attributes, fDeleteOld: false);
            var rules = (int)Kernel.Call(SystemCall.LandlockCreateRuleset, attributes, Marshal.SizeOf<Attributes>(), 0);
            if (rules < 0)
            {
                return false;
            }

            var isOn = Kernel.Call(SystemCall.LandlockRestrictSelf, rules, abi >= FirstWithAllThreads ? AllThreads : 0, 0) == 0;
            Kernel.Close(rules);
            return isOn;
        }
        finally
        {
            Marshal.FreeHGlobal(attributes);
        }
    }

    /// <summary>
    /// All that a version can close: a kernel refuses bits that it does not know, and takes a longer structure that ends in zeros.
    /// </summary>
    private static Attributes For(int abi) => new()
    {
        // LANDLOCK_ACCESS_FS_…: 13 rights at first, REFER, TRUNCATE, and IOCTL_DEV since ABI 5.
        Files = abi switch { 1 => (1ul << 13) - 1, 2 => (1ul << 14) - 1, 3 or 4 => (1ul << 15) - 1, _ => (1ul << 16) - 1 },
        Network = abi >= 4 ? BindAndConnect : 0,
        Scopes = abi >= 6 ? AbstractSockets : 0,
    };

    /// <summary><c>struct landlock_ruleset_attr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public ulong Files;
        public ulong Network;
        public ulong Scopes;
    }
}
