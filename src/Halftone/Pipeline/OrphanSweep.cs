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
/// Removes objects that no row names. At start, under the lock on the data folder, leftovers of a crash in that folder
/// are removed at once, because no work is running yet that could name them. Once a day, objects older than a day are
/// removed if their requests are closed or unknown; an open request may still record an object stored long ago, if the
/// database was not writable. Among several processes, one does it. Each database leaves a mark in its bucket or
/// account: if there is a mark of another database, unknown objects may belong to it and stay.
/// </summary>
internal sealed partial class OrphanSweep(
    HalftoneDatabase database,
    IImageStore images,
    IFileStore files,
    TimeProvider time,
    ILogger<OrphanSweep> logger)
    : PeriodicSweep(FirstPause, Interval, time, logger)
{
    private static readonly TimeSpan MinAge = TimeSpan.FromDays(1);
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <summary>
    /// Pause before the first pass: a server that is restarted every day must sweep too, and one that runs for minutes
    /// must leave its mark.
    /// </summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);

    /// <summary>The marks are stored like the objects of a request.</summary>
    public static readonly Guid Marks = Guid.Empty;

    /// <summary>A grey PNG of one pixel, for a store that accepts only images.</summary>
    private static readonly byte[] MarkPng = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==");

    /// <summary>Maximum keys in a set, which takes about 200 MB; a request with more objects takes several passes. 8 million.</summary>
    public long PrintsAtOnce { get; init; } = 8_000_000;

    /// <summary>A run outlives the end of its request by at most the maximum fetch, codec and store times: minutes.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(10);

    private IEnumerable<IListedStore> Stores => new IListedStore[] { images, files }.Distinct();

    /// <summary>
    /// Runs before any work: removes objects of unknown requests, and objects not named by requests that were open or
    /// had just ended when the last process ended. If the database is older than the folder, because it was restored or
    /// lost, files of unknown requests are left to the daily pass.
    /// </summary>
    public async Task SweepAtStartAsync(CancellationToken cancellationToken)
    {
        var folders = Stores.Where(store => !store.IsRemote).ToArray();
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

        var unsettled = await database.ReadAsync(
            connection => connection.QueryAsync<RequestRow>(Sql.Unsettled, new { LongestRun = (long)LongestRun.TotalMilliseconds }),
            cancellationToken);
        foreach (var request in unsettled)
        {
            foreach (var store in folders)
            {
                await RemoveUnnamedAsync(store, request, DateTimeOffset.MaxValue, cancellationToken);
            }
        }
    }

    /// <summary>True for one process per day.</summary>
    public async Task<bool> ClaimAsync(CancellationToken cancellationToken)
    {
        // An hour less than a day, because processes check once a day, but not to the second.
        var parameters = new { Now = Text(Time.GetUtcNow()), Before = Text(Time.GetUtcNow() - Interval + TimeSpan.FromHours(1)) };
        return await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.Claim, parameters), cancellationToken) > 0;

        // Settings are text: numbers with the same number of digits sort correctly.
        static string Text(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds().ToString("D13", CultureInfo.InvariantCulture);
    }

    /// <summary>Runs one daily pass; public for tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var oldest = Time.GetUtcNow() - MinAge;
        var mark = await MarkOfAsync(cancellationToken);
        foreach (var store in Stores)
        {
            var isOursAlone = await IsOursAloneAsync(store, mark, cancellationToken);
            await foreach (var requestId in store.RequestsAsync(cancellationToken))
            {
                var request = await database.ReadAsync(
                    connection => connection.QuerySingleOrDefaultAsync<RequestRow>(Sql.Request, new { RequestId = requestId }),
                    cancellationToken);
                if (request is null && isOursAlone && requestId != Marks)
                {
                    await RemoveUnknownAsync(store, requestId, oldest, cancellationToken);
                }
                else if (request is not null && request.State.HasEnded)
                {
                    await RemoveUnnamedAsync(store, request, oldest, cancellationToken);
                }
            }
        }
    }

    /// <summary>Tells the sweeps of other databases that this one stores objects here. A folder is never shared.</summary>
    public async Task MarkAsync(CancellationToken cancellationToken)
    {
        var mark = await MarkOfAsync(cancellationToken);
        foreach (var store in Stores.Where(store => store.IsRemote))
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

    /// <summary>The key of this database's mark: its ID, created on first use.</summary>
    private async Task<string> MarkOfAsync(CancellationToken cancellationToken)
    {
        var id = await database.GetOrAddAsync("database_id", Guid.CreateVersion7(Time.GetUtcNow()).ToString("D"), cancellationToken);
        return $"{ObjectKey.Prefix(Marks)}{id}.png";
    }

    private async Task<bool> IsOursAloneAsync(IListedStore store, string mark, CancellationToken cancellationToken)
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

    /// <summary>
    /// True for an upload with images or results. A crash leaves an upload alone, or images of a deleted request, whose
    /// upload is gone.
    /// </summary>
    private async Task<bool> IsWorkAsync(Guid requestId, CancellationToken cancellationToken)
    {
        var kept = await files.ListAsync(requestId, cancellationToken).ToListAsync(cancellationToken);
        var uploads = kept.Count(found => found.Key.StartsWith($"{ObjectKey.Prefix(requestId)}upload-", StringComparison.Ordinal));
        return uploads > 0
            && (uploads < kept.Count
                || (!images.IsRemote && await images.ListAsync(requestId, cancellationToken).AnyAsync(cancellationToken)));
    }

    /// <summary>Uploads in progress have no row yet, but they are recent.</summary>
    private async Task RemoveUnknownAsync(IListedStore store, Guid requestId, DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        if (await store.ListAsync(requestId, cancellationToken).AllAsync(found => found.ModifiedAt < oldest, cancellationToken))
        {
            await store.DeleteAllAsync(requestId, cancellationToken);
            Log.RemovedAll(Logger, requestId);
        }
    }

    private async Task RemoveUnnamedAsync(
        IListedStore store,
        RequestRow request,
        DateTimeOffset oldest,
        CancellationToken cancellationToken)
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

    /// <summary>Hashes of the keys named by the request's rows, up to the limit: 8 bytes each, because there may be millions.</summary>
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
                await foreach (var image in connection.QueryUnbufferedAsync<StoredOutput>(
                    Sql.Stored,
                    new { request.FirstImageId, EndImageId = request.FirstImageId + request.Images }).WithCancellation(cancellationToken))
                {
                    named.UnionWith(image.Objects.Select(stored => PrintOf(stored.Key)).Where(isWanted));
                }

                return true;
            },
            cancellationToken);
        return named;
    }

    /// <summary>A collision of two keys would only keep an orphan.</summary>
    private static long PrintOf(string key) => BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.ASCII.GetBytes(key)));

    private sealed record RequestRow
    {
        public required Guid RequestId { get; init; }
        public required RequestState State { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required string UploadKey { get; init; }
        public string? ResultKey { get; init; }
        public string? Variants { get; init; }
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

        /// <summary>Requests being deleted or received are left to the code that does so.</summary>
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
        [LoggerMessage(941, LogLevel.Information, "Removed everything stored for request {RequestId}, which does not exist")]
        public static partial void RemovedAll(ILogger logger, Guid requestId);

        [LoggerMessage(942, LogLevel.Information, "Removed {Key}, which no row names")]
        public static partial void Removed(ILogger logger, string key);

        [LoggerMessage(
            943,
            LogLevel.Warning,
            "The store has the mark of another database ({Key}), so objects that this database does not know are kept. Give each "
            + "database its own bucket, prefix or folder; if the other database no longer exists, remove its mark")]
        public static partial void OfOthers(ILogger logger, string key);
    }
}
