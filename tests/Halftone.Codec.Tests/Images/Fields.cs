using Halftone.Codec.Vips;

namespace Halftone.Codec.Tests.Images;

/// <summary>The named values in the header of a libvips image, by which loaders and savers hand over what is not pixels.</summary>
internal static unsafe class Fields
{
    extension(VipsImage image)
    {
        public int Integer(string name)
        {
            int value;
            Assert.Equal(0, LibVips.vips_image_get_int(image, name, &value));
            return value;
        }

        public int[] Integers(string name)
        {
            int* values;
            int count;
            Assert.Equal(0, LibVips.vips_image_get_array_int(image, name, &values, &count));
            return new ReadOnlySpan<int>(values, count).ToArray();
        }

        public void Set(string name, int value) => LibVips.vips_image_set_int(image, name, value);

        public void Set(string name, int[] values)
        {
            fixed (int* start = values)
            {
                LibVips.vips_image_set_array_int(image, name, start, values.Length);
            }
        }

        public void Set(string name, byte[] value)
        {
            fixed (byte* start = value)
            {
                LibVips.vips_image_set_blob_copy(image, name, start, (nuint)value.Length);
            }
        }
    }
}
