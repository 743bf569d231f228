using System.Globalization;
using Halftone.Model;
using Halftone.Store;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Halftone.Requests;

/// <summary>The URLs that users see.</summary>
/// <param name="findRoot">Their base, computed on first use, because a server knows it only once it listens.</param>
/// <param name="images">The store of images: some stores serve them themselves.</param>
internal sealed class PublicUrls(Func<string> findRoot, IImageStore images)
{
    private string Root => field ??= findRoot();

    /// <summary>Absolute URLs of a server.</summary>
    public static PublicUrls Of(ServerOptions options, IServer server, IImageStore images) =>
        new(() => RootOf(options, server) + "/", images);

    /// <summary>Paths relative to the folder of a run without a server.</summary>
    public static PublicUrls OfFolder(IImageStore images) => new(() => "", images);

    public string Status(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Root}status/{requestId:D}");

    public string Result(Guid requestId) => string.Create(CultureInfo.InvariantCulture, $"{Root}results/{requestId:D}.csv");

    /// <summary>The store's own URL if users read from it directly, otherwise ours.</summary>
    public string Image(string objectKey) => images.PublicUrlOf(objectKey) ?? $"{Root}images/{objectKey}";

    private static string RootOf(ServerOptions options, IServer server)
    {
        if (options.PublicUrl.Length > 0)
        {
            return options.PublicUrl.TrimEnd('/');
        }

        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server is not listening yet.");
        // A wildcard cannot be called: the machine's own name is the best guess, and PublicUrl overrides it.
        return address.Replace("//[::]", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//*", "//" + Environment.MachineName, StringComparison.Ordinal)
            .Replace("//+", "//" + Environment.MachineName, StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
