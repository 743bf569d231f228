using System.Globalization;
using System.Text;
using Halftone.Intake;
using Halftone.Results;

namespace Halftone.Tests.Intake;

/// <summary>Counts what stays in memory, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;

[Collection(nameof(AloneInTheProcess))]
public sealed class CsvMemoryTests
{
    private const long MostHeldBytes = 4 * 1024 * 1024;

    [Fact]
    public async Task Memory_stays_flat_over_a_million_rows()
    {
        const int Rows = 1_000_000;
        var file = new RowsStream(Rows);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var reader = await ProductCsvReader.OpenAsync(file, new IntakeOptions(), TestContext.Current.CancellationToken);
        var seen = 0;
        await foreach (var row in reader.ReadRowsAsync(TestContext.Current.CancellationToken))
        {
            if (++seen % 250_000 == 0)
            {
                Assert.Equal(seen + 1, row.Line);
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MostHeldBytes);
            }
        }

        Assert.Equal(Rows, seen);
        var written = 0;
        await ResultCsv.WriteAsync(
            file, reader.Dialect!, Stream.Null, Outcomes(), [], escapeFormulas: false, TestContext.Current.CancellationToken);
        Assert.Equal(Rows, written);

        async IAsyncEnumerable<ImageOutcome> Outcomes()
        {
            for (written = 0; written < Rows; written++)
            {
                if (written % 250_000 == 249_999)
                {
                    Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MostHeldBytes);
                }

                yield return new ImageOutcome(written + 2, "https://out.example/1.jpg", null);
            }

            await Task.CompletedTask;
        }
    }

    /// <summary>A seekable file of a header and rows of one length, made while it is read.</summary>
    private sealed class RowsStream(int rows) : Stream
    {
        private static readonly byte[] Header = Encoding.ASCII.GetBytes(CsvFile.Header);
        private static readonly int RowBytes = Row(0).Length;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => Header.Length + ((long)rows * RowBytes);

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            var filled = 0;
            while (filled < buffer.Length && Position < Length)
            {
                var (piece, offset) = Position < Header.Length
                    ? (Header, Position)
                    : (Row((Position - Header.Length) / RowBytes), (Position - Header.Length) % RowBytes);
                var part = piece.AsSpan((int)offset);
                part = part[..Math.Min(part.Length, buffer.Length - filled)];
                part.CopyTo(buffer[filled..]);
                filled += part.Length;
                Position += part.Length;
            }

            return filled;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken =
            default) => ValueTask.FromResult(Read(buffer.Span));

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        private static byte[] Row(long index) =>
            Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $"{index:00000000},Chair {index:00000000},https://images.example/products/{index:00000000}.jpg\n"));
    }
}
