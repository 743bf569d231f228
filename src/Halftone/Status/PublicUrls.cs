using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Halftone.Status;

/// <summary>The server as its users see it.</summary>
internal sealed class ServerOptions
{
    /// <summary>
    /// What the URLs in answers and result files begin with, such as <c>https://halftone.example.com</c>; default empty: the address
    /// the server listens on. Set it where users reach the server by another name or through a proxy.
    /// </summary>
    public string PublicUrl { get; set; } = "";
}

internal sealed class ServerOptionsValidator : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        options.PublicUrl.Length == 0 || (Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Server:PublicUrl is '{options.PublicUrl}': an absolute http or https URL without a query is allowed, or nothing.");
}

/// <summary>The absolute URLs that users get to see.</summary>
internal sealed class PublicUrls(IOptions<ServerOptions> options, IServer server)
{
    private string Base => field ??= FindBase();

    public string Status(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Base}/status/{requestId:D}");

    public string Result(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Base}/results/{requestId:D}.csv");

    public string Image(string objectKey) => $"{Base}/images/{objectKey}";

    private string FindBase()
    {
        if (options.Value.PublicUrl.Length > 0)
        {
            return options.Value.PublicUrl.TrimEnd('/');
        }

        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server does not listen yet.");
        // A wildcard is no address to call: the machine's own name is the best guess, and PublicUrl the way to say better.
        return address.Replace("//[::]", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//*", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//+", "//" + Environment.MachineName, StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
