using System.Reflection;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>
/// Finds the native library: the one file that the build put into <c>libvips/</c> beside the program (it holds GLib as
/// well), else the system's. <c>HALFTONE_LIBVIPS</c> set to <c>system</c> skips the first.
/// </summary>
internal static class LibVipsFile
{
    public const string Vips = "vips", GObject = "gobject", GLib = "glib";
    public const string Variable = "HALFTONE_LIBVIPS";

    /// <summary>Called once, before the first native call.</summary>
    /// <exception cref="LibVipsMissingException">Neither is there.</exception>
    public static void UseHere()
    {
        var bundled = Bundled();
        if (bundled == 0 && !NativeLibrary.TryLoad(SystemName(Vips), out _))
        {
            throw new LibVipsMissingException();
        }
        NativeLibrary.SetDllImportResolver(typeof(LibVips).Assembly, (name, _, _) => name is Vips or GObject or GLib
            ? bundled != 0 ? bundled : NativeLibrary.Load(SystemName(name))
            : 0);
    }

    private static nint Bundled()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "libvips");
        if (Environment.GetEnvironmentVariable(Variable) == "system" || !Directory.Exists(folder))
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
