using Halftone.Codec.Tests.Images;
using Halftone.Codec.Webp;

namespace Halftone.Codec.Tests.Webp;

/// <summary>libwebp, through libvips, is the oracle: our planes, shown by its arithmetic, are its pixels bit for bit.</summary>
public sealed class Vp8DecoderTests
{
    public static TheoryData<int, int> Sizes => new(
        from width in (int[])[1, 2, 15, 16, 17, 33, 130] from height in (int[])[1, 2, 16, 31, 97] select (width, height));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_size_decodes_as_libwebp_decodes_it(int width, int height) =>
        Compare(WebpPictures.Busy(width, height).Save("webpsave_buffer", "Q=70"));

    [Theory]
    [InlineData("Q=1,effort=4")]
    [InlineData("Q=20,effort=6")]
    [InlineData("Q=50,effort=0")]
    [InlineData("Q=80,effort=1,preset=photo")]
    [InlineData("Q=80,effort=3,preset=drawing")]
    [InlineData("Q=60,effort=2,preset=text")]
    [InlineData("Q=40,effort=4,preset=icon")]
    [InlineData("Q=90,effort=5,preset=picture")]
    [InlineData("Q=100,effort=4")]
    public void Every_kind_of_encoding_decodes_as_libwebp_decodes_it(string options)
    {
        Compare(WebpPictures.Busy(203, 131).Save("webpsave_buffer", options));
        Compare(WebpPictures.Busy(64, 48, bands: 4).Save("webpsave_buffer", options + ",alpha_q=100"));
        Compare(Picture.Noise(70, 50).Save("webpsave_buffer", options));
    }

    /// <summary>Nothing that libvips is asked for has it; made by cwebp -nostrong.</summary>
    [Fact]
    public void The_simple_filter_and_sharpness_decode_as_libwebp_decodes_them() => Compare(Convert.FromBase64String(
        "UklGRjQCAABXRUJQVlA4ICgCAACyDgCdASo4AC0APrVQpE6nJCMiJXgJnOYWiWUAtvwkjTW3+pk5T49AcfLU/BP+QGm3Qvki7AB4OY2t2yLVdDErlQiiozyt"
        + "GYQ8u4EXEQu4y8uqBXGoj5aU3++YDCc0Tj6IrJUp748bNujClveCxoeg8ZMLqgKVlYUpnsb1GAAA/sCeTx/SxRZ7hcMaqD8G7KOeomHFDEe6OILDsFUEV/zF"
        + "OBsxm4DdtWxegJFW8KKZtVN4DqFD7YZmn+twj6v+CH9gGH4hKvB8gtYWxC8EE9UPueC+Sn0hrEChVAhehEibsxA4VETQY8H4TZP3d7FlK3aWDDGeFpZPYP8n"
        + "d7IE8dQuvtMLt+rnRC1voNSJa+1saaMABsuBbH7TB5MEd/UTXBRNEYTcIp7RrsCxUcD0e+sLwZtR9wdeBMQRG7IZGQ8jJaWCZR8XBk/Afsy8b2DkxRX3iusL"
        + "xe2GvEmzMPk+aY8QR9LFikhHKqcMnSlipSLELzWSv028BjuBWJnj1LsqoFPvcYax437pxrY8yLsMUCp7Oc9LIzCtJShsFEtY2eb0D67GWPRVXhc0UZNBzc7Z"
        + "62MTmf4bObck3HluSGvajaFYCpZo13ThiejwBMY41EmQhuf8+B1IReF0y/EnZwe/UpiZW5m3yS4/GdglWwqoouCRdGdPR7lDJWl+zmxaj/GbLcFSdIWIJ/gS"
        + "DXc3hMj8Ay/EX5JlnIJezuBclaXEydwzaGRApHW/AAA="));

    [Fact]
    public void One_decoder_serves_large_and_small_pictures_in_turn()
    {
        using var decoder = new Vp8Decoder();
        using var planes = new Planes();
        foreach (var (width, height) in ((int, int)[])[(120, 90), (17, 200), (300, 16), (1, 1), (120, 90)])
        {
            Compare(WebpPictures.Busy(width, height).Save("webpsave_buffer", "Q=60"), decoder, planes);
        }
    }

    private static void Compare(byte[] file)
    {
        using var decoder = new Vp8Decoder();
        using var planes = new Planes();
        Compare(file, decoder, planes);
    }

    private static void Compare(byte[] file, Vp8Decoder decoder, Planes planes)
    {
        Assert.Null(WebpFile.Read(file, out var webp));
        Assert.True(decoder.Header.ReadSize(webp.Frame));
        Assert.True(decoder.Decode(webp.Frame, planes));

        var expected = Picture.Decode(file).Rgb();

        Assert.Equal((expected.Width, expected.Height), (decoder.Header.WidthPixels, decoder.Header.HeightPixels));
        Assert.Equal(expected.Samples, WebpPictures.Shown(planes, expected.Width, expected.Height));
    }
}
