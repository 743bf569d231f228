using System.Text;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Hostile.Fuzz;

/// <summary>
/// Image files through the pool of codec children: each is refused, or its output is a whole image of the size that was said, which for every third
/// must fit into a box. A child that ends is one crash of a decoder, which the pool must contain, and is counted.
/// </summary>
internal sealed class ImageTarget : FuzzTarget
{
    private const long MaxPixels = 2_000_000;
    private readonly CodecPool pool;

    private ImageTarget(CodecPool pool) => this.pool = pool;

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. ImageFiles.Small()];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[] { "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "iCCP", "zTXt", "acTL", "eXIf", "GIF89a", "VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP", "RIFF", "WEBP", "ftypavif", "meta", "ispe", "iloc", "Exif\0\0", "II*\0", "MM\0*" }.Select(Encoding.Latin1.GetBytes),
        [0xFF, 0xD8], [0xFF, 0xD9], [0xFF, 0xC0], [0xFF, 0xC2], [0xFF, 0xC4], [0xFF, 0xDA], [0xFF, 0xDB], [0xFF, 0xDD], [0xFF, 0xE1], [0xFF, 0xEE], [0xFF, 0xD0], [0x2C], [0x21, 0xF9, 4], [0x3B],
    ];

    public static async Task<ImageTarget> StartAsync()
    {
        var pool = new CodecPool(Options.Create(new CompressOptions { Children = 1, MaxPixels = MaxPixels, CpuSeconds = 10 }), Options.Create(new ServerOptions()), TimeProvider.System, NullLogger<CodecPool>.Instance);
        await pool.StartAsync(CancellationToken.None);
        return new ImageTarget(pool);
    }

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var request = input.Length % 3 == 0 ? new CodecRequest { MaxWidth = 1 + input.Length % 40, MaxHeight = 1 + input.Length % 50 } : new CodecRequest();
        switch (await pool.CompressAsync(input, request, cancellationToken))
        {
            case CodecResult.Refused { Error: CodecError.CodecCrashed } crashed:
                throw new FuzzException($"A decoder crashed twice; the service does not notice, but it is worth a look: {crashed.Detail}");
            case CodecResult.Refused refused:
                return refused.Error.ToString();
            case CodecResult.Compressed large when large.WidthPixels > (request.MaxWidth ?? int.MaxValue) || large.HeightPixels > (request.MaxHeight ?? int.MaxValue):
                throw new FuzzException($"{large.WidthPixels} x {large.HeightPixels} pixels, more than {request.MaxWidth} x {request.MaxHeight}");
            case CodecResult.Compressed output:
                var again = await pool.CompressAsync(output.Body, new CodecRequest { MaxPixels = long.MaxValue }, cancellationToken);
                return again is CodecResult.Compressed second && (second.WidthPixels, second.HeightPixels) == (output.WidthPixels, output.HeightPixels)
                    ? output.KeptOriginal ? "kept" : "compressed"
                    : throw new FuzzException($"The output is not whole: {output.WidthPixels} x {output.HeightPixels}, read again {again}");
            default:
                throw new FuzzException("No result.");
        }
    }

    public override ValueTask DisposeAsync()
    {
        pool.Dispose();
        return ValueTask.CompletedTask;
    }
}
