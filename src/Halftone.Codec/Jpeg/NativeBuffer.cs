using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Memory outside the garbage-collected heap that is kept between images. The inner loops walk it by pointer; each of them
/// says how far past the data it may reach, and the owner asks for that much more.
/// </summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private T* start;
    private nuint allocatedLength;

    ~NativeBuffer() => Release();

    public T* Start => start;

    /// <summary>Length in elements that <see cref="Reserve"/> promised; never more than what was allocated.</summary>
    public nuint Length { get; private set; }

    /// <summary>At least <paramref name="length"/> elements of unknown content; what was in the buffer may be lost.</summary>
    public void Reserve(nuint length)
    {
        // Under test every size gets its own pages, so that one element too far is a crash.
        if (length > allocatedLength || GuardedMemory.IsOn)
        {
            Release();
            start = (T*)GuardedMemory.Allocate(checked(length * (nuint)sizeof(T)));
            allocatedLength = length;
        }
        Length = length;
    }

    /// <summary>Grows to at least <paramref name="length"/> elements and keeps the content.</summary>
    public void Grow(nuint length)
    {
        if (length <= allocatedLength)
        {
            Length = Math.Max(Length, length);
            return;
        }
        var larger = (T*)GuardedMemory.Allocate(checked(length * (nuint)sizeof(T)));
        NativeMemory.Copy(start, larger, Length * (nuint)sizeof(T));
        Release();
        start = larger;
        allocatedLength = Length = length;
    }

    /// <summary>Gives memory back where it is more than <paramref name="bytes"/>, so that one huge image does not stay in the process's size.</summary>
    public void Trim(nuint bytes)
    {
        if (allocatedLength * (nuint)sizeof(T) > bytes)
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
        if (start != null)
        {
            GuardedMemory.Free(start, allocatedLength * (nuint)sizeof(T));
        }
        start = null;
        allocatedLength = Length = 0;
    }
}
