using Microsoft.Extensions.Options;

namespace Halftone.Model;

/// <summary>Section <c>Server</c>: the server as its users see it.</summary>
internal sealed class ServerOptions
{
    /// <summary>
    /// Base of the URLs in answers and result files, such as <c>https://halftone.example.com</c>. Default: empty, which
    /// means the address the server listens on. Set it if users reach the server by another name or through a proxy.
    /// </summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>
    /// <c>all</c>, <c>api</c> (accepts uploads and answers) or <c>worker</c> (processes images). Default: <c>all</c>.
    /// Also <c>--role</c>. The last two share PostgreSQL, RabbitMQ and a store; there may be any number of each.
    /// </summary>
    public Role Role { get; set; }
}

internal sealed class ServerOptionsValidator : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        options.PublicUrl.Length == 0
            || (Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Server:PublicUrl is '{options.PublicUrl}'; it must be an absolute http or https URL without a query, or empty.");
}
