using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>
/// Finds the native library: the one file that the build put into <c>libvips/</c> beside the program (it holds GLib as
/// well), else the system's. The environment variable <c>HALFTONE_LIBVIPS</c> chooses: <c>system</c>, or the path of such a file.
/// </summary>
internal static class LibVipsFile
{
    public const string Vips = "vips", GObject = "gobject", GLib = "glib";
    public const string Variable = "HALFTONE_LIBVIPS";

    /// <summary>Called once, before the first native call.</summary>
    /// <exception cref="LibVipsMissingException">There is none.</exception>
    public static void UseHere()
    {
        var whole = Environment.GetEnvironmentVariable(Variable) switch
        {
            null or "" => Beside(),
            "system" => 0,
            var path => NativeLibrary.TryLoad(path, out var chosen) ? chosen : throw new LibVipsMissingException(),
        };
        if (whole == 0 && !NativeLibrary.TryLoad(SystemName(Vips), out _))
        {
            throw new LibVipsMissingException();
        }
        NativeLibrary.SetDllImportResolver(typeof(LibVips).Assembly, (name, _, _) => name is Vips or GObject or GLib
            ? whole != 0 ? whole : NativeLibrary.Load(SystemName(name))
            : 0);
    }

    private static nint Beside()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "libvips");
        if (!Directory.Exists(folder))
        {
            return 0;
        }
        foreach (var file in Directory.EnumerateFiles(folder, "libvips-cpp.*"))
        {
            // A library for another C runtime or processor does not load: then the system's may still do.
            if (NativeLibrary.TryLoad(file, out var library))
            {
                return library;
            }
        }
        return 0;
    }

    private static string SystemName(string name) => (name, OperatingSystem.IsMacOS()) switch
    {
        (Vips, false) => "libvips.so.42",
        (GObject, false) => "libgobject-2.0.so.0",
        (_, false) => "libglib-2.0.so.0",
        (Vips, true) => "libvips.42.dylib",
        (GObject, true) => "libgobject-2.0.0.dylib",
        (_, true) => "libglib-2.0.0.dylib",
    };
}
