using Microsoft.Extensions.Options;

namespace Halftone.Model;

/// <summary>The server as its users see it.</summary>
internal sealed class ServerOptions
{
    /// <summary>
    /// What the URLs in answers and result files begin with, such as <c>https://halftone.example.com</c>; default empty: the address
    /// the server listens on. Set it where users reach the server by another name or through a proxy.
    /// </summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>
    /// <c>all</c>, <c>api</c> (takes uploads and answers) or <c>worker</c> (works on images); default <c>all</c>. Also <c>--role</c>. The two last share
    /// PostgreSQL, RabbitMQ and a store; there may be any number of each.
    /// </summary>
    public Role Role { get; set; }
}

internal sealed class ServerOptionsValidator : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        options.PublicUrl.Length == 0 || (Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Server:PublicUrl is '{options.PublicUrl}': an absolute http or https URL without a query is allowed, or nothing.");
}
