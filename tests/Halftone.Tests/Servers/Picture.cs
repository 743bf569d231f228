using Halftone.Codec;

namespace Halftone.Tests.Servers;

/// <summary>Real picture files for tests that are not about pictures.</summary>
internal static class Picture
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "samples", "images");

    /// <summary>The bundled samples, in alphabetical order.</summary>
    public static IReadOnlyList<string> SampleNames { get; } =
    [
        .. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal),
    ];

    /// <summary>A JPEG of some 100 KB.</summary>
    public static byte[] Jpeg { get; } = Sample(SampleNames.First(name => name.EndsWith(".jpg", StringComparison.Ordinal)));

    /// <summary>Pixels across and down, as a decoder that reads the whole file finds them.</summary>
    public static (int Width, int Height) SizeOf(byte[] file)
    {
        var image = Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(file, new CodecRequest { Format = ImageFormat.Jpeg }));
        return (image.WidthPixels, image.HeightPixels);
    }

    public static byte[] Sample(string name) => File.ReadAllBytes(Path.Combine(Folder, name));
}
