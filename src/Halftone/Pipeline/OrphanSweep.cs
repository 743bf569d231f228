using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Store;

namespace Halftone.Pipeline;

/// <summary>
/// Removes objects that no row names. At start, under the lock on the data folder, what a crash can have left in that folder goes at once: no work runs
/// yet that could name it. Once a day objects older than a day go, of requests that are closed or unknown; an open request may still name what it
/// stored long ago, where the database could not be written. Of several processes one does it. Each database leaves a mark in its bucket or account: where
/// there is another's, what is unknown may be the other's, and stays.
/// </summary>
internal sealed partial class OrphanSweep(HalftoneDatabase database, StoredImages images, StoredFiles files, TimeProvider time, ILogger<OrphanSweep> logger)
    : PeriodicSweep(FirstPause, Interval, time, logger)
{
    private static readonly TimeSpan MinAge = TimeSpan.FromDays(1);
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <summary>A server that is started anew each day must sweep too, and one that runs for minutes leave its mark.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);

    /// <summary>The marks lie where the objects of a request would.</summary>
    public static readonly Guid Marks = Guid.Empty;

    /// <summary>A grey PNG of one pixel, for a store that keeps images alone.</summary>
    private static readonly byte[] MarkPng = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==");

    /// <summary>A set of so many takes some 200 MB; of a request with more objects several passes are made. 8 million.</summary>
    public long PrintsAtOnce { get; init; } = 8_000_000;

    /// <summary>A run outlives its request's end by the longest fetch, codec and store times: minutes.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(10);

    private IEnumerable<IObjectStore> Stores => new[] { images.Store, files.Store }.Distinct();

    /// <summary>
    /// Before any work: what no request knows, and what the requests did not name that were open or had just ended when the last process did. Where the
    /// database is older than the folder, restored or lost, work on requests that it does not know is left to the daily pass.
    /// </summary>
    public async Task SweepAtStartAsync(CancellationToken cancellationToken)
    {
        var folders = Stores.OfType<FolderStore>().ToArray();
        var known = (await database.ReadAsync(connection => connection.QueryAsync<Guid>(Sql.AllRequests), cancellationToken)).ToHashSet();
        foreach (var store in folders)
        {
            await foreach (var requestId in store.RequestsAsync(cancellationToken))
            {
                if (!known.Contains(requestId) && !await IsWorkAsync(requestId, cancellationToken))
                {
                    await store.DeleteAllAsync(requestId, cancellationToken);
                    Log.RemovedAll(Logger, requestId);
                }
            }
        }

        var unsettled = await database.ReadAsync(connection => connection.QueryAsync<RequestRow>(Sql.Unsettled, new { LongestRun = (long)LongestRun.TotalMilliseconds }), cancellationToken);
        foreach (var request in unsettled)
        {
            foreach (var store in folders)
            {
                await RemoveUnnamedAsync(store, request, DateTimeOffset.MaxValue, cancellationToken);
            }
        }
    }

    /// <summary>True for one process a day.</summary>
    public async Task<bool> ClaimAsync(CancellationToken cancellationToken)
    {
        // An hour less than a day: each looks once a day, and not to the second.
        var parameters = new { Now = Text(Time.GetUtcNow()), Before = Text(Time.GetUtcNow() - Interval + TimeSpan.FromHours(1)) };
        return await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.Claim, parameters), cancellationToken) > 0;

        // Settings are text: as many digits sort as their number.
        static string Text(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds().ToString("D13", CultureInfo.InvariantCulture);
    }

    /// <summary>One daily pass; public to tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var oldest = Time.GetUtcNow() - MinAge;
        var mark = await MarkOfAsync(cancellationToken);
        foreach (var store in Stores)
        {
            var isOursAlone = await IsOursAloneAsync(store, mark, cancellationToken);
            await foreach (var requestId in store.RequestsAsync(cancellationToken))
            {
                var request = await database.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<RequestRow>(Sql.Request, new { RequestId = requestId }), cancellationToken);
                if (request is null && isOursAlone && requestId != Marks)
                {
                    await RemoveUnknownAsync(store, requestId, oldest, cancellationToken);
                }
                else if (request is { IsClosed: true })
                {
                    await RemoveUnnamedAsync(store, request, oldest, cancellationToken);
                }
            }
        }
    }

    /// <summary>Tells the sweeps of other databases that this one keeps objects here. A folder is no other's.</summary>
    public async Task MarkAsync(CancellationToken cancellationToken)
    {
        var mark = await MarkOfAsync(cancellationToken);
        foreach (var store in Stores.Where(store => store is not FolderStore))
        {
            await store.PutAsync(mark, MarkPng, "image/png", cancellationToken);
        }
    }

    protected override async Task PassAsync(CancellationToken cancellationToken)
    {
        await MarkAsync(cancellationToken);
        if (await ClaimAsync(cancellationToken))
        {
            await SweepAsync(cancellationToken);
        }
    }

    /// <summary>The key of this database's mark: its id, made when it is first asked for.</summary>
    private async Task<string> MarkOfAsync(CancellationToken cancellationToken)
    {
        var id = await database.GetOrAddAsync("database_id", Guid.CreateVersion7(Time.GetUtcNow()).ToString("D"), cancellationToken);
        return $"{ObjectKey.Prefix(Marks)}{id}.png";
    }

    private async Task<bool> IsOursAloneAsync(IObjectStore store, string mark, CancellationToken cancellationToken)
    {
        await foreach (var found in store.ListAsync(Marks, cancellationToken))
        {
            if (found.Key != mark)
            {
                Log.OfOthers(Logger, found.Key);
                return false;
            }
        }

        return true;
    }

    /// <summary>An upload with images or results. A crash leaves an upload alone, or images of a request that was deleted, whose upload has gone.</summary>
    private async Task<bool> IsWorkAsync(Guid requestId, CancellationToken cancellationToken)
    {
        var kept = await files.Store.ListAsync(requestId, cancellationToken).ToListAsync(cancellationToken);
        var uploads = kept.Count(found => found.Key.StartsWith($"{ObjectKey.Prefix(requestId)}upload-", StringComparison.Ordinal));
        return uploads > 0 && (uploads < kept.Count || (images.Store is FolderStore folder && await folder.ListAsync(requestId, cancellationToken).AnyAsync(cancellationToken)));
    }

    /// <summary>Uploads being taken in have no row yet, but they are young.</summary>
    private async Task RemoveUnknownAsync(IObjectStore store, Guid requestId, DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        if (await store.ListAsync(requestId, cancellationToken).AllAsync(found => found.ModifiedAt < oldest, cancellationToken))
        {
            await store.DeleteAllAsync(requestId, cancellationToken);
            Log.RemovedAll(Logger, requestId);
        }
    }

    private async Task RemoveUnnamedAsync(IObjectStore store, RequestRow request, DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        var passes = (ulong)(1 + (request.Images * (1 + VariantSpec.Parse(request.Variants).Count) / PrintsAtOnce));
        for (var pass = 0UL; pass < passes; pass++)
        {
            var named = await NamedAsync(request, print => (ulong)print % passes == pass, cancellationToken);
            await foreach (var found in store.ListAsync(request.RequestId, cancellationToken))
            {
                if (found.ModifiedAt < oldest && PrintOf(found.Key) is var print && (ulong)print % passes == pass && !named.Contains(print))
                {
                    await store.DeleteAsync(found.Key, cancellationToken);
                    Log.Removed(Logger, found.Key);
                }
            }
        }
    }

    /// <summary>Prints of the keys that the request's rows name, as many as are wanted: 8 bytes each, because there may be millions.</summary>
    private async Task<HashSet<long>> NamedAsync(RequestRow request, Func<long, bool> isWanted, CancellationToken cancellationToken)
    {
        var named = new HashSet<long> { PrintOf(request.UploadKey) };
        if (request.ResultKey is { } resultKey)
        {
            named.Add(PrintOf(resultKey));
        }

        await database.ReadAsync(
            async connection =>
            {
                await foreach (var image in connection.QueryUnbufferedAsync<StoredOutput>(Sql.Stored, new { request.FirstImageId, EndImageId = request.FirstImageId + request.Images }).WithCancellation(cancellationToken))
                {
                    named.UnionWith(image.Objects.Select(stored => PrintOf(stored.Key)).Where(isWanted));
                }

                return true;
            },
            cancellationToken);
        return named;
    }

    /// <summary>Two keys of one print would only keep an orphan.</summary>
    private static long PrintOf(string key) => BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.ASCII.GetBytes(key)));

    private sealed record RequestRow
    {
        public required Guid RequestId { get; init; }
        public required string State { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required string UploadKey { get; init; }
        public string? ResultKey { get; init; }
        public string? Variants { get; init; }

        public bool IsClosed => State is "completed" or "failed" or "cancelled";
    }

    private static class Sql
    {
        public const string Claim = """
            INSERT INTO setting (name, value) VALUES ('orphans_swept_at', @Now)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE setting.value < @Before
            """;

        public const string AllRequests = "SELECT request_id FROM request";

        public const string Request = """
            SELECT request_id, state, first_image_id, images, upload_key, result_key,
                   variants
            FROM   request
            WHERE  request_id = @RequestId
            """;

        /// <summary>Requests being deleted or taken in are left to those who do it.</summary>
        public const string Unsettled = """
            SELECT request_id, state, first_image_id, images, upload_key, result_key,
                   variants
            FROM   request
            WHERE  state IN ('pending', 'processing', 'cancelling')
            OR    (state IN ('completed', 'failed', 'cancelled') AND updated_at >= (SELECT max(updated_at) FROM request) - @LongestRun)
            """;

        public const string Stored = """
            SELECT object_key, bytes_out, variants
            FROM   image
            WHERE  image_id >= @FirstImageId AND image_id < @EndImageId AND object_key IS NOT NULL
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(941, LogLevel.Information, "Everything stored for request {RequestId}, which there is not, was removed")]
        public static partial void RemovedAll(ILogger logger, Guid requestId);

        [LoggerMessage(942, LogLevel.Information, "{Key} was removed: no row names it")]
        public static partial void Removed(ILogger logger, string key);

        [LoggerMessage(943, LogLevel.Warning, "The store has the mark of another database ({Key}): nothing that this one does not know is removed. Give each database a bucket, prefix or folder of its own; where the other is gone, remove its mark")]
        public static partial void OfOthers(ILogger logger, string key);
    }
}
