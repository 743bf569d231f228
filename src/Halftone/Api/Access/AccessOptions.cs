using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Api.Access;

/// <summary>Who may use the server, and how often.</summary>
internal sealed class AccessOptions
{
    /// <summary>Serves everyone who can reach the address, even from other machines, without API keys; false.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Maximum calls per minute and API key before the answer is 429, 1 to 1,000,000; 1,200.</summary>
    [Range(1, 1_000_000)]
    public int CallsPerMinute { get; set; } = 1_200;
}

[OptionsValidator]
internal sealed partial class AccessOptionsValidator : IValidateOptions<AccessOptions>;
