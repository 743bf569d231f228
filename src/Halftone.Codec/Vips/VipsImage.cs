using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>How samples are to be read; the numbers are libvips's VipsInterpretation.</summary>
internal enum Interpretation
{
    Multiband = 0,
    BlackAndWhite = 1,
    Cmyk = 15,
    Srgb = 22,
    Rgb16 = 25,
    Grey16 = 26,
}

/// <summary>
/// Owns a reference to a libvips image: a description whose pixels are made when an operation pulls them.
/// An image made from bytes reads them as long as it lives; they stay pinned until it and all made from it are disposed.
/// </summary>
internal sealed unsafe class VipsImage : SafeHandle
{
    private const string ProfileField = "icc-profile-data", PageHeightField = "page-height", DelayField = "delay", LoopField = "loop";

    public VipsImage(nint reference) : base(0, ownsHandle: true) => SetHandle(reference);

    public override bool IsInvalid => handle == 0;

    public int Width => LibVips.vips_image_get_width(this);

    /// <summary>Of all loaded frames together, which stand one below the other.</summary>
    public int Height => LibVips.vips_image_get_height(this);

    /// <summary>Of one frame.</summary>
    public int PageHeight => LibVips.vips_image_get_page_height(this);

    /// <summary>Frames or pages in the file, loaded or not.</summary>
    public int Pages => LibVips.vips_image_get_n_pages(this);

    public int Bands => LibVips.vips_image_get_bands(this);

    /// <summary>One byte a sample (VIPS_FORMAT_UCHAR).</summary>
    public bool Is8Bit => LibVips.vips_image_get_format(this) == 0;

    /// <summary>The kind of its samples, as libvips's operations name it.</summary>
    public string SampleFormat => LibVips.vips_image_get_format(this) switch
    {
        0 => "uchar",
        1 => "char",
        2 => "ushort",
        3 => "short",
        4 => "uint",
        5 => "int",
        6 => "float",
        7 => "complex",
        8 => "double",
        _ => "dpcomplex",
    };

    public bool HasAlpha => LibVips.vips_image_hasalpha(this) != 0;

    public Interpretation Interpretation => (Interpretation)LibVips.vips_image_get_interpretation(this);

    /// <summary>EXIF's 1 to 8; 1 is upright and the answer where there is no tag.</summary>
    public int Orientation => LibVips.vips_image_get_orientation(this);

    public bool Has(string field) => LibVips.vips_image_get_typeof(this, field) != 0;

    /// <summary>The embedded ICC profile, empty where there is none; valid while the image lives.</summary>
    public ReadOnlySpan<byte> Profile
    {
        get
        {
            void* start;
            nuint length;
            return Has(ProfileField) && LibVips.vips_image_get_blob(this, ProfileField, &start, &length) == 0
                ? new(start, checked((int)length))
                : default;
        }
    }

    /// <summary>The same pixels, decoded now and held in memory, so that they can be read in any order.</summary>
    public VipsImage InMemory() => Owned(LibVips.vips_image_copy_memory(this), "vips_image_copy_memory");

    /// <summary>Decodes everything into memory of its own.</summary>
    public VipsPixels Pixels()
    {
        nuint length;
        var start = LibVips.vips_image_write_to_memory(this, &length);
        return start == null ? throw VipsException.FromErrorBuffer("vips_image_write_to_memory") : new(start, checked((int)length));
    }

    /// <summary>An image of 8-bit samples, copied: <paramref name="bands"/> 1 or 2 are grey, 3 or 4 sRGB, the even ones with alpha.</summary>
    public static VipsImage FromPixels(ReadOnlySpan<byte> samples, int width, int height, int bands)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual((long)samples.Length, (long)width * height * bands);
        fixed (byte* start = samples)
        {
            using var plain = Owned(LibVips.vips_image_new_from_memory_copy(start, (nuint)samples.Length, width, height, bands, 0), "vips_image_new_from_memory_copy");
            return plain.AsColours();
        }
    }

    /// <summary>As <see cref="FromPixels"/>, over samples that are not copied: they must stay where they are until it and all made from it are disposed.</summary>
    public static VipsImage OverPixels(void* samples, int width, int height, int bands)
    {
        using var plain = Owned(LibVips.vips_image_new_from_memory(samples, (nuint)width * (nuint)height * (nuint)bands, width, height, bands, 0), "vips_image_new_from_memory");
        return plain.AsColours();
    }

    /// <summary>Takes delays, loop count and profile from the animation that this one was made from.</summary>
    /// <param name="source">The animation.</param>
    /// <param name="pageHeight">Of one frame of this one.</param>
    public void BecomeAnimationOf(VipsImage source, int pageHeight)
    {
        LibVips.vips_image_set_int(this, PageHeightField, pageHeight);
        int* delays;
        int count, loop;
        if (source.Has(DelayField) && LibVips.vips_image_get_array_int(source, DelayField, &delays, &count) == 0)
        {
            LibVips.vips_image_set_array_int(this, DelayField, delays, count);
        }
        if (source.Has(LoopField) && LibVips.vips_image_get_int(source, LoopField, &loop) == 0)
        {
            LibVips.vips_image_set_int(this, LoopField, loop);
        }
        fixed (byte* profile = source.Profile)
        {
            if (profile != null)
            {
                LibVips.vips_image_set_blob_copy(this, ProfileField, profile, (nuint)source.Profile.Length);
            }
        }
    }

    /// <summary>A copy that says how high its frames are.</summary>
    public VipsImage WithPageHeight(int pixels)
    {
        var copy = With("");
        LibVips.vips_image_set_int(copy, PageHeightField, pixels);
        return copy;
    }

    /// <summary>A copy without these fields of the header.</summary>
    public VipsImage Without(ReadOnlySpan<string> fields)
    {
        var copy = With("");
        foreach (var field in fields)
        {
            LibVips.vips_image_remove(copy, field);
        }
        return copy;
    }

    /// <summary>A copy whose header differs (operation <c>copy</c>); the pixels are shared.</summary>
    public VipsImage With(string options) => VipsOperation.Apply("copy", this, options);

    private VipsImage AsColours() => With($"interpretation={(Bands > 2 ? "srgb" : "b-w")}");

    private static VipsImage Owned(nint reference, string call) =>
        reference == 0 ? throw VipsException.FromErrorBuffer(call) : new VipsImage(reference);

    protected override bool ReleaseHandle()
    {
        LibVips.g_object_unref(handle);
        return true;
    }
}
