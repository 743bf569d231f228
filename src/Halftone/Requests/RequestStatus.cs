using System.ComponentModel.DataAnnotations;
using Halftone.Model;

namespace Halftone.Requests;

/// <summary>The status answer. Times are UTC, sizes bytes.</summary>
internal sealed record RequestStatus
{
    /// <summary>Names the request in every other call.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>The uploaded file's name.</summary>
    /// <example>products.csv</example>
    public required string FileName { get; init; }

    /// <summary>PENDING, PROCESSING, COMPLETED (at least one image done, or none asked for), FAILED (none done) or CANCELLED.</summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")]
    public required string Status { get; init; }

    /// <summary>What was asked for.</summary>
    public required StatusOptions Options { get; init; }

    /// <summary>How far it is.</summary>
    public required StatusProgress Progress { get; init; }

    /// <summary>How many bytes it saved.</summary>
    public required StatusBytes Bytes { get; init; }

    /// <summary>How many of the completed images have the output of an earlier request, because they had not changed since.</summary>
    /// <example>0</example>
    public required long Reused { get; init; }

    /// <summary>Why images failed, the most frequent first.</summary>
    public required IReadOnlyList<StatusErrorCount> Errors { get; init; }

    /// <summary>Where the result CSV is; absent until there is one.</summary>
    /// <example>https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public string? ResultUrl { get; init; }

    /// <summary>A page of the product rows, in the order of the file.</summary>
    public required IReadOnlyList<StatusProduct> Products { get; init; }

    /// <summary>Ask again with <c>cursor</c> set to this for the next page; absent on the last.</summary>
    /// <example>1002</example>
    public string? NextCursor { get; init; }

    /// <summary>When it was uploaded, UTC.</summary>
    /// <example>2026-11-21T08:29:41.204+00:00</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it changed last, UTC.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it ended, UTC; absent while it runs.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>What an upload asked for, what it did not say filled in.</summary>
internal sealed record StatusOptions
{
    /// <summary>Quality of the outputs, 1 to 100.</summary>
    /// <example>50</example>
    public required int Quality { get; init; }

    /// <summary>Format of the outputs; keep: each source's own.</summary>
    /// <example>keep</example>
    [AllowedValues("keep", "jpeg", "png", "webp", "gif", "avif")]
    public required string Format { get; init; }

    /// <summary>The most pixels that outputs are wide; absent where there is no bound.</summary>
    /// <example>1600</example>
    public int? MaxWidth { get; init; }

    /// <summary>The most pixels that they are high; absent where there is no bound.</summary>
    /// <example>1600</example>
    public int? MaxHeight { get; init; }

    /// <summary>More outputs of each image; absent where there are none.</summary>
    /// <example>thumb:max_width=200,max_height=200,format=webp</example>
    public string? Variants { get; init; }
}

/// <summary>How far a request is, in images.</summary>
internal sealed record StatusProgress
{
    /// <summary>Images in the file.</summary>
    /// <example>3</example>
    public required long Total { get; init; }

    /// <summary>Images that are stored.</summary>
    /// <example>2</example>
    public required long Completed { get; init; }

    /// <summary>Images that are given up.</summary>
    /// <example>1</example>
    public required long Failed { get; init; }

    /// <summary>Of images that are completed or failed, 0 to 100, rounded down; 100 for a file without images.</summary>
    /// <example>100</example>
    public required int Percent { get; init; }

    /// <summary>Seconds to the end at the pace so far; absent before the first image and after the last.</summary>
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

/// <summary>Sums over the completed images, in bytes.</summary>
internal sealed record StatusBytes
{
    /// <summary>Sum of the source images that were completed.</summary>
    /// <example>1519308</example>
    public required long Input { get; init; }

    /// <summary>Sum of their outputs.</summary>
    /// <example>421007</example>
    public required long Output { get; init; }

    /// <summary>How much smaller the outputs are, in percent of the input, one decimal.</summary>
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
    /// <summary>What went wrong, in a word of a closed list: /docs/errors explains each.</summary>
    /// <example>http_status</example>
    public required string Code { get; init; }

    /// <summary>Images that failed with it.</summary>
    /// <example>1</example>
    public required long Count { get; init; }

    /// <summary>What it means and what to do, in a sentence.</summary>
    /// <example>The host answered with an error instead of the image. 404 means that the image is gone: correct the URL. 401 and 403 mean that it is not public. 429 and 5xx pass: retry later.</example>
    public required string Message { get; init; }

