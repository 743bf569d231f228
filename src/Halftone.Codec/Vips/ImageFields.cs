using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>What the header of a libvips image says beside its size.</summary>
internal static class ImageFields
{
    public const string Profile =
        "icc-profile-data", PageHeight = "page-height", Delay = "delay", Loop = "loop", OrientationField = "orientation";

    private const string PagesField = "n-pages";

    extension(Image image)
    {
        /// <summary>Frames or pages in the file, loaded or not.</summary>
        public int Pages => image.Contains(PagesField) ? Math.Max(1, (int)image.Get(PagesField)) : 1;

        /// <summary>EXIF's 1 to 8; 1 is upright and the answer where there is no tag.</summary>
        public int Orientation =>
            image.Contains(OrientationField) && image.Get(OrientationField) is int and >= 1 and <= 8 and var value ? value : 1;

        /// <summary>The embedded ICC profile, empty where there is none.</summary>
        public byte[] ColourProfile => image.Contains(ImageFields.Profile) ? (byte[])image.Get(ImageFields.Profile) : [];

        /// <summary>Decodes everything into memory of its own.</summary>
        public VipsPixels Pixels()
        {
            var start = image.WriteToMemory(out var bytes);
            return new(start, checked((int)bytes));
        }

        /// <summary>A copy that says how high its frames are.</summary>
        public Image WithPageHeight(int pixels) => image.Mutate(copy => copy.Set(GValue.GIntType, PageHeight, pixels));

        /// <summary>A copy with the delays, the loop count and the profile of the animation that it was made from.</summary>
        /// <param name="source">The animation.</param>
        /// <param name="pageHeight">Of one frame of this one.</param>
        public Image AsAnimationOf(Image source, int pageHeight) => image.Mutate(copy =>
        {
            copy.Set(GValue.GIntType, PageHeight, pageHeight);
            foreach (var field in (ReadOnlySpan<string>)[Delay, Loop, ImageFields.Profile])
            {
                if (source.GetTypeOf(field) is not 0 and var type)
                {
                    copy.Set(type, field, source.Get(field));
                }
            }
        });

        /// <summary>
        /// An image of 8-bit samples, copied: <paramref name="bands"/> 1 or 2 are grey, 3 or 4 sRGB, the even ones with alpha.
        /// </summary>
        public static Image FromPixels(ReadOnlySpan<byte> samples, int width, int height, int bands)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual((long)samples.Length, (long)width * height * bands);
            using var plain = Image.NewFromMemoryCopy(samples, width, height, bands, Enums.BandFormat.Uchar);
            return plain.AsColours();
        }

        /// <summary>
        /// As <see cref="FromPixels"/>, over samples that are not copied: they must stay where they are until it and all made from it are
        /// disposed.
        /// </summary>
        public static Image OverPixels(nint samples, int width, int height, int bands)
        {
            using var plain = Image.NewFromMemory(
                samples, (ulong)width * (ulong)height * (ulong)bands, width, height, bands, Enums.BandFormat.Uchar);
            return plain.AsColours();
        }

        private Image AsColours() => image.Copy(interpretation: image.Bands > 2 ? Enums.Interpretation.Srgb : Enums.Interpretation.Bw);
    }
}
