using System.Buffers;

namespace Halftone.Codec.Vips;

/// <summary>
/// Typed calls. An operation is built by its name, its scalar options set from text (<c>Q=50,effort=4</c>: the names of
/// the libvips manual), its images and bytes as properties; then it runs.
/// </summary>
internal static unsafe class VipsOperation
{
    /// <summary>Opens bytes with a <c>…load_buffer</c> operation; only the header is read. The bytes stay pinned while the image lives.</summary>
    public static VipsImage Load(string operation, MemoryHandle source, int length, string options) =>
        new(Run(operation, options, null, source.Pointer, (nuint)length, "out"));

    /// <summary>Makes an image from an image.</summary>
    /// <param name="operation">Its name.</param>
    /// <param name="image">What it is made from.</param>
    /// <param name="options">The operation's scalars.</param>
    /// <param name="input">What the operation calls the image; few call it otherwise.</param>
    public static VipsImage Apply(string operation, VipsImage image, string options = "", string input = "in") =>
        new(Run(operation, options, image, null, 0, "out", input));

    /// <summary>Makes a file of an image with a <c>…save_buffer</c> operation.</summary>
    public static VipsBlob Save(string operation, VipsImage image, string options) =>
        new(Run(operation, options, image, null, 0, "buffer"));

    /// <returns>A new reference to the output, an image or a blob.</returns>
    private static nint Run(string name, string options, VipsImage? image, void* source, nuint length, string output, string input = "in")
    {
        var operation = LibVips.vips_operation_new(name);
        if (operation == 0)
        {
            throw VipsException.FromErrorBuffer(name);
        }
        try
        {
            if (options.Length > 0 && LibVips.vips_object_set_from_string(operation, options) != 0)
            {
                throw VipsException.FromErrorBuffer(name);
            }
            if (image is not null)
            {
                SetImage(operation, input, image);
            }
            else
            {
                SetBytes(operation, source, length);
            }
            var built = LibVips.vips_cache_operation_build(operation);
            if (built == 0)
            {
                LibVips.vips_object_unref_outputs(operation);
                throw VipsException.FromErrorBuffer(name);
            }
            LibVips.g_object_unref(operation);
            operation = built;
            var result = Output(operation, output);
            LibVips.vips_object_unref_outputs(operation);
            return result;
        }
        finally
        {
            LibVips.g_object_unref(operation);
        }
    }

    private static void SetImage(nint operation, string name, VipsImage image)
    {
        LibVips.GValue value = default;
        LibVips.g_value_init(&value, LibVips.vips_image_get_type());
        LibVips.g_value_set_object(&value, image);
        LibVips.g_object_set_property(operation, name, &value);
        LibVips.g_value_unset(&value);
    }

    private static void SetBytes(nint operation, void* source, nuint length)
    {
        // No free function: the bytes are the caller's.
        var blob = LibVips.vips_blob_new(0, source, length);
        LibVips.GValue value = default;
        LibVips.g_value_init(&value, LibVips.vips_blob_get_type());
        LibVips.g_value_set_boxed(&value, blob);
        LibVips.g_object_set_property(operation, "buffer", &value);
        LibVips.g_value_unset(&value);
        LibVips.vips_area_unref(blob);
    }

    private static nint Output(nint operation, string output)
    {
        var isImage = output == "out";
        LibVips.GValue value = default;
        LibVips.g_value_init(&value, isImage ? LibVips.vips_image_get_type() : LibVips.vips_blob_get_type());
        LibVips.g_object_get_property(operation, output, &value);
        var result = isImage ? LibVips.g_value_dup_object(&value) : LibVips.g_value_dup_boxed(&value);
        LibVips.g_value_unset(&value);
        return result;
    }
}
