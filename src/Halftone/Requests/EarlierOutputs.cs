using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Model;
using Microsoft.Extensions.Options;

namespace Halftone.Requests;

/// <summary>The state of an image when its message is taken.</summary>
internal abstract record ImageStanding
{
    private ImageStanding() { }

    /// <summary>Nothing is left to do: another run has recorded this attempt, or the request has moved on.</summary>
    public sealed record Settled : ImageStanding;

    /// <summary>Still to be done.</summary>
    /// <param name="Earlier">The newest output of the same URL; null if there is none.</param>
    public sealed record Open(EarlierOutput? Earlier) : ImageStanding;
}

/// <summary>
/// Finds outputs that can be reused, by the URL or by the bytes of their source. There is no separate index: each
/// completed image has its keys in its row, and is found as long as the row exists. A key includes the owner and
/// everything that the output depends on, so outputs of another owner or made in another way are never found.
/// </summary>
internal sealed class EarlierOutputs(
    HalftoneDatabase database, IOptions<ReuseOptions> options, IOptions<CompressOptions> compress, IOptions<FetchOptions> fetch)
{
    private const int KeyBytes = 16;

    /// <summary>Settings that outputs depend on, besides the message.</summary>
    private readonly string surroundings = string.Create(
        CultureInfo.InvariantCulture,
        $"{ImageCodec.OutputVersion} {compress.Value.Jpeg} {compress.Value.WebpEffort} {compress.Value.AvifEffort} "
            + $"{compress.Value.Metadata} "
            + $"{TextOf(fetch.Value.HostHeaders)}");

    /// <summary>The key by which the image's output can be found later; null if it must not be found.</summary>
    public string? KeyOfUrl(Message.Image message) => IsUsed(message) ? KeyOf(message, "url", message.Url) : null;

    /// <summary>The same for any URL with these bytes.</summary>
    public string? KeyOfSource(Message.Image message, ReadOnlySpan<byte> source) =>
        IsUsed(message) ? KeyOf(message, "source", Convert.ToHexStringLower(SHA256.HashData(source))) : null;

    /// <summary>Checks that the image is still to be done, and finds the newest output of its URL.</summary>
    /// <param name="message">The image.</param>
    /// <param name="urlKey">From <see cref="KeyOfUrl"/>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<ImageStanding> StandingOfAsync(Message.Image message, string? urlKey, CancellationToken cancellationToken)
    {
        var key = message.Fresh == true ? null : urlKey;
        // Every image asks, and few have an earlier output, so one short statement answers for most of them.
        if (await FindOpenAsync(message, key, cancellationToken) is not { } image)
        {
            return new ImageStanding.Settled();
        }

        var parameters = new { UrlKey = key, message.Owner };
        return new ImageStanding.Open(!image.IsKnown ? null : await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<EarlierOutput>(Sql.ByUrl, parameters), cancellationToken));
    }

    /// <summary>False if another run has recorded this attempt, or the request has moved on.</summary>
    public async Task<bool> IsOpenAsync(Message.Image message, CancellationToken cancellationToken) =>
        await FindOpenAsync(message, null, cancellationToken) is not null;

    /// <summary>The newest output made from the same bytes.</summary>
    public async Task<EarlierOutput?> FindBySourceAsync(Message.Image message, string sourceKey, CancellationToken cancellationToken)
    {
        var parameters = new { SourceKey = sourceKey, message.Owner };
        return message.Fresh == true ? null : await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<EarlierOutput>(Sql.BySource, parameters), cancellationToken);
    }

    private Task<OpenImage?> FindOpenAsync(Message.Image message, string? urlKey, CancellationToken cancellationToken)
    {
        var parameters = new { message.ImageId, message.RequestId, message.Run, message.Attempt, UrlKey = urlKey };
        return database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<OpenImage>(Sql.OpenImage, parameters),
            cancellationToken);
    }

    /// <summary>An output for a message of a version without owners can never be found.</summary>
    private bool IsUsed(Message.Image message) => options.Value.Enabled && message.Owner is not null;

    /// <summary>A host may return another image for another header.</summary>
    private static string TextOf(Dictionary<string, Dictionary<string, string>> hostHeaders) => string.Join('\n',
        from host in hostHeaders.OrderBy(host => host.Key, StringComparer.Ordinal)
        from header in host.Value.OrderBy(header => header.Key, StringComparer.Ordinal)
        select $"{host.Key} {header.Key}: {header.Value}");

    private string KeyOf(Message.Image message, string kind, string of)
    {
        // Included only if they were set, so that outputs of versions without these options stay valid.
        var outputs = message.Outputs.FirstKeyPart(' ') + message.Outputs.LaterKeyPart(' ');
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{kind}\n{message.Owner}\n{outputs} {surroundings}\n{of}");
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, KeyBytes));
    }

    private sealed record OpenImage
    {
        /// <summary>True if the key of the URL is in any row.</summary>
        public required bool IsKnown { get; init; }
    }

    private static class Sql
    {
        private const string Columns = """
            c.object_key, c.bytes_in, c.bytes_out, c.kept_original,
                   c.width, c.height, c.content_hash, c.source_key, c.variants,
                   c.etag, c.last_modified, c.source_url
            """;

        /// <summary>
        /// A message of an attempt that was already recorded has no effect: the sweep hands out the next one. Uses the
        /// primary keys and image_by_url.
        /// </summary>
        public const string OpenImage = """
            SELECT EXISTS (SELECT 1 FROM image WHERE url_key = @UrlKey) AS is_known
            FROM   image i, request r
            WHERE  i.image_id = @ImageId AND i.state = 'pending' AND i.attempt = @Attempt
            AND    r.request_id = @RequestId AND r.run = @Run AND r.state IN ('pending', 'processing')
            """;

        /// <summary>
        /// Uses image_by_url. Checks only the newest four, because there may be any number: in a request of millions
        /// that is being deleted, or with one image under every URL.
        /// </summary>
        public const string ByUrl = $"""
            SELECT {Columns}
            FROM   (SELECT * FROM image WHERE url_key = @UrlKey ORDER BY image_id DESC LIMIT 4) AS c
            JOIN   product p ON p.product_id = c.product_id
            JOIN   request o ON o.request_id = p.request_id
            WHERE  c.state = 'completed' AND o.owner = @Owner AND o.state NOT IN ('receiving', 'deleting')
            ORDER  BY c.image_id DESC
            LIMIT  1
            """;

        /// <summary>Uses image_by_source.</summary>
        public const string BySource = $"""
            SELECT {Columns}
            FROM   (SELECT * FROM image WHERE source_key = @SourceKey ORDER BY image_id DESC LIMIT 4) AS c
            JOIN   product p ON p.product_id = c.product_id
            JOIN   request o ON o.request_id = p.request_id
            WHERE  c.state = 'completed' AND o.owner = @Owner AND o.state NOT IN ('receiving', 'deleting')
            ORDER  BY c.image_id DESC
            LIMIT  1
            """;
    }
}
