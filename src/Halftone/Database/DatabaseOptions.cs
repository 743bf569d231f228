using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Database;

/// <summary>Section <c>Database</c>: where requests, products and images are recorded.</summary>
internal sealed class DatabaseOptions : IValidatableObject
{
    /// <summary>
    /// A PostgreSQL database, as <c>Host=…;Database=…;Username=…;Password=…</c> (Npgsql keywords) or
    /// <c>postgresql://user:password@host/database</c>; unset means SQLite in the data folder.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Rows written per transaction while a CSV is imported, 1 to 100,000; 10,000.</summary>
    [Range(1, 100_000)]
    public int IntakeChunkRows { get; set; } = 10_000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string? wrong = null;
        try
        {
            _ = ConnectionString.Length > 0 ? PostgresAddress.Parse(ConnectionString) : null;
        }
        catch (ArgumentException exception)
        {
            wrong = exception.Message;
        }

        return wrong is null ? [] : [new ValidationResult(wrong, [nameof(ConnectionString)])];
    }
}

[OptionsValidator]
internal sealed partial class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>;
