using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Opens a file that lies in memory without a copy of it. NetVips takes a copy of every file it is handed, of up to 32 MiB a child; its own
/// handle of a
/// libvips blob, which it keeps to itself, takes none. That one call stays by hand (docs/decisions/0012-native-parts.md).
/// </summary>
internal static unsafe class VipsSource
{
    private static readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, nint> NewBlob =
        (delegate* unmanaged[Cdecl]<nint, void*, nuint, nint>)NativeLibrary.GetExport(
            NativeLibrary.Load(FileName, typeof(Image).Assembly, null), "vips_blob_new");

    // Under these names NetVips brings the library and loads it.
    private static string FileName =>
        OperatingSystem.IsWindows() ? "libvips-42.dll" : OperatingSystem.IsMacOS() ? "libvips.42.dylib" : "libvips.so.42";

    /// <summary>Opens bytes with a <c>…load_buffer</c> operation; only the header is read.</summary>
    /// <param name="operation">Its name in the libvips manual.</param>
    /// <param name="source">The whole file. It must stay pinned until the image and all made from it are disposed.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="options">The operation's, by the names of the manual.</param>
    /// <exception cref="VipsException">The operation is blocked, or the header is broken.</exception>
    public static Image Open(string operation, MemoryHandle source, int length, VOption options)
    {
        // No function that frees: the bytes are the caller's.
        using var blob = (SafeHandle)Owned(NewBlob(0, source.Pointer, (nuint)length));
        return (Image)Operation.Call(operation, options, blob);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    [return: UnsafeAccessorType("NetVips.VipsBlob, NetVips")]
    private static extern object Owned(nint reference);
}
