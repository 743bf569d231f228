using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Halftone.Compress;

/// <summary>The resident memory of this process, also where it can open no file any more: on Linux from one that stays open.</summary>
internal static class ResidentMemory
{
    // "size resident shared text lib data dt" in pages; see proc_pid_statm(5).
    private static readonly SafeFileHandle? Pages = OperatingSystem.IsLinux() ? File.OpenHandle("/proc/self/statm") : null;

    /// <summary>In bytes.</summary>
    public static long Bytes
    {
        get
        {
            if (Pages is null)
            {
                return Environment.WorkingSet;
            }

            Span<byte> text = stackalloc byte[128];
            var fields = text[..RandomAccess.Read(Pages, text, fileOffset: 0)];
            fields = fields[(fields.IndexOf((byte)' ') + 1)..];
            return long.Parse(fields[..fields.IndexOf((byte)' ')], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
    }

    /// <summary>Opens the file, and runs everything once.</summary>
    public static void Open() => _ = Bytes;
}
