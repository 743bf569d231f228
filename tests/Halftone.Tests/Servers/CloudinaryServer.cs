using System.Diagnostics;
using System.Globalization;
using Halftone.Store;

namespace Halftone.Tests.Servers;

/// <summary>
/// A stand-in for Cloudinary that checks every call as its documentation says, with the signing of Cloudinary's own npm package
/// (tests/node).
/// </summary>
internal sealed class CloudinaryServer : IAsyncDisposable
{
    private readonly Process process;

    private CloudinaryServer(Process process, string url) => (this.process, Url) = (process, url);

    public string Url { get; }

    /// <param name="pageSize">The most that it lists or removes in one answer.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="largestBytes">The largest image that its plan allows.</param>
    public static async Task<CloudinaryServer> StartAsync(
        int pageSize, CancellationToken cancellationToken, int largestBytes = int.MaxValue)
    {
        var process = Script.StartNode(
            ["cloudinary-server.mjs"], ("PAGE_SIZE", pageSize.ToString(CultureInfo.InvariantCulture)),
            ("LARGEST_BYTES", largestBytes.ToString(CultureInfo.InvariantCulture)));
        var url = await process.StandardOutput.ReadLineAsync(cancellationToken);
        Assert.True(url is not null, url is null ? await process.StandardError.ReadToEndAsync(cancellationToken) : null);
        return new CloudinaryServer(process, url!);
    }

    /// <summary>What its account's owner would set.</summary>
    public CloudinaryOptions Options() => new()
    {
        CloudName = "shop-cloud",
        ApiKey = "123456789012345",
        ApiSecret = "cloudinary-test-secret",
        Prefix = "shop/halftone/",
        ApiUrl = Url,
        DeliveryUrl = Url,
    };

    /// <summary>The same as settings of the product.</summary>
    public (string Name, string? Value)[] Settings() =>
        [
            .. typeof(CloudinaryOptions)
                .GetProperties()
                .Where(property => property.CanWrite)
                .Select(property => ($"{CloudinaryOptions.Section}:{property.Name}", (string?)property.GetValue(Options()))),
        ];

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
