using Halftone.Codec;
using Halftone.Compress;

namespace Halftone.Tests.Compress;

public sealed class CodecFramesTests
{
    [Theory]
    [InlineData(null, null, null)]
    [InlineData(1, null, ImageFormat.Avif)]
    [InlineData(null, 65_535, ImageFormat.Jpeg)]
    [InlineData(1600, 1200, null)]
    internal void What_is_wanted_of_an_image_comes_out_of_the_pipe_as_it_went_in(int? maxWidth, int? maxHeight, ImageFormat? format)
    {
        var sent = new RequestFrame(
            new CodecRequest
            {
                Q = 73,
                Format = format,
                Jpeg = JpegStyle.Classic,
                WebpEffort = 5,
                AvifEffort = 8,
                MaxPixels = 123_456_789_012,
                MaxWidth = maxWidth,
                MaxHeight = maxHeight,
                KeepsRights = maxWidth is null,
            },
            7_654_321,
            3_600);
        var header = new byte[RequestFrame.Length];

        sent.Write(header);

        Assert.Equal(sent, RequestFrame.Read(header));
    }
}
