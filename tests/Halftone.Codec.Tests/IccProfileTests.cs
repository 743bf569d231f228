using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Tests;

public sealed class IccProfileTests
{
    [Theory]
    [InlineData("srgb", true)]
    [InlineData("p3", false)]
    [InlineData("cmyk", false)]
    public void A_profile_that_says_sRGB_is_recognized_and_no_other(string builtIn, bool isSrgb)
    {
        using var image = Picture.Draw(8, 8).Image();
        using var converted = image.IccTransform(builtIn, inputProfile: "srgb");

        Assert.True(IccProfile.IsProfile(converted.ColourProfile));
        Assert.Equal(isSrgb, IccProfile.IsSrgb(converted.ColourProfile));
    }

    [Fact]
    public void Adobe_RGB_and_broken_profiles_are_not_sRGB()
    {
        var adobe = MatrixProfile.AdobeRgb();
        Assert.True(IccProfile.IsProfile(adobe));
        Assert.False(IccProfile.IsSrgb(adobe));
        for (var length = 0; length < adobe.Length; length++)
        {
            Assert.False(IccProfile.IsSrgb(adobe.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_broken_profile_is_as_good_as_none()
    {
        var drawn = Picture.Draw(64, 64);
        using var image = drawn.Image().With("icc-profile-data", new byte[500]);

        var result = Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(Picture.Save(image, "pngsave_buffer"), new CodecRequest()));

        using var opened = new OpenedFile(result.Body);
        Assert.Empty(opened.Image.ColourProfile);
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(drawn), 30, double.PositiveInfinity);
    }
}
