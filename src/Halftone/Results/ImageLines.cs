using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Results;

/// <summary>An image with all its details, as a line of the NDJSON result.</summary>
internal sealed record ImageLine
{
    /// <summary>Line of the CSV, from 1.</summary>
    /// <example>2</example>
    public required long Line { get; init; }

    /// <summary>Exactly as written in the file.</summary>
    /// <example>007</example>
    public required string SerialNumber { get; init; }

    /// <summary>Exactly as written in the file.</summary>
    /// <example>Stoneware Mug</example>
    public required string ProductName { get; init; }

    /// <summary>Position of the image in its row, from 1.</summary>
    /// <example>1</example>
    public required long Number { get; init; }

    /// <summary>Exactly as written in the file.</summary>
    /// <example>https://shop.example/mug-front.jpg</example>
    public required string InputUrl { get; init; }

    /// <summary>URL of the output; absent if there is none.</summary>
    /// <example>https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg</example>
    public string? OutputUrl { get; init; }

    /// <summary>COMPLETED, FAILED, or PENDING if a cancelled request did not get to it.</summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "COMPLETED", "FAILED")]
    public required string Status { get; init; }

    /// <summary>Code of the error; absent if it did not fail.</summary>
    /// <example apart="true">http_status</example>
    public string? ErrorCode { get; init; }

    /// <summary>Status that the host answered with, if the code is http_status.</summary>
    /// <example apart="true">404</example>
    public int? HttpStatus { get; init; }

    /// <summary>Bytes of the source; absent if not completed.</summary>
    /// <example>481377</example>
    public long? InputBytes { get; init; }

    /// <summary>Bytes of the output; absent if not completed.</summary>
    /// <example>103422</example>
    public long? OutputBytes { get; init; }

    /// <summary>True if the source was stored unchanged, because compressing would not have made it smaller.</summary>
    /// <example>false</example>
    public bool? KeptOriginal { get; init; }

    /// <summary>True if the output of an earlier request was reused, because the image had not changed.</summary>
    /// <example>false</example>
    public bool? Reused { get; init; }

    /// <summary>Width of the output in pixels, after EXIF rotation.</summary>
    /// <example>1600</example>
    public int? Width { get; init; }

    /// <summary>Height of the output in pixels, after EXIF rotation.</summary>
    /// <example>1200</example>
    public int? Height { get; init; }

    /// <summary>SHA-256 of the output, hexadecimal.</summary>
    /// <example>9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08</example>
    public string? Sha256 { get; init; }

    /// <summary>Its variants, in the order of the upload; absent if there are none, or if not completed.</summary>
    public IReadOnlyList<ImageVariant>? Variants { get; init; }

    /// <summary>Milliseconds from the start of the image to its last byte, including the wait for its host.</summary>
    /// <example>84</example>
    public long? FetchMs { get; init; }

    /// <summary>Milliseconds for the output and its variants, including the wait for a codec process.</summary>
    /// <example>31</example>
    public long? CompressMs { get; init; }

    /// <summary>Milliseconds to store the output and its variants.</summary>
    /// <example>4</example>
    public long? StoreMs { get; init; }
}

