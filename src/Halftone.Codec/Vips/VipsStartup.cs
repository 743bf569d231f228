using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>Starts libvips once in a process and closes every door of it that is not served.</summary>
internal static unsafe class VipsStartup
{
    // Only what reads and writes memory; the file and stream variants of the same formats stay shut.
    private static readonly string[] Served =
    [
        "VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer", "VipsForeignLoadNsgifBuffer",
        "VipsForeignLoadHeifBuffer", "VipsForeignLoadTiffBuffer",
        "VipsForeignSaveJpegBuffer", "VipsForeignSavePngBuffer", "VipsForeignSaveSpngBuffer", "VipsForeignSaveWebpBuffer",
        "VipsForeignSaveCgifBuffer", "VipsForeignSaveHeifBuffer",
    ];

    private static readonly Lazy<Version> Started = new(Start);

    /// <summary>The library's version; starts it where that has not happened.</summary>
    /// <exception cref="LibVipsMissingException">There is no libvips.</exception>
    public static Version Version => Started.Value;

    /// <summary>Whether savers know the option <c>keep</c> (8.15); before it there was <c>strip</c>, which drops everything.</summary>
    public static bool KnowsKeep => Version >= new Version(8, 15);

    private static Version Start()
    {
        LibVipsFile.UseHere();
        // What goes wrong with an image is in the error buffer; GLib's warnings about it would only fill stderr.
        LibVips.g_log_set_default_handler(&Discard, 0);
        if (LibVips.vips_init("halftone") != 0)
        {
            throw VipsException.FromErrorBuffer("vips_init");
        }
        // The first shuts what libvips itself calls untrusted, the next two every other reader and writer of files.
        LibVips.vips_block_untrusted_set(1);
        LibVips.vips_operation_block_set("VipsForeignLoad", 1);
        LibVips.vips_operation_block_set("VipsForeignSave", 1);
        foreach (var operation in Served)
        {
            LibVips.vips_operation_block_set(operation, 0);
        }
        // One process per core works on one image each: threads inside would only wait for each other.
        LibVips.vips_concurrency_set(1);
        // No image is seen twice, so a cache of operations holds memory for nothing.
        LibVips.vips_cache_set_max(0);
        return new Version(LibVips.vips_version(0), LibVips.vips_version(1), LibVips.vips_version(2));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Discard(byte* domain, int level, byte* message, nint data)
    {
    }
}
