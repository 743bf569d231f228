using System.Runtime.Versioning;
using Halftone.Codec;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// Takes from a codec child, before it sees the first byte of an image, what it does not need: a decoder that is taken over reads no
/// file, no environment and no memory of another process, and reaches no network. It keeps the pipes to its parent, memory and
/// processor time. Linux only.
/// </summary>
internal static class CodecSandbox
{
    /// <summary>
    /// Call it at the start of the program, before anything is opened. Lets go of what was inherited, and hides the memory from other
    /// processes of the same user.
    /// </summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux())
        {
            InheritedFiles.Close();
            Kernel.HideMemory();
            EmptyFolder.Enter();
        }
    }

    /// <summary>Enters it, for good. The codec is warm: from here on nothing is opened, code neither.</summary>
    /// <param name="maxBytes">Memory for data.</param>
    /// <returns>The parts that this system lacks.</returns>
    public static SandboxParts Enter(long maxBytes) => OperatingSystem.IsLinux() ? EnterOnLinux(maxBytes) : SandboxParts.All;

    [SupportedOSPlatform("linux")]
    private static SandboxParts EnterOnLinux(long maxBytes)
    {
        LoadedCode.LoadReferences(typeof(ImageCodec).Assembly);
        return Lacking(SandboxParts.HardLimits, HardLimits.Set(maxBytes))
            | Lacking(SandboxParts.NoNewPrivileges, Kernel.ForbidNewPrivileges())
            | Lacking(SandboxParts.Landlock, Landlock.CloseEveryPath())
            | Lacking(SandboxParts.Seccomp, SeccompFilter.Install());
    }

    private static SandboxParts Lacking(SandboxParts part, bool isThere) => isThere ? SandboxParts.None : part;
}
