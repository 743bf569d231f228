using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Database;

/// <summary>Where requests, products and images are recorded.</summary>
internal sealed class DatabaseOptions
{
    /// <summary>Rows written per transaction while a CSV is taken in, 1 to 100,000; 10,000.</summary>
    [Range(1, 100_000)]
    public int IntakeChunkRows { get; set; } = 10_000;
}

[OptionsValidator]
internal sealed partial class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>;
