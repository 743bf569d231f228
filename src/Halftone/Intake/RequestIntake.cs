using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary>The options of an upload, besides the file.</summary>
internal sealed record IntakeChoices
{
    public required string Owner { get; init; }

    /// <summary>The header of that name: the same key within 24 hours returns the same answer and creates no second request.</summary>
    public string? IdempotencyKey { get; init; }

    public required OutputOptions Outputs { get; init; }

    public bool EscapeFormulas { get; init; }

    /// <summary>True if outputs of earlier requests may be reused.</summary>
    public bool Reuse { get; init; } = true;

    public Uri? WebhookUrl { get; init; }
}

/// <summary>A file that was read to its end.</summary>
internal sealed record CheckedUpload(ProductCsvReader Reader, HostCounts Hosts);

internal abstract record IntakeResult
{
    private IntakeResult() { }

    public sealed record Accepted(Guid RequestId, long Products, long Images) : IntakeResult;

    public sealed record Rejected(CsvProblems Problems) : IntakeResult;

    /// <summary>An upload with this idempotency key is still in progress.</summary>
    public sealed record KeyInUse : IntakeResult;

    /// <summary>This idempotency key belongs to another file or other options.</summary>
    public sealed record KeyReused : IntakeResult;
}

/// <summary>
/// Turns a spooled body into an accepted request. It is read once to check it, and only if there are no problems is it read again to insert
/// its rows, in chunks and in the hidden state <c>receiving</c>. One small transaction then makes the request <c>pending</c> and writes its
/// first Plan message. Nothing of a rejected file is kept.
/// </summary>
internal sealed partial class RequestIntake(
    HalftoneDatabase database,
    UploadSpool uploads,
    OutboxRelay relay,
    AbandonedUploads abandoned,
    IOptions<IntakeOptions> options,
    IOptions<DatabaseOptions> databaseOptions,
    TimeProvider time,
    ILogger<RequestIntake> logger) : IDisposable
{
    private readonly SemaphoreSlim places = new(options.Value.MaxUploads);

    /// <summary>Lifetime of an idempotency key.</summary>
    private static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(24);

    /// <summary>A slot among the concurrent uploads, disposed at the end; null if none is free.</summary>
    public IDisposable? TryEnter() => places.Wait(0, CancellationToken.None) ? new Place(places) : null;

    /// <summary>Checks the file and keeps nothing but the findings.</summary>
    public async Task<CheckedUpload> CheckAsync(SpooledUpload upload, CancellationToken cancellationToken)
    {
        await using var spool = await uploads.OpenAsync(upload, cancellationToken);
        var hosts = new HostCounts();
        return new CheckedUpload(await CheckAsync(spool, hosts.Add, cancellationToken), hosts);
    }

    /// <summary>The value that <c>request.body_hash</c> would have: equal for uploads of the same bytes with the same options.</summary>
    public async Task<string> HashAsync(Stream body, IntakeChoices choices, CancellationToken cancellationToken) =>
        HashOf(await uploads.HashAsync(body, cancellationToken), choices);

    /// <summary>Checks the file and creates its request; discards a rejected file.</summary>
    public async Task<IntakeResult> AcceptAsync(SpooledUpload upload, IntakeChoices choices, CancellationToken cancellationToken)
    {
        try
        {
            using var scope = logger.BeginScope(new LogScope(upload.RequestId));
            Traces.Note("halftone.request_id", upload.RequestId);
            var result = await TryAcceptAsync(upload, choices, cancellationToken);
            Count(upload, result);
            if (result is not IntakeResult.Accepted { RequestId: var requestId } || requestId != upload.RequestId)
            {
                await uploads.DiscardAsync(upload);
            }

            return result;
        }
        catch
        {
            await abandoned.GiveUpAsync(upload.RequestId);
            throw;
        }
    }

    private void Count(SpooledUpload upload, IntakeResult result)
    {
        switch (result)
        {
            case IntakeResult.Accepted accepted when accepted.RequestId == upload.RequestId:
                Instruments.Accepted(accepted.Products, accepted.Images);
                Traces.Note("halftone.images", accepted.Images);
                Log.Accepted(logger, accepted.RequestId, accepted.Products, accepted.Images);
                break;
            case IntakeResult.Accepted accepted:
                Instruments.NotAccepted("repeated");
                Traces.Note("halftone.request_id", accepted.RequestId);
                break;
            default:
                Instruments.NotAccepted("rejected");
                Traces.Fail("rejected");
                break;
        }
    }

    private async Task<IntakeResult> TryAcceptAsync(SpooledUpload upload, IntakeChoices choices, CancellationToken cancellationToken)
    {
        await using var spool = await uploads.OpenAsync(upload, cancellationToken);
        var equalUrls = new EqualUrls(spool.Length);
        var checking = await CheckAsync(spool, equalUrls.Note, cancellationToken);
        if (checking.Problems.Count > 0)
        {
            return new IntakeResult.Rejected(checking.Problems);
        }

        var (ids, earlier) = await BeginAsync(upload, choices, checking, cancellationToken);
        if (earlier is not null)
        {
            return earlier;
        }

        await InsertRowsAsync(upload.RequestId, spool, checking.Dialect!, ids, equalUrls, cancellationToken);
        await PromiseAsync(upload.RequestId, checking.Images, cancellationToken);
        relay.Wake();
        return new IntakeResult.Accepted(upload.RequestId, checking.Rows, checking.Images);
    }

    private async Task<ProductCsvReader> CheckAsync(Stream spool, Action<string> note, CancellationToken cancellationToken)
    {
        var reader = await ProductCsvReader.OpenAsync(spool, options.Value, cancellationToken);
        await foreach (var row in reader.ReadRowsAsync(cancellationToken))
        {
            foreach (var url in row.ImageUrls)
            {
                note(url);
            }
        }

        return reader;
    }

    /// <summary>
    /// Reserves the IDs of all rows and inserts the request, hidden; or finds the request that its idempotency key
    /// names.
    /// </summary>
    private Task<(NextIds Ids, IntakeResult? Earlier)> BeginAsync(
        SpooledUpload upload,
        IntakeChoices choices,
        ProductCsvReader file,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                var bodyHash = HashOf(upload.BodyHash, choices);
                // Comes first, because it takes the locks of the counters: of two uploads with one key, the second
                // waits here and then finds the first.
                var product = await transaction.ExecuteScalarAsync<long>(Sql.ReserveIds, new { Name = "product", Count = file.Rows });
                var image = await transaction.ExecuteScalarAsync<long>(Sql.ReserveIds, new { Name = "image", Count = file.Images });
                if (choices.IdempotencyKey is not null && await FindEarlierAsync(transaction, choices, bodyHash) is { } earlier)
                {
                    return (default(NextIds), earlier);
                }

                var parameters = new DynamicParameters(new
                {
                    upload.RequestId,
                    choices.Owner,
                    upload.FileName,
                    FirstProductId = product,
                    Products = file.Rows,
                    FirstImageId = image,
                    file.Images,
                    choices.EscapeFormulas,
                    choices.Reuse,
                    Dialect = file.Dialect!.ToString(),
                    WebhookUrl = choices.WebhookUrl?.AbsoluteUri,
                    choices.IdempotencyKey,
                    BodyHash = bodyHash,
                    UploadKey = upload.Key,
                    TraceParent = Traces.Current,
                    Now = Now(),
                });
                parameters.AddDynamicParams(choices.Outputs);
                await transaction.ExecuteAsync(Sql.InsertRequest, parameters);
                return (new NextIds(product, image), (IntakeResult?)null);
            },
            cancellationToken);

    /// <summary>
    /// Everything that must be equal for an upload to count as repeated: the file and every option. Options added in
    /// later versions are included only if they were set, so that hashes of earlier versions stay valid.
    /// </summary>
    private static string HashOf(string bodyHash, IntakeChoices choices)
    {
        var (first, later) = (choices.Outputs.FirstKeyPart('\n'), choices.Outputs.LaterKeyPart('\n'));
        var fresh = choices.Reuse ? "" : "\nfresh";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"{bodyHash}\n{first}\n{choices.EscapeFormulas}\n{choices.WebhookUrl}{fresh}{later}")));
    }

    /// <summary>An upload whose process died, or that failed and could not be removed, must not hold its key.</summary>
    private static async Task<IntakeResult?> GiveUpKeyAsync(DbTransaction transaction, object parameters)
    {
        await transaction.ExecuteAsync(Sql.GiveUpKey, parameters);
        return null;
    }

    private async Task<IntakeResult?> FindEarlierAsync(DbTransaction transaction, IntakeChoices choices, string bodyHash)
    {
        var now = time.GetUtcNow();
        var parameters = new
        {
            choices.Owner,
            choices.IdempotencyKey,
            Oldest = (now - KeyLifetime).ToUnixTimeMilliseconds(),
            Abandoned = (now - AbandonedUploads.LongestSilence).ToUnixTimeMilliseconds(),
        };
        await transaction.ExecuteAsync(Sql.ForgetOldKey, parameters);
        return await transaction.QuerySingleOrDefaultAsync<EarlierRow>(Sql.Earlier, parameters) switch
        {
            null => null,
            { State: RequestState.Receiving } row when row.UpdatedAt >= parameters.Abandoned => new IntakeResult.KeyInUse(),
            { State: RequestState.Receiving } => await GiveUpKeyAsync(transaction, parameters),
            { } row when row.BodyHash != bodyHash => new IntakeResult.KeyReused(),
            { } row => new IntakeResult.Accepted(row.RequestId, row.Products, row.Images),
        };
    }

    /// <summary>Reads one chunk while the previous one is inserted.</summary>
    private async Task InsertRowsAsync(
        Guid requestId,
        Stream spool,
        CsvDialect dialect,
        NextIds ids,
        EqualUrls equalUrls,
        CancellationToken cancellationToken)
    {
        var inserting = Task.FromResult(ids);
        try
        {
            await foreach (var chunk in ReadChunksAsync(spool, dialect, cancellationToken))
            {
                ids = await inserting;
                inserting = Task.Run(() => InsertChunkAsync(requestId, chunk, ids, equalUrls, cancellationToken), cancellationToken);
            }
        }
        finally
        {
            // No insert may be running when this returns: if reading failed, the inserted rows are removed.
            await inserting;
        }
    }

    private async IAsyncEnumerable<List<ProductRow>> ReadChunksAsync(
        Stream spool,
        CsvDialect dialect,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = await ProductCsvReader.ReopenAsync(spool, dialect, options.Value, cancellationToken);
        var chunk = new List<ProductRow>();
        var chunkImages = 0;
        await foreach (var row in reader.ReadRowsAsync(cancellationToken))
        {
            chunk.Add(row);
            chunkImages += row.ImageUrls.Count;
            if (chunk.Count + chunkImages >= databaseOptions.Value.IntakeChunkRows)
            {
                yield return chunk;
                chunk = [];
                chunkImages = 0;
            }
        }

        yield return chunk;
    }

    private Task<NextIds> InsertChunkAsync(
        Guid requestId,
        List<ProductRow> rows,
        NextIds ids,
        EqualUrls equalUrls,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                var now = Now();
                ExpectReceiving(requestId, await transaction.ExecuteAsync(Sql.Touch, new { RequestId = requestId, Now = now }));
                return await ChunkInsert.RunAsync(transaction, requestId, rows, ids, equalUrls, now, cancellationToken);
            },
            cancellationToken);

    /// <summary>Makes the request visible to everyone: writes the first Plan message, or Finish if there is nothing to do.</summary>
    internal Task PromiseAsync(Guid requestId, long images, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                ExpectReceiving(requestId, await transaction.ExecuteAsync(Sql.Promise, new { RequestId = requestId, Now = Now() }));
                Message first = images > 0
                    ? new Message.Plan { RequestId = requestId, Run = 1, After = 0 }
                    : new Message.Finish { RequestId = requestId, Run = 1 };
                await Outbox.AddAsync(transaction, first, time);
            },
            cancellationToken);

    /// <summary>Refuses to add to an upload that was silent for so long that it counts as abandoned and is being removed.</summary>
    private static void ExpectReceiving(Guid requestId, int rows)
    {
        if (rows == 0)
        {
            throw new InvalidOperationException($"Upload {requestId} was given up while it was being received.");
        }
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Dispose() => places.Dispose();

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }

    private sealed record EarlierRow
    {
        public required Guid RequestId { get; init; }
        public required RequestState State { get; init; }
        public required long UpdatedAt { get; init; }
        public required string BodyHash { get; init; }
        public required long Products { get; init; }
        public required long Images { get; init; }
    }

    private static class Sql
    {
        public const string ReserveIds = "UPDATE id_block SET next_id = next_id + @Count WHERE name = @Name RETURNING next_id - @Count";

        public const string ForgetOldKey = """
            UPDATE request SET idempotency_key = NULL WHERE owner = @Owner AND idempotency_key = @IdempotencyKey AND created_at < @Oldest
            """;

        public const string GiveUpKey = """
            UPDATE request SET idempotency_key = NULL
            WHERE  owner = @Owner AND idempotency_key = @IdempotencyKey AND state = 'receiving' AND updated_at < @Abandoned
            """;

        public const string Earlier = """
            SELECT request_id, state, updated_at, body_hash, products, images
            FROM   request
            WHERE  owner = @Owner AND idempotency_key = @IdempotencyKey
            """;

        public const string InsertRequest = $"""
            INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images,
                                 {OutputOptions.Columns}, escape_formulas, reuse, dialect, webhook_url,
                                 idempotency_key, body_hash, upload_key, trace_parent, created_at, updated_at)
            VALUES (@RequestId, @Owner, @FileName, 'receiving', @FirstProductId, @Products, @FirstImageId, @Images,
                    {OutputOptions.Parameters}, @EscapeFormulas, @Reuse, @Dialect, @WebhookUrl,
                    @IdempotencyKey, @BodyHash, @UploadKey, @TraceParent, @Now, @Now)
            """;

        /// <summary>A sign of life for <see cref="AbandonedUploads"/>.</summary>
        public const string Touch = "UPDATE request SET updated_at = @Now WHERE request_id = @RequestId AND state = 'receiving'";

        public const string Promise =
            "UPDATE request SET state = 'pending', updated_at = @Now WHERE request_id = @RequestId AND state = 'receiving'";
    }

    private static partial class Log
    {
        [LoggerMessage(801, LogLevel.Information, "Request {RequestId} accepted: {Products} products, {Images} images")]
        public static partial void Accepted(ILogger logger, Guid requestId, long products, long images);
    }
}
