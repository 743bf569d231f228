using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>Owns bytes that libvips wrote, such as a saved file.</summary>
internal sealed class VipsBlob : SafeHandle
{
    public VipsBlob(nint reference) : base(0, ownsHandle: true) => SetHandle(reference);

    public override bool IsInvalid => handle == 0;

    /// <summary>The bytes; not to be used after disposal.</summary>
    public unsafe ReadOnlySpan<byte> Bytes
    {
        get
        {
            nuint length;
            var start = LibVips.vips_blob_get(this, &length);
            return new(start, checked((int)length));
        }
    }

    protected override bool ReleaseHandle()
    {
        LibVips.vips_area_unref(handle);
        return true;
    }
}

/// <summary>Owns pixels that libvips wrote: rows from the top without padding, bands interleaved.</summary>
internal sealed unsafe class VipsPixels(void* start, int length) : IDisposable
{
    private void* start = start;

    /// <summary>The samples; not to be used after disposal.</summary>
    public Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(start == null, this);
            return new(start, length);
        }
    }

    public void Dispose()
    {
        LibVips.g_free(start);
        start = null;
    }
}
