using System.Globalization;
using Halftone.Model;
using Halftone.Store;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Halftone.Requests;

/// <summary>The addresses that users get to see.</summary>
/// <param name="findRoot">What they begin with, asked once and not before the first is needed: a server knows it only when it listens.</param>
/// <param name="images">Where images are kept: some stores hand them out themselves.</param>
internal sealed class PublicUrls(Func<string> findRoot, StoredImages images)
{
    private string Root => field ??= findRoot();

    /// <summary>Absolute URLs of a server.</summary>
    public static PublicUrls Of(ServerOptions options, IServer server, StoredImages images) => new(() => RootOf(options, server) + "/", images);

    /// <summary>Paths below the folder that a run without a server writes to.</summary>
    public static PublicUrls OfFolder(StoredImages images) => new(() => "", images);

    public string Status(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Root}status/{requestId:D}");

    public string Result(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Root}results/{requestId:D}.csv");

    /// <summary>Where the store itself is read by users, its URL; else ours.</summary>
    public string Image(string objectKey) => images.Store.PublicUrlOf(objectKey) ?? $"{Root}images/{objectKey}";

    private static string RootOf(ServerOptions options, IServer server)
    {
        if (options.PublicUrl.Length > 0)
        {
            return options.PublicUrl.TrimEnd('/');
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
