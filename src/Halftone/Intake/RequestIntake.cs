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
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary>What the sender asked for beside the file.</summary>
internal sealed record IntakeChoices
{
    public required string Owner { get; init; }

    /// <summary>The header of that name: the same key within 24 hours gives the same answer and no second request.</summary>
    public string? IdempotencyKey { get; init; }

    public required int Quality { get; init; }

    /// <summary>A name of <see cref="FormatName.Known"/>, or null to keep each source's.</summary>
    public string? Format { get; init; }

    /// <summary>What outputs fit into, in pixels, 1 to 65,535; null: no bound.</summary>
    public int? MaxWidth { get; init; }

    public int? MaxHeight { get; init; }

    /// <summary>More outputs of each image, as <see cref="VariantSpec.TextOf"/> writes them; null: none.</summary>
    public string? Variants { get; init; }

    public bool EscapeFormulas { get; init; }

    /// <summary>Outputs of earlier requests may be taken over.</summary>
    public bool Reuse { get; init; } = true;

    public Uri? WebhookUrl { get; init; }
}

/// <summary>The body of an upload, safe on disk and not yet read.</summary>
/// <param name="RequestId">The id its request will have.</param>
/// <param name="Key">Where it lies in the file store.</param>
/// <param name="FileName">The sender's name for it, at most 255 characters.</param>
/// <param name="BodyHash">SHA-256, hexadecimal.</param>
internal sealed record SpooledUpload(Guid RequestId, string Key, string FileName, string BodyHash);

/// <summary>A file read to its end.</summary>
internal sealed record CheckedUpload(ProductCsvReader Reader, HostCounts Hosts);

/// <summary>The body is longer than <see cref="IntakeOptions.MaxBodyBytes"/>, or than what its kind may be.</summary>
internal sealed class SpoolTooLargeException : Exception;

internal abstract record IntakeResult
{
    private IntakeResult() { }

    public sealed record Accepted(Guid RequestId, long Products, long Images) : IntakeResult;

    public sealed record Rejected(CsvProblems Problems) : IntakeResult;

    /// <summary>An upload with this idempotency key is still being taken in.</summary>
    public sealed record KeyInUse : IntakeResult;

    /// <summary>This idempotency key belongs to another file or other choices.</summary>
    public sealed record KeyReused : IntakeResult;
}

