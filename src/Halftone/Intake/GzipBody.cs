using System.IO.Compression;
using Halftone.Io;

namespace Halftone.Intake;

/// <summary>Decompresses a file that its sender compressed, recognised by its first two bytes (RFC 1952, section 2.3.1).</summary>
internal static class GzipBody
{
    public static async Task<Stream> PlainAsync(Stream body, CancellationToken cancellationToken)
    {
        var head = new byte[2];
        var length = await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        var whole = new Prefixed(head.AsMemory(0, length), body);
        return head is [0x1F, 0x8B] ? new GZipStream(whole, CompressionMode.Decompress) : whole;
    }

    /// <summary>Returns the peeked bytes, then the rest.</summary>
    private sealed class Prefixed(ReadOnlyMemory<byte> head, Stream rest) : AsyncReadStream
    {
        private ReadOnlyMemory<byte> head = head;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (head.IsEmpty)
            {
                return rest.ReadAsync(buffer, cancellationToken);
            }

            var length = Math.Min(head.Length, buffer.Length);
            head[..length].CopyTo(buffer);
            head = head[length..];
            return ValueTask.FromResult(length);
        }
    }
}
