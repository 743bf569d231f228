using System.Runtime.CompilerServices;
using System.Text.Json;
using Dapper;
using Halftone.Database;
using Halftone.Status;

namespace Halftone.Results;

/// <summary>One image in full, as a line of the NDJSON result.</summary>
internal sealed record ImageLine
{
    /// <summary>The line of the CSV, from 1.</summary>
    public required long Line { get; init; }

    public required string SerialNumber { get; init; }

    public required string ProductName { get; init; }

    /// <summary>The place of the image in its row, from 1.</summary>
    public required long Number { get; init; }

    public required string InputUrl { get; init; }

    public string? OutputUrl { get; init; }

    /// <summary>COMPLETED, FAILED, or PENDING where a cancelled request never came to it.</summary>
    public required string Status { get; init; }

    public string? ErrorCode { get; init; }

    public int? HttpStatus { get; init; }

    public long? InputBytes { get; init; }

    public long? OutputBytes { get; init; }

    public bool? KeptOriginal { get; init; }

    /// <summary>Pixels as shown.</summary>
    public int? Width { get; init; }

    /// <summary>Pixels as shown.</summary>
    public int? Height { get; init; }

    /// <summary>SHA-256 of the output, hexadecimal.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Milliseconds from taking the image to its last byte, waiting for its host included.</summary>
    public long? FetchMs { get; init; }

    /// <summary>Milliseconds, waiting for a codec child included.</summary>
    public long? CompressMs { get; init; }

    public long? StoreMs { get; init; }
}

/// <summary>Reads the images of a request in the order of its CSV and writes a JSON line for each.</summary>
internal sealed class ImageLines(HalftoneDatabase database, PublicUrls urls)
{
    private const int PageRows = 1_000;
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public async Task WriteAsync(long firstImageId, long images, Stream destination, CancellationToken cancellationToken)
    {
        await foreach (var line in ReadAsync(firstImageId, images, cancellationToken))
        {
            await destination.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, ApiJson.Default.ImageLine), cancellationToken);
            await destination.WriteAsync(NewLine, cancellationToken);
        }
    }

    private async IAsyncEnumerable<ImageLine> ReadAsync(long firstImageId, long images, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var next = firstImageId; next < firstImageId + images; next += PageRows)
        {
            var end = Math.Min(firstImageId + images, next + PageRows);
            foreach (var row in await database.ReadAsync(connection => connection.QueryAsync<Row>(Sql.Page, new { First = next, End = end }), cancellationToken))
            {
                yield return new ImageLine
                {
                    Line = row.Line,
                    SerialNumber = row.SerialNumber,
                    ProductName = row.ProductName,
                    Number = row.Number,
                    InputUrl = row.InputUrl,
                    OutputUrl = row.ObjectKey is null ? null : urls.Image(row.ObjectKey),
                    Status = row.State.ToUpperInvariant(),
                    ErrorCode = row.ErrorCode,
                    HttpStatus = row.HttpStatus,
                    InputBytes = row.BytesIn,
                    OutputBytes = row.BytesOut,
                    KeptOriginal = row.KeptOriginal,
                    Width = row.Width,
                    Height = row.Height,
                    Sha256 = row.ContentHash,
                    FetchMs = row.FetchMs,
                    CompressMs = row.CompressMs,
                    StoreMs = row.StoreMs,
                };
            }
        }
    }

    private sealed record Row
    {
        public required long Line { get; init; }
        public required string SerialNumber { get; init; }
        public required string ProductName { get; init; }
        public required long Number { get; init; }
        public required string InputUrl { get; init; }
        public required string State { get; init; }
        public string? ObjectKey { get; init; }
        public string? ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
        public long? BytesIn { get; init; }
        public long? BytesOut { get; init; }
        public bool? KeptOriginal { get; init; }
        public int? Width { get; init; }
        public int? Height { get; init; }
        public string? ContentHash { get; init; }
        public long? FetchMs { get; init; }
        public long? CompressMs { get; init; }
        public long? StoreMs { get; init; }
    }

    private static class Sql
    {
        public const string Page = """
            SELECT p.line AS Line, p.serial_number AS SerialNumber, p.product_name AS ProductName, i.image_id - p.first_image_id + 1 AS Number,
                   i.input_url AS InputUrl, i.state AS State, i.object_key AS ObjectKey, i.error_code AS ErrorCode, i.http_status AS HttpStatus,
                   i.bytes_in AS BytesIn, i.bytes_out AS BytesOut, i.kept_original AS KeptOriginal, i.width AS Width, i.height AS Height,
                   i.content_hash AS ContentHash, i.fetch_ms AS FetchMs, i.compress_ms AS CompressMs, i.store_ms AS StoreMs
            FROM   image i JOIN product p ON p.product_id = i.product_id
            WHERE  i.image_id >= @First AND i.image_id < @End
            ORDER  BY i.image_id
            """;
    }
}
