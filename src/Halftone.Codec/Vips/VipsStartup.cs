using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>Starts libvips once in a process and closes every door of it that is not served.</summary>
internal static class VipsStartup
{
    // Only what reads and writes memory; the file and stream variants of the same formats stay shut.
    private static readonly string[] Served =
    [
        "VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer", "VipsForeignLoadNsgifBuffer",
        "VipsForeignLoadHeifBuffer", "VipsForeignLoadTiffBuffer",
        "VipsForeignSaveJpegBuffer", "VipsForeignSavePngBuffer", "VipsForeignSaveSpngBuffer", "VipsForeignSaveWebpBuffer",
        "VipsForeignSaveCgifBuffer", "VipsForeignSaveHeifBuffer",
    ];

    /// <summary>Before it savers could not keep a profile and drop the rest.</summary>
    private static readonly Version Oldest = new(8, 15);

    private static readonly Lazy<Version> Started = new(Start);

    /// <summary>The library's version; starts it where that has not happened.</summary>
    /// <exception cref="LibVipsMissingException">There is no libvips, or one that is too old.</exception>
    public static Version Version => Started.Value;

    private static Version Start()
    {
        // The first touch of NetVips loads the library and starts it, and keeps quiet where that fails.
        if (!ModuleInitializer.VipsInitialized)
        {
            throw LibVipsMissingException.NotFound();
        }

        var version = new Version(NetVips.NetVips.Version(0), NetVips.NetVips.Version(1), NetVips.NetVips.Version(2));
        if (version < Oldest)
        {
            throw LibVipsMissingException.TooOld(version, Oldest);
        }

        // What goes wrong with an image is in the error buffer; GLib's warnings about it would only fill stderr.
        foreach (var domain in (ReadOnlySpan<string?>)["VIPS", "GLib", "GLib-GObject", null])
        {
            Log.SetLogHandler(domain, Enums.LogLevelFlags.All, static (_, _, _) => { });
        }

        // The first shuts what libvips itself calls untrusted, the next two every other reader and writer of files.
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        Operation.Block("VipsForeignSave", true);
        foreach (var operation in Served)
        {
            Operation.Block(operation, false);
        }

        // One process per core works on one image each: threads inside would only wait for each other.
        NetVips.NetVips.Concurrency = 1;
        // No image is seen twice, so a cache of operations holds memory for nothing.
        Cache.Max = 0;
        return version;
    }
}
