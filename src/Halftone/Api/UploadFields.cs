using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Halftone.Codec;

namespace Halftone.Api;

/// <summary>Options of an upload: parts of a form, members of a JSON object, or query parameters beside any body.</summary>
internal abstract record UploadFields
{
    /// <summary>URL to call when the request has ended: an absolute http or https URL of at most 2,048 characters. Default: none.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public string? WebhookUrl { get; init; }

    /// <summary>Quality of the outputs on the encoders' scale from 1 to 100. Default: the server's setting, 50.</summary>
    /// <example>50</example>
    [Range(1, 100), DefaultValue(50)]
    public int? Quality { get; init; }

    /// <summary>
    /// Format of the outputs. `keep` keeps the format of each source, except that TIFF becomes JPEG. Case does not
    /// matter; `jpg` means `jpeg`.
    /// </summary>
    /// <example>keep</example>
    [AllowedValues("keep", "jpeg", "png", "webp", "gif", "avif"), DefaultValue("keep")]
    public string? Format { get; init; }

    /// <summary>
    /// Maximum output width in pixels, after EXIF rotation. Wider images are scaled down in proportion; none are
    /// enlarged. Default: no limit.
    /// </summary>
    /// <example>1600</example>
    [Range(1, CodecRequest.MaxSidePixels)]
    public int? MaxWidth { get; init; }

    /// <summary>Maximum output height in pixels. If both limits are given, the image fits inside both.</summary>
    /// <example>1600</example>
    [Range(1, CodecRequest.MaxSidePixels)]
    public int? MaxHeight { get; init; }

    /// <summary>
    /// Additional outputs of each image from the same download: `name:option=value,option=value`, separated by
    /// semicolons. Options are `max_width`, `max_height`, `format` and `quality`. Format and quality default to the
    /// upload's, the limits to none. A name has 1 to 32 of `a-z`, `0-9`, `-` and `_`, and starts with a letter or
    /// digit. At most 8 variants (`Intake:MaxVariants`). Default: none.
    /// </summary>
    /// <example>thumb:max_width=200,max_height=200,format=webp;zoom:max_width=1600,quality=70</example>
    public string? Variants { get; init; }

    /// <summary>Protects cells of the result CSV that a spreadsheet program would run as a formula.</summary>
    /// <example>false</example>
    [DefaultValue(false)]
    public bool? EscapeFormulas { get; init; }

    /// <summary>
    /// Reuses outputs of earlier requests if an image has not changed and the options are the same; `false` fetches and
    /// compresses every image again.
    /// </summary>
    /// <example>true</example>
    [DefaultValue(true)]
    public bool? Reuse { get; init; }

    /// <summary>Only checks the file: returns the outcome and keeps nothing.</summary>
    /// <example>false</example>
    [DefaultValue(false)]
    public bool? ValidateOnly { get; init; }
}

/// <summary>An upload as a form. The parts can be in any order.</summary>
internal sealed record UploadParts : UploadFields
{
    /// <summary>
    /// The CSV, optionally gzipped. The status and the result use the file name of this part, unless the query has a
    /// `file_name`.
    /// </summary>
    public required Stream File { get; init; }
}

/// <summary>An upload as JSON, at most 8 MiB.</summary>
internal sealed record UploadJson : UploadFields
{
    /// <summary>The text of the CSV.</summary>
    /// <example>
    /// S. No.,Product Name,Input Image Urls\n\
    /// 1,Stoneware Mug,"https://shop.example/mug-front.jpg,https://shop.example/mug-cutout.png"\n\
    /// 2,Desk Lamp,https://shop.example/lamp-day.webp\n
    /// </example>
    public required string Csv { get; init; }

    /// <summary>File name for the status and the result, at most 255 characters.</summary>
    /// <example>products.csv</example>
    [DefaultValue("upload.csv")]
    public string? FileName { get; init; }
}
