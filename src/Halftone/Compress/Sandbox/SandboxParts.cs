namespace Halftone.Compress.Sandbox;

/// <summary>Parts of the sandbox that a system may lack; together they are a byte in a child's first answer.</summary>
[Flags]
internal enum SandboxParts
{
    None = 0,
    /// <summary>PR_SET_NO_NEW_PRIVS, without which there are no filters.</summary>
    NoNewPrivileges = 1,
    /// <summary>Landlock, Linux 5.13 and newer.</summary>
    Landlock = 2,
    /// <summary>The filter of system calls.</summary>
    Seccomp = 4,
    /// <summary>Limits that cannot be raised again.</summary>
    HardLimits = 8,
    All = NoNewPrivileges | Landlock | Seccomp | HardLimits,
}

internal static class SandboxPartsNames
{
    private static readonly (SandboxParts Part, string Name)[] Names =
    [
        (SandboxParts.NoNewPrivileges, "PR_SET_NO_NEW_PRIVS"),
        (SandboxParts.Landlock, "Landlock (Linux 5.13 or newer)"),
        (SandboxParts.Seccomp, "a seccomp filter (x86-64 or arm64)"),
        (SandboxParts.HardLimits, "hard limits"),
    ];

    /// <summary>For people, separated by commas.</summary>
    public static string Name(this SandboxParts parts) =>
        string.Join(", ", Names.Where(name => parts.HasFlag(name.Part)).Select(name => name.Name));
}
