using System.Security.Cryptography;
using System.Text;
using Halftone.Codec;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Compress;

public sealed class OutputVersionTests
{
    /// <summary>The version and the outputs that belong to it.</summary>
    private const string Known = "4 425cb71d2fa336e1";

    [Fact]
    public void Whoever_changes_what_comes_out_raises_the_version()
    {
        var all = new StringBuilder();
        foreach (var name in Picture.SampleNames)
        {
            // AVIF takes its time, and its encoder is libvips's alone.
            foreach (var request in new[] { new CodecRequest(), new CodecRequest { Q = 80, Format = ImageFormat.Jpeg } })
            {
                var output = Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(Picture.Sample(name), request));
                all.Append(Convert.ToHexStringLower(SHA256.HashData(output.Body.Span)));
            }
        }

        var now = $"{ImageCodec.OutputVersion} {Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(all.ToString())))[..16]}";
        Assert.True(
            now == Known,
            $"Outputs are not those of OutputVersion {ImageCodec.OutputVersion}: where that is meant, raise ImageCodec.OutputVersion, or "
                + $"requests will take over outputs of the old kind, and write \"{now}\" here with the new version.");
    }
}
