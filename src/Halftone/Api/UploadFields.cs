using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Halftone.Codec;

namespace Halftone.Api;

/// <summary>What may stand beside the file: alike as parts of a form, members of a JSON object and, beside any body, parameters of a query.</summary>
internal abstract record UploadFields
{
    /// <summary>Called with the outcome when the request has ended: an absolute http or https URL of at most 2,048 characters; default none.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public string? WebhookUrl { get; init; }

    /// <summary>Quality of the outputs on the encoders' scale from 1 to 100.</summary>
    /// <example>50</example>
    [Range(1, 100), DefaultValue(50)]
    public int? Quality { get; init; }

    /// <summary>Format of the outputs; `keep`: each image stays what it is, and TIFF becomes JPEG. In any case; `jpg` is taken as `jpeg`.</summary>
    /// <example>keep</example>
    [AllowedValues("keep", "jpeg", "png", "webp", "gif", "avif"), DefaultValue("keep")]
    public string? Format { get; init; }

    /// <summary>
    /// The most pixels that outputs are wide, as shown. A wider image is made smaller with its proportions kept; none is made larger. Without it the width has
    /// no bound.
    /// </summary>
    /// <example>1600</example>
    [Range(1, CodecRequest.MaxSidePixels)]
    public int? MaxWidth { get; init; }

    /// <summary>The same for their height. An image fits into both bounds where both are given.</summary>
    /// <example>1600</example>
    [Range(1, CodecRequest.MaxSidePixels)]
    public int? MaxHeight { get; init; }

    /// <summary>
    /// More outputs of each image, made of the same download: `name:option=value,option=value`, with semicolons between two. Options are `max_width`,
    /// `max_height`, `format` and `quality`; format and quality that are not given are the upload's, a bound that is not given is none. A name is 1 to 32 of
    /// `a-z`, `0-9`, `-` and `_`, the first a letter or digit. At most 8 (`Intake:MaxVariants`). Default none.
    /// </summary>
    /// <example>thumb:max_width=200,max_height=200,format=webp;zoom:max_width=1600,quality=70</example>
    public string? Variants { get; init; }

    /// <summary>Guard the cells of the result CSV that a spreadsheet program would run as a formula.</summary>
    /// <example>false</example>
    [DefaultValue(false)]
    public bool? EscapeFormulas { get; init; }

    /// <summary>
    /// Take over outputs of earlier requests where an image has not changed since and the options are the same; `false` fetches and compresses every image
    /// anew.
    /// </summary>
    /// <example>true</example>
    [DefaultValue(true)]
    public bool? Reuse { get; init; }

    /// <summary>Check the file, say what would happen, and keep nothing.</summary>
    /// <example>false</example>
    [DefaultValue(false)]
    public bool? ValidateOnly { get; init; }
}

/// <summary>An upload as a form. Its parts may come in any order.</summary>
internal sealed record UploadParts : UploadFields
{
    /// <summary>The CSV as it is, also gzipped. The file name of the part is the name that the status and the result show, unless the query has a `file_name`.</summary>
    public required Stream File { get; init; }
}

/// <summary>An upload as JSON, 8 MiB at most.</summary>
internal sealed record UploadJson : UploadFields
{
    /// <summary>The text of the CSV.</summary>
    /// <example>S. No.,Product Name,Input Image Urls\n1,Stoneware Mug,"https://shop.example/mug-front.jpg,https://shop.example/mug-cutout.png"\n2,Desk Lamp,https://shop.example/lamp-day.webp\n</example>
    public required string Csv { get; init; }

    /// <summary>The name that the status and the result show, at most 255 characters.</summary>
    /// <example>products.csv</example>
    [DefaultValue("upload.csv")]
    public string? FileName { get; init; }
}