    /// <summary>The hosts it happened at, the most frequent first; 20 at most.</summary>
    public required IReadOnlyList<StatusHostCount> Hosts { get; init; }
}

/// <summary>How often a host was named.</summary>
/// <param name="Host" example="shop.example">Its name, without port.</param>
/// <param name="Count" example="1">Images.</param>
internal sealed record StatusHostCount(string Host, long Count);

/// <summary>A product row with its images.</summary>
internal sealed record StatusProduct
{
    /// <summary>The line of the CSV, from 1.</summary>
    /// <example>2</example>
    public required long Line { get; init; }

    /// <summary>As written in the file.</summary>
    /// <example>007</example>
    public required string SerialNumber { get; init; }

    /// <summary>As written in the file.</summary>
    /// <example>Stoneware Mug</example>
    public required string ProductName { get; init; }

    /// <summary>Its images, in the order of the cell.</summary>
    /// <example>
    /// [{"input_url": "https://shop.example/mug-front.jpg", "output_url": "https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg",
    ///   "status": "COMPLETED", "input_bytes": 481377, "output_bytes": 103422, "kept_original": false, "reused": false},
    ///  {"input_url": "https://shop.example/mug-gone.jpg", "status": "FAILED",
    ///   "error": {"code": "http_status", "http_status": 404, "message": "The host answered with an error instead of the image. 404 means that the image is gone: correct the URL."}}]
    /// </example>
    public required IReadOnlyList<StatusImage> Images { get; init; }
}

/// <summary>An image of a product row.</summary>
internal sealed record StatusImage
{
    /// <summary>As written in the file.</summary>
    /// <example>https://shop.example/mug-front.jpg</example>
    public required string InputUrl { get; init; }

    /// <summary>Where the output is; absent until there is one.</summary>
    /// <example>https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg</example>
    public string? OutputUrl { get; init; }

    /// <summary>PENDING, PROCESSING, COMPLETED or FAILED.</summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "PROCESSING", "COMPLETED", "FAILED")]
    public required string Status { get; init; }

    /// <summary>Why it failed; absent where it did not.</summary>
    public StatusImageError? Error { get; init; }

    /// <summary>Bytes of the source; absent until it is completed.</summary>
    /// <example>481377</example>
    public long? InputBytes { get; init; }

    /// <summary>Bytes of the output; absent until it is completed.</summary>
    /// <example>103422</example>
    public long? OutputBytes { get; init; }

    /// <summary>True where the source was stored as it is because compressing would not have made it smaller; absent until it is completed.</summary>
    /// <example>false</example>
    public bool? KeptOriginal { get; init; }

    /// <summary>True where the output of an earlier request was taken over, because the image had not changed since; absent until it is completed.</summary>
    /// <example>false</example>
    public bool? Reused { get; init; }

    /// <summary>Its other outputs, in the order that the upload asked for them; absent where there are none, and until it is completed.</summary>
    public IReadOnlyList<ImageVariant>? Variants { get; init; }
}

/// <summary>Another output of an image.</summary>
internal sealed record ImageVariant
{
    /// <summary>As the upload named it.</summary>
    /// <example>thumb</example>
    public required string Name { get; init; }

    /// <summary>Where it is.</summary>
    /// <example>https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-Vn3kA9cTq0mXw5ZyR2bLdg-thumb.webp</example>
    public required string Url { get; init; }

    /// <summary>Its bytes, which no sum counts: those are of the images' main outputs.</summary>
    /// <example>6120</example>
    public required long Bytes { get; init; }

    /// <summary>Its width in pixels, as shown.</summary>
    /// <example>200</example>
    public required int Width { get; init; }

    /// <summary>Its height in pixels, as shown.</summary>
    /// <example>150</example>
    public required int Height { get; init; }

    /// <summary>Of an image's row; null for none.</summary>
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

/// <summary>Why an image failed.</summary>
internal sealed record StatusImageError
{
    /// <summary>In a word of a closed list: /docs/errors explains each.</summary>
    /// <example>http_status</example>
    public required string Code { get; init; }

    /// <summary>What it means and what to do, in a sentence or two.</summary>
    /// <example>The host answered with an error instead of the image. 404 means that the image is gone: correct the URL.</example>
    public required string Message { get; init; }

    /// <summary>What the host answered, where the code is http_status.</summary>
    /// <example>404</example>
    public int? HttpStatus { get; init; }
}
