namespace Halftone.Io;

/// <summary>Reads from another stream and reports the number of bytes read.</summary>
internal sealed class WatchedStream(Stream source, Action<long> read) : AsyncReadStream
{
    private long position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = await source.ReadAsync(buffer, cancellationToken);
        read(position += length);
        return length;
    }
}
