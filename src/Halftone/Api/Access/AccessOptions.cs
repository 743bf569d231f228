using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Api.Access;

/// <summary>Who may use the server, and how often.</summary>
internal sealed class AccessOptions
{
    /// <summary>Serve everybody who can reach the address, without API keys, also beyond this machine; false.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Calls a minute that one API key may make before it is answered 429, 1 to 1,000,000; 1,200.</summary>
    [Range(1, 1_000_000)]
    public int CallsPerMinute { get; set; } = 1_200;
}

[OptionsValidator]
internal sealed partial class AccessOptionsValidator : IValidateOptions<AccessOptions>;
