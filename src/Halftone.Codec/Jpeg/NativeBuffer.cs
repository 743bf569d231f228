using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Memory outside the garbage-collected heap that is kept between images: large ones come and go without the collector, and a
/// child process stays within its memory limit. Every access is checked against the length.
/// </summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private T* start;
    private long allocatedLength, length;

    ~NativeBuffer() => Release();

    /// <summary>One element.</summary>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)index, (ulong)length);
            return ref start[index];
        }
    }

    /// <summary>At least this many elements of unknown content; what was in the buffer is lost.</summary>
    public void Reserve(long newLength)
    {
        if (newLength > allocatedLength)
        {
            Release();
            start = (T*)NativeMemory.AlignedAlloc(checked((nuint)newLength * (nuint)sizeof(T)), 64);
            allocatedLength = newLength;
        }

        length = newLength;
    }

    /// <summary>A part of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Slice(long index, int count)
    {
        if ((ulong)index > (ulong)length || (ulong)count > (ulong)(length - index))
        {
            throw new ArgumentOutOfRangeException(nameof(index));
        }

        return new Span<T>(start + index, count);
    }

    /// <summary>
    /// Gives memory back where it is more than <paramref name="bytes"/>, so that one huge image does not stay in the process's size.
    /// </summary>
    public void Trim(long bytes)
    {
        if (allocatedLength * sizeof(T) > bytes)
        {
            Release();
        }
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.AlignedFree(start);
        start = null;
        allocatedLength = length = 0;
    }
}
