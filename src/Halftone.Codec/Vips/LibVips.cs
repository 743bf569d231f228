using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>
/// The C functions under their C names, as the libvips and GLib manuals have them. No variadic function is among them:
/// .NET cannot declare those portably, and every one has a plain equivalent.
/// </summary>
internal static unsafe partial class LibVips
{
    private const string Vips = LibVipsFile.Vips, GObject = LibVipsFile.GObject, GLib = LibVipsFile.GLib;

    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_init(string argv0);
    [LibraryImport(Vips)]
    public static partial int vips_version(int part);
    [LibraryImport(Vips)]
    public static partial void vips_concurrency_set(int concurrency);
    [LibraryImport(Vips)]
    public static partial void vips_cache_set_max(int max);
    [LibraryImport(Vips)]
    public static partial void vips_block_untrusted_set(int state);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void vips_operation_block_set(string name, int state);
    [LibraryImport(Vips)]
    public static partial byte* vips_error_buffer_copy();

    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint vips_operation_new(string name);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_object_set_from_string(nint @object, string options);
    [LibraryImport(Vips)]
    public static partial nint vips_cache_operation_build(nint operation);
    [LibraryImport(Vips)]
    public static partial void vips_object_unref_outputs(nint @object);

    [LibraryImport(Vips)]
    public static partial nint vips_image_get_type();
    [LibraryImport(Vips)]
    public static partial nint vips_blob_get_type();
    [LibraryImport(Vips)]
    public static partial nint vips_blob_new(nint freeFunction, void* data, nuint length);
    [LibraryImport(Vips)]
    public static partial void* vips_blob_get(VipsBlob blob, nuint* length);
    [LibraryImport(Vips)]
    public static partial void vips_area_unref(nint area);

    [LibraryImport(Vips)]
    public static partial nint vips_image_new_from_memory_copy(void* data, nuint size, int width, int height, int bands, int format);
    [LibraryImport(Vips)]
    public static partial nint vips_image_new_from_memory(void* data, nuint size, int width, int height, int bands, int format);
    [LibraryImport(Vips)]
    public static partial nint vips_image_copy_memory(VipsImage image);
    [LibraryImport(Vips)]
    public static partial void* vips_image_write_to_memory(VipsImage image, nuint* size);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_width(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_height(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_bands(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_format(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_interpretation(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_n_pages(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_page_height(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_get_orientation(VipsImage image);
    [LibraryImport(Vips)]
    public static partial int vips_image_hasalpha(VipsImage image);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint vips_image_get_typeof(VipsImage image, string name);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_image_get_blob(VipsImage image, string name, void** data, nuint* length);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_image_get_int(VipsImage image, string name, int* value);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_image_get_array_int(VipsImage image, string name, int** values, int* count);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void vips_image_set_int(VipsImage image, string name, int value);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void vips_image_set_array_int(VipsImage image, string name, int* values, int count);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void vips_image_set_blob_copy(VipsImage image, string name, void* data, nuint length);
    [LibraryImport(Vips, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int vips_image_remove(VipsImage image, string name);

    [LibraryImport(GObject)]
    public static partial GValue* g_value_init(GValue* value, nint type);
    [LibraryImport(GObject)]
    public static partial void g_value_unset(GValue* value);
    [LibraryImport(GObject)]
    public static partial void g_value_set_object(GValue* value, VipsImage image);
    [LibraryImport(GObject)]
    public static partial void g_value_set_boxed(GValue* value, nint boxed);
    [LibraryImport(GObject)]
    public static partial nint g_value_dup_object(GValue* value);
    [LibraryImport(GObject)]
    public static partial nint g_value_dup_boxed(GValue* value);
    [LibraryImport(GObject, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void g_object_set_property(nint @object, string name, GValue* value);
    [LibraryImport(GObject, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void g_object_get_property(nint @object, string name, GValue* value);
    [LibraryImport(GObject)]
    public static partial void g_object_unref(nint @object);

    [LibraryImport(GLib)]
    public static partial void g_free(void* memory);
    [LibraryImport(GLib)]
    public static partial nint g_log_set_default_handler(delegate* unmanaged[Cdecl]<byte*, int, byte*, nint, void> handler, nint data);

    /// <summary>GLib's typed value: a type and 16 bytes that only GLib reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct GValue
    {
        public nint Type;
        public long First;
        public long Second;
    }
}
