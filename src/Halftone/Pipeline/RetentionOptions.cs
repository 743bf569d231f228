using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>Section <c>Retention</c>: how long ended requests are kept.</summary>
internal sealed class RetentionOptions
{
    /// <summary>
    /// Days after its end when a request is deleted with its files, images and undelivered events, as by
    /// <c>DELETE /requests/{id}</c>, 1 to 36,500; unset keeps every request until someone deletes it. Checked 15
    /// minutes after a start, then every hour.
    /// </summary>
    [Range(1, 36_500)]
    public int? Days { get; set; }
}

[OptionsValidator]
internal sealed partial class RetentionOptionsValidator : IValidateOptions<RetentionOptions>;
