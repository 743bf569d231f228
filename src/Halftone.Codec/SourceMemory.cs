using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Codec;

/// <summary>
/// Room for one source image outside the garbage-collected heap. Pages cost memory once something is written to them, growing copies
/// nothing,
/// and all of it goes back to the system the moment it is disposed: what is counted is what there is. (Large arrays stay in the process
/// until
/// the collector comes by and lets go of them: hostile bodies that were counted as 256 MiB made it 510.)
/// </summary>
/// <remarks>For one owner at a time, who must dispose it; memory of it may not be used after that.</remarks>
public sealed unsafe class SourceMemory : MemoryManager<byte>
{
    private const int ReadWrite = 0x1 | 0x2;      // PROT_READ | PROT_WRITE
    private const int MayMove = 1;                // MREMAP_MAYMOVE

    private static readonly int PrivateAnonymous = OperatingSystem.IsMacOS() ? 0x1002 : 0x22; // MAP_PRIVATE | MAP_ANON
    private static readonly void* Failed = (void*)-1;

    private void* start;
    private int length;
    private int pins;

    /// <param name="bytes">1 or more.</param>
    /// <exception cref="InsufficientMemoryException">The system gives none.</exception>
    public SourceMemory(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        start = Take(bytes);
        length = bytes;
    }

    /// <summary>Bytes of room.</summary>
    public int Length => length;

    /// <summary>Makes it larger and keeps its content. Memory that was taken of it stays good, spans do not.</summary>
    /// <exception cref="InsufficientMemoryException">The system gives no more; what there was is kept.</exception>
    /// <exception cref="InvalidOperationException">It is pinned.</exception>
    public void Grow(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, length);
        var old = GetSpan();
        if (pins > 0)
        {
            throw new InvalidOperationException("Pinned memory cannot move.");
        }

        if (OperatingSystem.IsLinux())
        {
            // Moves entries of the page table, and no bytes.
            var moved = mremap(start, (nuint)length, (nuint)bytes, MayMove);
            start = moved == Failed ? throw new InsufficientMemoryException() : moved;
        }
        else
        {
            var larger = Take(bytes);
            old.CopyTo(new Span<byte>(larger, bytes));
            GiveBack(start, length);
            start = larger;
        }

        length = bytes;
    }

    /// <summary>All of it; good until it grows or is disposed.</summary>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(start is null, this);
        return new Span<byte>(start, length);
    }

    /// <summary>Holds it where it is. While any handle is open it neither grows nor is given back.</summary>
    /// <param name="elementIndex">The byte that the handle points at.</param>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        var place = GetSpan()[elementIndex..];
        Interlocked.Increment(ref pins);
        return new MemoryHandle((byte*)start + (length - place.Length), pinnable: this);
    }

    /// <summary>Called by a handle that is disposed.</summary>
    public override void Unpin() => Interlocked.Decrement(ref pins);

    /// <summary>Gives the memory back. Safe to call more than once.</summary>
    /// <exception cref="InvalidOperationException">It is pinned: somebody still reads or writes it.</exception>
    public void Dispose() => Dispose(disposing: true);

    /// <summary>Gives the memory back.</summary>
    /// <param name="disposing">Makes no difference.</param>
    protected override void Dispose(bool disposing)
    {
        if (pins > 0)
        {
            throw new InvalidOperationException("Pinned memory cannot be given back.");
        }

        if (start is not null)
        {
            GiveBack(start, length);
            start = null;
        }
    }

    private static void* Take(int bytes)
    {
        if (OperatingSystem.IsWindows())
        {
            // A block of this size is a mapping of its own there too.
            try
            {
                return NativeMemory.AllocZeroed((nuint)bytes);
            }
            catch (OutOfMemoryException exception)
            {
                throw new InsufficientMemoryException(null, exception);
            }
        }

        var mapped = mmap(null, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        return mapped == Failed ? throw new InsufficientMemoryException() : mapped;
    }

    private static void GiveBack(void* memory, int bytes)
    {
        if (OperatingSystem.IsWindows())
        {
            NativeMemory.Free(memory);
        }
        else
        {
            _ = munmap(memory, (nuint)bytes);
        }
    }

    // See the manual pages in section 2. No SafeHandle: an address and a length, freed in one place.
#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern void* mmap(void* address, nuint length, int protection, int flags, int file, nint offset);
    [DllImport("libc"), SupportedOSPlatform("linux")]
    private static extern void* mremap(void* address, nuint length, nuint newLength, int flags);
    [DllImport("libc"), UnsupportedOSPlatform("windows")]
    private static extern int munmap(void* address, nuint length);
#pragma warning restore SYSLIB1054, CA5392
}
