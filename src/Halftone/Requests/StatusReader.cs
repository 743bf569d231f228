using System.Data.Common;
using System.Globalization;
using Dapper;
using Halftone.Database;
using Halftone.Model;

namespace Halftone.Requests;

/// <summary>Reads a request as its owner sees it: counters, error counts, and a page of products with their images.</summary>
internal sealed class StatusReader(HalftoneDatabase database, PublicUrls urls, TimeProvider time)
{
    private const int HostsListed = 20;

    /// <summary>
    /// Maximum outputs per page, including variants: a row may have hundreds of images, and a page of a thousand such
    /// rows would have hundreds of MB.
    /// </summary>
    private const int MostOutputs = 10_000;

    /// <param name="owner">ID of the caller's API key; '' if the server requires none.</param>
    /// <param name="requestId">ID of the request.</param>
    /// <param name="limit">Products per page, 1 to 1,000; fewer if they have very many images.</param>
    /// <param name="cursor">The product_id after which the page starts; 0 for the first page.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null for an unknown ID, and for a request of another owner.</returns>
    public Task<RequestStatus?> ReadAsync(string owner, Guid requestId, int limit, long cursor, CancellationToken cancellationToken) =>
        // One snapshot for all statements; otherwise a delete between two of them would return products without their images.
        database.ReadSnapshotAsync(connection => ReadAsync(connection, owner, requestId, limit, cursor), cancellationToken);

    private async Task<RequestStatus?> ReadAsync(DbConnection connection, string owner, Guid requestId, int limit, long cursor)
    {
        var found = await connection.QueryAsync<RequestRow, OutputOptions, RequestRow>(
            Sql.Request,
            static (row, outputs) => row with { Outputs = outputs },
            new { RequestId = requestId, Owner = owner },
            splitOn: OutputOptions.SplitOn);
        if (found.SingleOrDefault() is not { } request)
        {
            return null;
        }

        var end = request.FirstProductId + request.Products;
        var rows = await connection.QueryAsync<Row>(
            Sql.Products, new { request.FirstProductId, EndProductId = end, Cursor = cursor, Limit = limit });
        var products = Page(rows, 1 + VariantSpec.Parse(request.Outputs.Variants).Count);
        var images = products.Count == 0 ? [] : (await connection.QueryAsync<ImageRow>(
            Sql.Images, new { First = products[0].FirstImageId, End = products[^1].FirstImageId + products[^1].Images })).AsList();
        var last = products.Count == 0 ? 0 : products[^1].ProductId;
        return new RequestStatus
        {
            RequestId = requestId,
            FileName = request.FileName,
            Status = request.State.ToWire(),
            Options = StatusOptions.Of(request.Outputs),
            Progress = ProgressOf(request),
            Bytes = StatusBytes.Of(request.BytesIn, request.BytesOut),
            Reused = request.Reused,
            Errors = request.Failed == 0 ? [] : ErrorsOf(await connection.QueryAsync<ErrorRow>(Sql.Errors, new { RequestId = requestId })),
            ResultUrl = request.ResultKey is null ? null : urls.Result(requestId),
            Products = ProductsOf(products, images, request.PlannedTo),
            NextCursor = products.Count > 0 && last < end - 1 ? last.ToString(CultureInfo.InvariantCulture) : null,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(request.CreatedAt),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(request.UpdatedAt),
            FinishedAt = request.FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null,
        };
    }

    /// <summary>The longest page of products that have at most <see cref="MostOutputs"/> in total; at least one.</summary>
    private static List<Row> Page(IEnumerable<Row> products, int outputsPerImage)
    {
        var page = new List<Row>();
        var outputs = 0L;
        foreach (var product in products)
        {
            outputs += product.Images * outputsPerImage;
            if (page.Count > 0 && outputs > MostOutputs)
            {
                break;
            }

            page.Add(product);
        }

        return page;
    }

    private StatusProgress ProgressOf(RequestRow request)
    {
        var done = request.Completed + request.Failed;
        var elapsed = time.GetUtcNow().ToUnixTimeMilliseconds() - request.CreatedAt;
        return StatusProgress.Of(request.Images, request.Completed, request.Failed) with
        {
            EtaSeconds = request.FinishedAt is null && done > 0
                ? (long)Math.Ceiling((double)elapsed * (request.Images - done) / done / 1000)
                : null,
        };
    }

