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

/// <summary>
/// Finds outputs that need not be made again, by the URL or by the bytes of their source. There is no index beside the images: each completed image has its
/// keys in its row and is found as long as the row is there. A key holds the owner and everything that the output depends on, so nothing is found that
/// another owner asked for, or that was made in another way.
/// </summary>
internal sealed class EarlierOutputs(HalftoneDatabase database, IOptions<ReuseOptions> options, IOptions<CompressOptions> compress, IOptions<FetchOptions> fetch)
{
    private const int KeyBytes = 16;

    /// <summary>What outputs depend on besides the message.</summary>
    private readonly string surroundings = string.Create(
        CultureInfo.InvariantCulture, $"{ImageCodec.OutputVersion} {compress.Value.WebpEffort} {compress.Value.AvifEffort} {TextOf(fetch.Value.HostHeaders)}");

    /// <summary>What the image's output can be found by later; null where nothing is to be found.</summary>
    public string? KeyOfUrl(Message.Image message) => IsUsed(message) ? KeyOf(message, "url", message.Url) : null;

    /// <summary>The same for whatever URL gives these bytes.</summary>
    public string? KeyOfSource(Message.Image message, ReadOnlySpan<byte> source) => IsUsed(message) ? KeyOf(message, "source", Convert.ToHexStringLower(SHA256.HashData(source))) : null;

    /// <summary>One question for both, because every image asks it: whether it is still to be done, and whether there may be an output of its URL.</summary>
    /// <param name="message">The image.</param>
    /// <param name="urlKey">As <see cref="KeyOfUrl"/> gives it.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null where another run of this image is done, or its request has moved on.</returns>
    public Task<bool?> IsPendingAndKnownAsync(Message.Image message, string? urlKey, CancellationToken cancellationToken)
    {
        var parameters = new { message.ImageId, message.RequestId, message.Run, message.Attempt, UrlKey = message.Fresh == true ? null : urlKey };
        return database.ReadAsync(connection => connection.ExecuteScalarAsync<bool?>(Sql.IsPendingAndKnown, parameters), cancellationToken);
    }

    /// <summary>The newest output of the URL.</summary>
    public Task<EarlierOutput?> FindByUrlAsync(Message.Image message, string urlKey, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<EarlierOutput>(Sql.ByUrl, new { UrlKey = urlKey, message.Owner }), cancellationToken);

    /// <summary>The newest output that was made of the same bytes.</summary>
    public Task<EarlierOutput?> FindBySourceAsync(Message.Image message, string sourceKey, CancellationToken cancellationToken) =>
        message.Fresh == true
            ? Task.FromResult<EarlierOutput?>(null)
            : database.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<EarlierOutput>(Sql.BySource, new { SourceKey = sourceKey, message.Owner }), cancellationToken);

    /// <summary>A message of a version that named no owner leaves nothing to be found.</summary>
    private bool IsUsed(Message.Image message) => options.Value.Enabled && message.Owner is not null;

    /// <summary>With another header a host may give another image.</summary>
    private static string TextOf(Dictionary<string, Dictionary<string, string>> hostHeaders) => string.Join('\n',
        from host in hostHeaders.OrderBy(host => host.Key, StringComparer.Ordinal)
        from header in host.Value.OrderBy(header => header.Key, StringComparer.Ordinal)
        select $"{host.Key} {header.Key}: {header.Value}");

    private string KeyOf(Message.Image message, string kind, string of)
    {
        // Said only where they are asked for: outputs of versions that knew neither stay good.
        var size = message is { MaxWidth: null, MaxHeight: null } ? "" : $" fits {message.MaxWidth}x{message.MaxHeight}";
        var variants = message.Variants is null ? "" : $" variants {message.Variants}";
        var text = string.Create(CultureInfo.InvariantCulture, $"{kind}\n{message.Owner}\n{message.Quality} {message.Format}{size}{variants} {surroundings}\n{of}");
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, KeyBytes));
    }

    private static class Sql
    {
        private const string Columns = """
            c.object_key, c.bytes_in, c.bytes_out, c.kept_original,
                   c.width, c.height, c.content_hash, c.source_key, c.variants,
                   c.etag, c.last_modified, c.source_url
            """;

        /// <summary>A message of an attempt that was recorded meanwhile changes nothing: the sweep hands out the next one. Uses the primary keys and image_by_url.</summary>
        public const string IsPendingAndKnown = """
            SELECT EXISTS (SELECT 1 FROM image WHERE url_key = @UrlKey)
            FROM   image i, request r
            WHERE  i.image_id = @ImageId AND i.state = 'pending' AND i.attempt = @Attempt
            AND    r.request_id = @RequestId AND r.run = @Run AND r.state IN ('pending', 'processing')
            """;

        /// <summary>
        /// Uses image_by_url. The newest four are looked at and no more: of a request of millions that is being deleted, or of one picture under every URL,
        /// there may be any number.
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
