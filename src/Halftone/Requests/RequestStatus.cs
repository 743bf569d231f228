using System.ComponentModel.DataAnnotations;
using Halftone.Model;

namespace Halftone.Requests;

/// <summary>The status of a request. Times are UTC, sizes are in bytes.</summary>
internal sealed record RequestStatus
{
    /// <summary>ID of the request in all other calls.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>Name of the uploaded file.</summary>
    /// <example>products.csv</example>
    public required string FileName { get; init; }

    /// <summary>
    /// PENDING, PROCESSING, COMPLETED (at least one image done, or a file without images), FAILED (none done) or
    /// CANCELLED.
    /// </summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")]
    public required string Status { get; init; }

    /// <summary>The options of the upload.</summary>
    public required StatusOptions Options { get; init; }

    /// <summary>Progress of the request.</summary>
    public required StatusProgress Progress { get; init; }

    /// <summary>Bytes saved.</summary>
    public required StatusBytes Bytes { get; init; }

    /// <summary>Number of completed images that reuse an output of an earlier request, because they have not changed.</summary>
    /// <example>0</example>
    public required long Reused { get; init; }

    /// <summary>Reasons why images failed, most frequent first.</summary>
    public required IReadOnlyList<StatusErrorCount> Errors { get; init; }

    /// <summary>URL of the result CSV; absent until it exists.</summary>
    /// <example>https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public string? ResultUrl { get; init; }

    /// <summary>A page of the product rows, in file order.</summary>
    public required IReadOnlyList<StatusProduct> Products { get; init; }

    /// <summary>Value of <c>cursor</c> for the next page; absent on the last page.</summary>
    /// <example>1002</example>
    public string? NextCursor { get; init; }

    /// <summary>Time of the upload, UTC.</summary>
    /// <example>2026-11-21T08:29:41.204+00:00</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time of the last change, UTC.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Time of its end, UTC; absent while it runs.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>The options of an upload, including defaults.</summary>
internal sealed record StatusOptions
{
    /// <summary>Quality of the outputs, 1 to 100.</summary>
    /// <example>50</example>
    public required int Quality { get; init; }

    /// <summary>Format of the outputs; keep: the same as the source.</summary>
    /// <example>keep</example>
    [AllowedValues("keep", "jpeg", "png", "webp", "gif", "avif")]
    public required string Format { get; init; }

    /// <summary>Maximum output width in pixels; absent if there is no limit.</summary>
    /// <example>1600</example>
    public int? MaxWidth { get; init; }

    /// <summary>Maximum output height in pixels; absent if there is no limit.</summary>
    /// <example>1600</example>
    public int? MaxHeight { get; init; }

    /// <summary>Additional outputs of each image; absent if there are none.</summary>
    /// <example>thumb:max_width=200,max_height=200,format=webp</example>
    public string? Variants { get; init; }

    public static StatusOptions Of(OutputOptions outputs) => new()
    {
        Quality = outputs.Quality,
        Format = outputs.Format ?? "keep",
        MaxWidth = outputs.MaxWidth,
        MaxHeight = outputs.MaxHeight,
        Variants = outputs.Variants,
    };
}

/// <summary>Progress of a request, in images.</summary>
internal sealed record StatusProgress
{
    /// <summary>Images in the file.</summary>
    /// <example>3</example>
    public required long Total { get; init; }

    /// <summary>Stored images.</summary>
    /// <example>2</example>
    public required long Completed { get; init; }

    /// <summary>Failed images.</summary>
    /// <example>1</example>
    public required long Failed { get; init; }

    /// <summary>Completed or failed images in percent of all, 0 to 100, rounded down; 100 for a file without images.</summary>
    /// <example>100</example>
    public required int Percent { get; init; }

    /// <summary>Estimated seconds until the end at the pace so far; absent before the first image and after the last.</summary>
    /// <example apart="true">12</example>
    public long? EtaSeconds { get; init; }

    public static StatusProgress Of(long total, long completed, long failed) => new()
    {
        Total = total,
        Completed = completed,
        Failed = failed,
        Percent = total == 0 ? 100 : (int)(100 * (completed + failed) / total),
    };
}

/// <summary>Total bytes of the completed images.</summary>
internal sealed record StatusBytes
{
    /// <summary>Bytes of the source images.</summary>
    /// <example>1519308</example>
    public required long Input { get; init; }

    /// <summary>Bytes of their outputs.</summary>
    /// <example>421007</example>
    public required long Output { get; init; }

    /// <summary>Bytes saved, in percent of the input, with one decimal.</summary>
    /// <example>72.3</example>
    public required double SavedPercent { get; init; }

    public static StatusBytes Of(long input, long output) => new()
    {
        Input = input,
        Output = output,
        SavedPercent = input == 0 ? 0 : Math.Round(100.0 * (input - output) / input, 1),
    };
}

/// <summary>The images that failed with one code.</summary>
internal sealed record StatusErrorCount
{
    /// <summary>Code of the error; /docs/errors explains each.</summary>
    /// <example>http_status</example>
    public required string Code { get; init; }