    private static List<StatusErrorCount> ErrorsOf(IEnumerable<ErrorRow> rows) =>
    [
        .. rows.GroupBy(row => row.ErrorCode)
            .Select(group => new StatusErrorCount
            {
                Code = group.Key,
                Count = group.Sum(row => row.Images),
                Message = ErrorText.Of(group.Key),
                Hosts =
                    [
                        .. group.OrderByDescending(row => row.Images).Take(HostsListed).Select(row =>
                            new StatusHostCount(row.Host, row.Images))],
            })
            .OrderByDescending(error => error.Count),
    ];

    private List<StatusProduct> ProductsOf(List<Row> products, List<ImageRow> images, long plannedTo)
    {
        var list = new List<StatusProduct>(products.Count);
        var next = 0;
        foreach (var product in products)
        {
            list.Add(new StatusProduct
            {
                Line = product.Line,
                SerialNumber = product.SerialNumber,
                ProductName = product.ProductName,
                Images = [.. images.GetRange(next, (int)product.Images).Select(image => ImageOf(image, plannedTo))],
            });
            next += (int)product.Images;
        }

        return list;
    }

    private StatusImage ImageOf(ImageRow image, long plannedTo) => new()
    {
        InputUrl = image.InputUrl,
        OutputUrl = image.ObjectKey is null ? null : urls.Image(image.ObjectKey),
        // Stored as pending until its outcome is known; images in progress are shown as processing.
        Status = image.State == ImageState.Pending && (image.SameAs ?? image.ImageId) <= plannedTo
            ? StateWords.Processing
            : image.State.ToWire(),
        Error = image.State != ImageState.Failed ? null : new StatusImageError
        {
            Code = image.ErrorCode!,
            Message = ErrorText.Of(image.ErrorCode!),
            HttpStatus = image.HttpStatus,
        },
        InputBytes = image.BytesIn,
        OutputBytes = image.BytesOut,
        KeptOriginal = image.KeptOriginal,
        Reused = image.Reused,
        Variants = ImageVariant.Of(image.Variants, urls),
    };

    private sealed record RequestRow
    {
        public required string FileName { get; init; }
        public required RequestState State { get; init; }
        public required long PlannedTo { get; init; }
        public required long FirstProductId { get; init; }
        public required long Products { get; init; }
        public required long Images { get; init; }
        public required long Completed { get; init; }
        public required long Failed { get; init; }
        public required long BytesIn { get; init; }
        public required long BytesOut { get; init; }
        public required long Reused { get; init; }
        public required OutputOptions Outputs { get; init; }
        public string? ResultKey { get; init; }
        public required long CreatedAt { get; init; }
        public required long UpdatedAt { get; init; }
        public long? FinishedAt { get; init; }
    }

    private sealed record Row
    {
        public required long ProductId { get; init; }
        public required long Line { get; init; }
        public required string SerialNumber { get; init; }
        public required string ProductName { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
    }

    private sealed record ImageRow
    {
        public required long ImageId { get; init; }
        public required string InputUrl { get; init; }
        public long? SameAs { get; init; }
        public required ImageState State { get; init; }
        public string? ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
        public string? ObjectKey { get; init; }
        public long? BytesIn { get; init; }
        public long? BytesOut { get; init; }
        public bool? KeptOriginal { get; init; }
        public bool? Reused { get; init; }
        public string? Variants { get; init; }
    }

    private sealed record ErrorRow
    {
        public required string ErrorCode { get; init; }
        public required string Host { get; init; }
        public required long Images { get; init; }
    }

    private static class Sql
    {
        public const string Request = $"""
            SELECT r.file_name, r.state, r.planned_to, r.first_product_id, r.products, r.images, r.completed, r.failed,
                   r.bytes_in, r.bytes_out, r.reused, r.result_key, r.created_at, r.updated_at, r.finished_at,
                   {OutputOptions.Selected}
            FROM   request r
            WHERE  r.request_id = @RequestId AND r.owner = @Owner AND r.state NOT IN ('receiving', 'deleting')
            """;

        public const string Products = """
            SELECT product_id, line, serial_number, product_name, first_image_id, images
            FROM   product
            WHERE  product_id > @Cursor AND product_id >= @FirstProductId AND product_id < @EndProductId
            ORDER  BY product_id
            LIMIT  @Limit
            """;

        public const string Images = """
            SELECT image_id, input_url, same_as, state, error_code, http_status,
                   object_key, bytes_in, bytes_out, kept_original, reused,
                   COALESCE(image.variants, (SELECT o.variants FROM image o WHERE o.image_id = image.same_as)) AS variants
            FROM   image
            WHERE  image_id >= @First AND image_id < @End
            ORDER  BY image_id
            """;

        public const string Errors = "SELECT error_code, host, images FROM error_count WHERE request_id = @RequestId";
    }
}
