namespace Halftone.Codec.Vips;

/// <summary>Owns pixels that libvips wrote: rows from the top without padding, bands interleaved.</summary>
internal sealed unsafe class VipsPixels(nint start, int length) : IDisposable
{
    private nint start = start;

    /// <summary>The samples; not to be used after disposal.</summary>
    public Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(start == 0, this);
            return new((void*)start, length);
        }
    }

    public void Dispose()
    {
        NetVips.NetVips.Free(start);
        start = 0;
    }
}