/// <summary>
/// From a body on the wire to a request that is promised. The body is spooled as it came and flushed; it is read once to check it,
/// and only a file without problems is read again to insert its rows, in chunks, under the hidden state <c>receiving</c>. One small
/// transaction then makes it <c>pending</c> and writes its first Plan. Nothing of a rejected file is kept.
/// </summary>
internal sealed partial class RequestIntake(
    HalftoneDatabase database,
    StoredFiles files,
    OutboxRelay relay,
    AbandonedUploads abandoned,
    IOptions<IntakeOptions> options,
    IOptions<DatabaseOptions> databaseOptions,
    TimeProvider time,
    ILogger<RequestIntake> logger) : IDisposable
{
    private const int MaxFileNameChars = 255;

    private readonly SemaphoreSlim places = new(options.Value.MaxUploads);

    /// <summary>How long an idempotency key is remembered.</summary>
    private static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(24);

    /// <summary>A place among the uploads that are taken in at a time, to be disposed at the end; null where there is none.</summary>
    public IDisposable? TryEnter() => places.Wait(0, CancellationToken.None) ? new Place(places) : null;

    /// <summary>Writes the body to the file store; it is on disk when this returns.</summary>
    public Task<SpooledUpload> SpoolAsync(Stream body, string fileName, CancellationToken cancellationToken) => SpoolAsync(body, fileName, options.Value.MaxBodyBytes, cancellationToken);

    /// <param name="body">Taken in plain where it is gzip.</param>
    /// <param name="fileName">The sender's name for it.</param>
    /// <param name="maxBytes">The most that is written.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <exception cref="SpoolTooLargeException">It is longer.</exception>
    public async Task<SpooledUpload> SpoolAsync(Stream body, string fileName, long maxBytes, CancellationToken cancellationToken)
    {
        var requestId = Guid.CreateVersion7(time.GetUtcNow());
        var key = ObjectKey.ForFile(requestId, "upload", "csv");
        await using var plain = await GzipBody.PlainAsync(body, cancellationToken);
        string hash;
        try
        {
            hash = await files.Store.PutAsync(key, "text/csv", spool => CopyAsync(plain, spool, Math.Min(maxBytes, options.Value.MaxBodyBytes), cancellationToken), cancellationToken);
        }
        catch
        {
            await files.Store.DeleteAllAsync(requestId, CancellationToken.None);
            throw;
        }

        return new SpooledUpload(requestId, key, NameOf(fileName), hash);
    }

    /// <summary>The sender's name in characters that any database holds and any header may: no control characters, no half of a surrogate pair.</summary>
    private static string NameOf(string fileName)
    {
        var name = new StringBuilder();
        foreach (var rune in fileName.EnumerateRunes().Where(rune => !Rune.IsControl(rune)).TakeWhile(rune => name.Length + rune.Utf16SequenceLength <= MaxFileNameChars))
        {
            name.Append(rune.ToString());
        }

        return name.ToString();
    }

    /// <summary>Checks the file and keeps nothing of it but the findings.</summary>
    public async Task<CheckedUpload> CheckAsync(SpooledUpload upload, CancellationToken cancellationToken)
    {
        await using var spool = await OpenAsync(upload, cancellationToken);
        var hosts = new HostCounts();
        return new CheckedUpload(await CheckAsync(spool, hosts.Add, cancellationToken), hosts);
    }

    /// <summary>What <c>request.body_hash</c> would be: the same for an upload of the same bytes with the same choices.</summary>
    public async Task<string> HashAsync(Stream body, IntakeChoices choices, CancellationToken cancellationToken)
    {
        await using var plain = await GzipBody.PlainAsync(body, cancellationToken);
        return HashOf(await CopyAsync(plain, Stream.Null, options.Value.MaxBodyBytes, cancellationToken), choices);
    }

    /// <summary>Forgets a spooled body.</summary>
    public Task DiscardAsync(SpooledUpload upload) => files.Store.DeleteAllAsync(upload.RequestId, CancellationToken.None);

    /// <summary>Checks the file and makes it a request; a rejected file is discarded.</summary>
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
                await DiscardAsync(upload);
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
        await using var spool = await OpenAsync(upload, cancellationToken);
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

    /// <summary>A spooled body.</summary>
    public async Task<Stream> OpenAsync(SpooledUpload upload, CancellationToken cancellationToken) =>
        await files.Store.OpenReadAsync(upload.Key, cancellationToken) ?? throw new InvalidOperationException($"The spooled upload {upload.Key} has gone.");

    private static async Task<string> CopyAsync(Stream body, Stream spool, long maxBytes, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[65_536];
        var length = 0L;
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            // A gzip of a few KB can hold gigabytes: the limit is on what is spooled.
            if ((length += read) > maxBytes)
            {
                throw new SpoolTooLargeException();
            }

            hash.AppendData(buffer, 0, read);
            await spool.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
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

    /// <summary>Reserves the ids of all rows and inserts the request, hidden; or finds the request that its idempotency key names.</summary>
    private Task<(NextIds Ids, IntakeResult? Earlier)> BeginAsync(SpooledUpload upload, IntakeChoices choices, ProductCsvReader file, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                var bodyHash = HashOf(upload.BodyHash, choices);
                // First of all, for it takes the counters' locks: of two uploads with one key the second waits here and then finds the first.
                var product = await transaction.ExecuteScalarAsync<long>(Sql.ReserveIds, new { Name = "product", Count = file.Rows });
                var image = await transaction.ExecuteScalarAsync<long>(Sql.ReserveIds, new { Name = "image", Count = file.Images });
                if (choices.IdempotencyKey is not null && await FindEarlierAsync(transaction, choices, bodyHash) is { } earlier)
                {
                    return (default(NextIds), earlier);
                }

                await transaction.ExecuteAsync(
                    Sql.InsertRequest,
                    new
                    {
                        upload.RequestId,
                        choices.Owner,
                        upload.FileName,
                        FirstProductId = product,
                        Products = file.Rows,
                        FirstImageId = image,
                        file.Images,
                        choices.Quality,
                        choices.Format,
                        choices.MaxWidth,
                        choices.MaxHeight,
                        choices.Variants,
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
                return (new NextIds(product, image), (IntakeResult?)null);
            },
            cancellationToken);

    /// <summary>
    /// What must be the same for a repeated upload to be the same: the file and every choice. Choices that came with a later version say something only
    /// where they were made: what an earlier one wrote stays good.
    /// </summary>
    private static string HashOf(string bodyHash, IntakeChoices choices)
    {
        var fresh = choices.Reuse ? "" : "\nfresh";
        var size = choices is { MaxWidth: null, MaxHeight: null } ? "" : $"\nfits {choices.MaxWidth}x{choices.MaxHeight}";
        var variants = choices.Variants is null ? "" : $"\nvariants {choices.Variants}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"{bodyHash}\n{choices.Quality}\n{choices.Format}\n{choices.EscapeFormulas}\n{choices.WebhookUrl}{fresh}{size}{variants}")));
    }

    /// <summary>What was left of an upload whose process died, or that failed and whose removal failed too, must not hold its key.</summary>
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
            { State: "receiving" } row when row.UpdatedAt >= parameters.Abandoned => new IntakeResult.KeyInUse(),
            { State: "receiving" } => await GiveUpKeyAsync(transaction, parameters),
            { } row when row.BodyHash != bodyHash => new IntakeResult.KeyReused(),
            { } row => new IntakeResult.Accepted(row.RequestId, row.Products, row.Images),
        };
    }

    /// <summary>Reads one chunk while the one before is inserted.</summary>
    private async Task InsertRowsAsync(Guid requestId, Stream spool, CsvDialect dialect, NextIds ids, EqualUrls equalUrls, CancellationToken cancellationToken)
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
            // Nobody may insert any more when this returns: what was inserted is removed where the reading failed.
            await inserting;
        }
    }

    private async IAsyncEnumerable<List<ProductRow>> ReadChunksAsync(Stream spool, CsvDialect dialect, [EnumeratorCancellation] CancellationToken cancellationToken)
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

    private Task<NextIds> InsertChunkAsync(Guid requestId, List<ProductRow> rows, NextIds ids, EqualUrls equalUrls, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                var now = Now();
                ExpectReceiving(requestId, await transaction.ExecuteAsync(Sql.Touch, new { RequestId = requestId, Now = now }));
                return await ChunkInsert.RunAsync(transaction, requestId, rows, ids, equalUrls, now, cancellationToken);
            },
            cancellationToken);

    /// <summary>From here on the request exists for everybody: the first Plan, or Finish where there is nothing to do.</summary>
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

    /// <summary>An upload that was silent for so long that it was taken for abandoned is being removed: nothing may be added to it.</summary>
    private static void ExpectReceiving(Guid requestId, int rows)
    {
        if (rows == 0)
        {
            throw new InvalidOperationException($"Upload {requestId} was given up while it was taken in.");
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
        public required string State { get; init; }
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

        public const string InsertRequest = """
            INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images, quality, format, max_width, max_height, variants,
                                 escape_formulas, reuse, dialect, webhook_url, idempotency_key, body_hash, upload_key, trace_parent, created_at, updated_at)
            VALUES (@RequestId, @Owner, @FileName, 'receiving', @FirstProductId, @Products, @FirstImageId, @Images, @Quality, @Format, @MaxWidth, @MaxHeight, @Variants,
                    @EscapeFormulas, @Reuse, @Dialect, @WebhookUrl, @IdempotencyKey, @BodyHash, @UploadKey, @TraceParent, @Now, @Now)
            """;

        /// <summary>A sign of life to <see cref="AbandonedUploads"/>.</summary>
        public const string Touch = "UPDATE request SET updated_at = @Now WHERE request_id = @RequestId AND state = 'receiving'";

        public const string Promise = "UPDATE request SET state = 'pending', updated_at = @Now WHERE request_id = @RequestId AND state = 'receiving'";
    }

    private static partial class Log
    {
        [LoggerMessage(801, LogLevel.Information, "Request {RequestId} was accepted: {Products} products, {Images} images")]
        public static partial void Accepted(ILogger logger, Guid requestId, long products, long images);
    }
}
