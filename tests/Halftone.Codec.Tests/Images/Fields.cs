using NetVips;

namespace Halftone.Codec.Tests.Images;

/// <summary>The named values in the header of a libvips image, by which loaders and savers hand over what is not pixels.</summary>
internal static class Fields
{
    extension(Image image)
    {
        public int Integer(string name) => (int)image.Get(name);

        public int[] Integers(string name) => (int[])image.Get(name);

        public Image With(string name, int value) => image.With(GValue.GIntType, name, value);

        public Image With(string name, int[] values) => image.With(GValue.ArrayIntType, name, values);

        public Image With(string name, byte[] value) => image.With(GValue.BlobType, name, value);

        /// <summary>The same image with one more value; the one it was made from is disposed.</summary>
        private Image With(nint type, string name, object value)
        {
            using (image)
            {
                return image.Mutate(copy => copy.Set(type, name, value));
            }
        }
    }
}