    /// <summary>Number of images that failed with it.</summary>
    /// <example>1</example>
    public required long Count { get; init; }

    /// <summary>The meaning and the fix, for people.</summary>
    /// <example>The host answered with an error instead of the image. 404: the image is gone, correct the URL. 401 or 403: the
    /// image is not public. 429 or 5xx: temporary, retry later.</example>
    public required string Message { get; init; }

    /// <summary>The hosts of these images, most frequent first; at most 20.</summary>
    public required IReadOnlyList<StatusHostCount> Hosts { get; init; }
}

/// <summary>Number of images per host.</summary>
/// <param name="Host" example="shop.example">Name of the host, without port.</param>
/// <param name="Count" example="1">Number of images.</param>
internal sealed record StatusHostCount(string Host, long Count);

/// <summary>A product row with its images.</summary>
internal sealed record StatusProduct
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

    /// <summary>Its images, in cell order.</summary>
    /// <example>
    /// [{"input_url": "https://shop.example/mug-front.jpg",
    ///   "output_url": "https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg",
    ///   "status": "COMPLETED", "input_bytes": 481377, "output_bytes": 103422, "kept_original": false, "reused": false},
    ///  {"input_url": "https://shop.example/mug-gone.jpg", "status": "FAILED",
    ///   "error": {"code": "http_status", "http_status": 404,
    ///   "message": "The host answered with an error instead of the image. 404: the image is gone, correct the URL."}}]
    /// </example>
    public required IReadOnlyList<StatusImage> Images { get; init; }
}

/// <summary>An image of a product row.</summary>
internal sealed record StatusImage
{
    /// <summary>Exactly as written in the file.</summary>
    /// <example>https://shop.example/mug-front.jpg</example>
    public required string InputUrl { get; init; }

    /// <summary>URL of the output; absent until it exists.</summary>
    /// <example>https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg</example>
    public string? OutputUrl { get; init; }

    /// <summary>PENDING, PROCESSING, COMPLETED or FAILED.</summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "PROCESSING", "COMPLETED", "FAILED")]
    public required string Status { get; init; }

    /// <summary>The reason of the failure; absent if it did not fail.</summary>
    public StatusImageError? Error { get; init; }

    /// <summary>Bytes of the source; absent until completed.</summary>
    /// <example>481377</example>
    public long? InputBytes { get; init; }

    /// <summary>Bytes of the output; absent until completed.</summary>
    /// <example>103422</example>
    public long? OutputBytes { get; init; }

    /// <summary>
    /// True if the source was stored unchanged, because compressing would not have made it smaller; absent until
    /// completed.
    /// </summary>
    /// <example>false</example>
    public bool? KeptOriginal { get; init; }

    /// <summary>True if the output of an earlier request was reused, because the image had not changed; absent until completed.</summary>
    /// <example>false</example>
    public bool? Reused { get; init; }

    /// <summary>Its variants, in the order of the upload; absent if there are none, and until completed.</summary>
    public IReadOnlyList<ImageVariant>? Variants { get; init; }
}

/// <summary>An additional output of an image.</summary>
internal sealed record ImageVariant
{
    /// <summary>The name from the upload.</summary>
    /// <example>thumb</example>
    public required string Name { get; init; }

    /// <summary>URL of the variant.</summary>
    /// <example>https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-Vn3kA9cTq0mXw5ZyR2bLdg-thumb.webp</example>
    public required string Url { get; init; }

    /// <summary>Its size in bytes, which is not part of any total: those count only main outputs.</summary>
    /// <example>6120</example>
    public required long Bytes { get; init; }

    /// <summary>Width in pixels, after EXIF rotation.</summary>
    /// <example>200</example>
    public required int Width { get; init; }

    /// <summary>Height in pixels, after EXIF rotation.</summary>
    /// <example>150</example>
    public required int Height { get; init; }

    /// <summary>The variants of an image's row; null if there are none.</summary>
    public static IReadOnlyList<ImageVariant>? Of(string? stored, PublicUrls urls) => stored is null ? null :
    [
        .. StoredVariant.Read(stored).Select(variant => new ImageVariant
        {
            Name = variant.Name,
            Url = urls.Image(variant.ObjectKey),
            Bytes = variant.Bytes,
            Width = variant.Width,
            Height = variant.Height,
        }),
    ];
}

/// <summary>The reason why an image failed.</summary>
internal sealed record StatusImageError
{
    /// <summary>Code of the error; /docs/errors explains each.</summary>
    /// <example>http_status</example>
    public required string Code { get; init; }

    /// <summary>The meaning and the fix, in one or two sentences.</summary>
    /// <example>The host answered with an error instead of the image. 404: the image is gone, correct the URL. 401 or 403: the
    /// image is not public. 429 or 5xx: temporary, retry later.</example>
    public required string Message { get; init; }

    /// <summary>Status that the host answered with, if the code is http_status.</summary>
    /// <example>404</example>
    public int? HttpStatus { get; init; }
}
