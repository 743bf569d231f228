using System.Buffers;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests.Images;

/// <summary>A file's header as libvips reads it, all frames.</summary>
internal sealed class OpenedFile : IDisposable
{
    private readonly MemoryHandle pinned;

    public OpenedFile(ReadOnlyMemory<byte> file)
    {
        ImageCodec.Initialize();
        var format = SourceSniffer.Sniff(file.Span).Format ?? throw new InvalidOperationException("no image");
        pinned = file.Pin();
        Image = VipsTranscoder.Open(pinned, file.Length, format, format);
    }

    public Image Image { get; }

    public void Dispose()
    {
        Image.Dispose();
        pinned.Dispose();
    }
}