/// <summary>Reads the images of a request in CSV order: one page, or all of them as lines of JSON.</summary>
internal sealed class ImageLines(HalftoneDatabase database, PublicUrls urls)
{
    private const int PageRows = 1_000;
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public async Task WriteAsync(long firstImageId, long images, Stream destination, CancellationToken cancellationToken)
    {
        await foreach (var line in ReadAsync(firstImageId, images, cancellationToken))
        {
            await destination.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, ResultJson.Default.ImageLine), cancellationToken);
            await destination.WriteAsync(NewLine, cancellationToken);
        }
    }

    private async IAsyncEnumerable<ImageLine> ReadAsync(
        long firstImageId,
        long images,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var next = firstImageId; next < firstImageId + images; next += PageRows)
        {
            var end = Math.Min(firstImageId + images, next + PageRows);
            foreach (var row in await database.ReadAsync(
                connection => connection.QueryAsync<Row>(Sql.Page, new { First = next, End = end }),
                cancellationToken))
            {
                yield return LineOf(row);
            }
        }
    }

    /// <summary>A page of a request's images, in CSV order.</summary>
    /// <param name="owner">ID of the caller's API key; '' if the server requires none.</param>
    /// <param name="requestId">ID of the request.</param>
    /// <param name="state">Only images in this state; null: all.</param>
    /// <param name="skip">Number of them before the page.</param>
    /// <param name="limit">Images per page, 1 or more.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null for an unknown ID, and for a request of another owner.</returns>
    public async Task<IReadOnlyList<ImageLine>?> PageAsync(
        string owner,
        Guid requestId,
        ImageState? state,
        long skip,
        int limit,
        CancellationToken cancellationToken)
    {
        // One snapshot for both statements; otherwise a delete between them would return a request without images.
        var rows = await database.ReadSnapshotAsync(
            async connection =>
            {
                if (await connection.QuerySingleOrDefaultAsync<Range>(
                    Sql.Range,
                    new { RequestId = requestId, Owner = owner }) is not { } range)
                {
                    return null;
                }

                var end = range.FirstImageId + range.Images;
                if (state is not null)
                {
                    var sql = state == ImageState.Failed ? Sql.PageOfFailed : Sql.PageOfState;
                    var parameters = new
                    {
                        First = range.FirstImageId,
                        End = end,
                        State = state.Value.ToStored(),
                        Skip = skip,
                        Limit = limit,
                    };
                    return (await connection.QueryAsync<Row>(sql, parameters)).AsList();
                }

                // IDs are assigned in file order without gaps, so the page is found without counting.
                var first = range.FirstImageId + Math.Min(skip, range.Images);
                return (await connection.QueryAsync<Row>(Sql.Page, new { First = first, End = Math.Min(end, first + limit) })).AsList();
            },
            cancellationToken);
        return rows?.ConvertAll(LineOf);
    }

    private ImageLine LineOf(Row row) => new()
    {
        Line = row.Line,
        SerialNumber = row.SerialNumber,
        ProductName = row.ProductName,
        Number = row.Number,
        InputUrl = row.InputUrl,
        OutputUrl = row.ObjectKey is null ? null : urls.Image(row.ObjectKey),
        Status = row.State.ToWire(),
        ErrorCode = row.ErrorCode,
        HttpStatus = row.HttpStatus,
        InputBytes = row.BytesIn,
        OutputBytes = row.BytesOut,
        KeptOriginal = row.KeptOriginal,
        Reused = row.Reused,
        Width = row.Width,
        Height = row.Height,
        Sha256 = row.ContentHash,
        Variants = ImageVariant.Of(row.Variants, urls),
        FetchMs = row.FetchMs,
        CompressMs = row.CompressMs,
        StoreMs = row.StoreMs,
    };

    private sealed record Range
    {
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
    }

    private sealed record Row
    {
        public required long Line { get; init; }
        public required string SerialNumber { get; init; }
        public required string ProductName { get; init; }
        public required long Number { get; init; }
        public required string InputUrl { get; init; }
        public required ImageState State { get; init; }
        public string? ObjectKey { get; init; }
        public string? ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
        public long? BytesIn { get; init; }
        public long? BytesOut { get; init; }
        public bool? KeptOriginal { get; init; }
        public bool? Reused { get; init; }
        public int? Width { get; init; }
        public int? Height { get; init; }
        public string? ContentHash { get; init; }
        public string? Variants { get; init; }
        public long? FetchMs { get; init; }
        public long? CompressMs { get; init; }
        public long? StoreMs { get; init; }
    }

    private static class Sql
    {
        private const string Columns = """
            p.line, p.serial_number, p.product_name, i.image_id - p.first_image_id + 1 AS number,
                   i.input_url, i.state, i.object_key, i.error_code, i.http_status,
                   i.bytes_in, i.bytes_out, i.kept_original, i.reused, i.width, i.height,
                   i.content_hash, COALESCE(i.variants, (SELECT o.variants FROM image o WHERE o.image_id = i.same_as)) AS variants,
                   i.fetch_ms, i.compress_ms, i.store_ms
            """;

        public const string Page = $"""
            SELECT {Columns}
            FROM   image i JOIN product p ON p.product_id = i.product_id
            WHERE  i.image_id >= @First AND i.image_id < @End
            ORDER  BY i.image_id
            """;

        private const string UpToState = $"""
            SELECT {Columns}
            FROM   (SELECT * FROM image
                    WHERE  image_id >= @First AND image_id < @End AND state
            """;

        private const string AfterState = """
                    ORDER  BY image_id
                    LIMIT  @Limit OFFSET @Skip) i
            JOIN   product p ON p.product_id = i.product_id
            ORDER  BY i.image_id
            """;

        /// <summary>Uses the partial index image_failed, for which the state must be a literal.</summary>
        public const string PageOfFailed = $"{UpToState} = 'failed'\n{AfterState}";

        /// <summary>
        /// Scans the request's images: there is no index on the other states, because every recorded outcome would have
        /// to update it.
        /// </summary>
        public const string PageOfState = $"{UpToState} = @State\n{AfterState}";

        public const string Range = """
            SELECT first_image_id, images
            FROM   request
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            """;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageLine))]
internal sealed partial class ResultJson : JsonSerializerContext;
