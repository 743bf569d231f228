using System.Runtime.InteropServices;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>
/// Bytes on pages of their own, the last one right before an unreadable page: reading past the end ends the process instead of
/// going unnoticed. Linux only.
/// </summary>
internal sealed unsafe partial class GuardedCopy : IDisposable
{
    private const int PageBytes = 4096, ReadWrite = 3, NoAccess = 0, PrivateAnonymous = 0x22;

    private readonly byte* pages;
    private readonly int bodyBytes, length;

    public GuardedCopy(ReadOnlySpan<byte> bytes)
    {
        length = bytes.Length;
        bodyBytes = (length + PageBytes - 1) / PageBytes * PageBytes;
        pages = mmap(null, (nuint)(bodyBytes + PageBytes), ReadWrite, PrivateAnonymous, -1, 0);
        Assert.True(pages != (byte*)-1 && mprotect(pages + bodyBytes, PageBytes, NoAccess) == 0);
        bytes.CopyTo(new Span<byte>(pages + bodyBytes - length, length));
    }

    public ReadOnlySpan<byte> Bytes => new(pages + bodyBytes - length, length);

    public void Dispose() => _ = munmap(pages, (nuint)(bodyBytes + PageBytes));

    [LibraryImport("libc")]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);
}
