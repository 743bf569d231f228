using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Where native buffers come from: the C heap, or, for fuzzing, pages of their own with an unreadable page behind the last
/// byte, so that an access past the end ends the process instead of going unnoticed. Linux only when on.
/// </summary>
internal static unsafe partial class GuardedMemory
{
    private const int PageBytes = 4096, ReadWrite = 3, NoAccess = 0, PrivateAnonymous = 0x22;

    /// <summary>Off but in tests. To be set before the first buffer of the process is made, because a buffer is freed the way it is set then.</summary>
    public static bool IsOn { get; set; }

    public static void* Allocate(nuint bytes)
    {
        if (!IsOn)
        {
            return NativeMemory.AlignedAlloc(bytes, 64);
        }
        var body = Body(bytes);
        var pages = mmap(null, body + PageBytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (pages == (byte*)-1 || mprotect(pages + body, PageBytes, NoAccess) != 0)
        {
            throw new InsufficientMemoryException();
        }
        return pages + (body - bytes);
    }

    public static void Free(void* memory, nuint bytes)
    {
        if (!IsOn)
        {
            NativeMemory.AlignedFree(memory);
            return;
        }
        var body = Body(bytes);
        _ = munmap((byte*)memory - (body - bytes), body + PageBytes);
    }

    private static nuint Body(nuint bytes) => (bytes + (PageBytes - 1)) & ~(nuint)(PageBytes - 1);

    [LibraryImport("libc")]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);
}
