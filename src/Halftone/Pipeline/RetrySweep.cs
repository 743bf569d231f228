using System.Data.Common;
using System.Text.Json;
using Dapper;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// Hands images and deliveries whose time has come back to the queue. It never clears the due time but moves it forward by a
/// lease: if the message is lost, the row is due again, and only a recorded outcome ends it. What the queue did not take because it was away is
/// published when it is back, not when the lease has run out.
/// </summary>
internal sealed partial class RetrySweep(HalftoneDatabase database, IWorkQueue queue, DueSignal due, WaitingRoom waitingRoom, ImageSample sample, IOptions<QueueOptions> options, IOptions<FetchOptions> fetchOptions, IOptions<ServerOptions> server, TimeProvider time, ILogger<RetrySweep> logger) : BackgroundService
{
    /// <summary>In one pass: the limit of the statements.</summary>
    private const int MostImages = 256;

    /// <summary>A process that takes images and dies before the broker has them costs them so long, and not <see cref="QueueOptions.Lease"/>; 30 s.</summary>
    private static readonly TimeSpan UntilPublished = TimeSpan.FromSeconds(30);

    /// <summary>Clocks are slewed by less between two passes; a jump is more.</summary>
    private static readonly TimeSpan LeastJump = TimeSpan.FromSeconds(30);

    /// <summary>Leased, and the queue has not said that it has them. Some may be there all the same: a second one changes nothing.</summary>
    private List<Message> unpublished = [];

    /// <summary>Under which their images are.</summary>
    private long firstLease;

    private (DateTimeOffset Clock, long Timestamp) last = (time.GetUtcNow(), time.GetTimestamp());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Only those who work on images know whether there is room for more.
        if (server.Value.Role == Role.Api)
        {
            return;
        }

        var backoff = new OutageBackoff(time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var isMoreDue = await SweepAsync(stoppingToken);
                backoff.Reset();
                if (!isMoreDue)
                {
                    await due.WaitAsync(options.Value.SweepInterval, time, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (Outage.Is(exception))
            {
                OutageLog.Outage(logger, exception.Message);
                await backoff.WaitAsync(stoppingToken);
            }
#pragma warning disable CA1031 // The sweep must outlive every outage.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.SweepFailed(logger, exception);
                await backoff.WaitAsync(stoppingToken);
            }
        }
    }

    /// <summary>One pass; public to tests, which move the clock instead of waiting.</summary>
    /// <returns>Whether it took as many images as one pass may: then there are likely more, and while the queue has room nothing is waited for.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        if (queue.IsInProcess)
        {
            await FollowClockAsync(cancellationToken);
        }

        await PublishAsync(cancellationToken);

        // Looked for on a reading connection first: an idle server must not take the write lock every second.
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var parameters = new
        {
            Now = now,
            Lease = now + (long)options.Value.Lease.TotalMilliseconds,
            FirstLease = now + (long)(queue.IsInProcess || options.Value.Lease < UntilPublished ? options.Value.Lease : UntilPublished).TotalMilliseconds,
            Latest = now + (long)LongestWait.TotalMilliseconds,
            Images = queue.HasRoom(QueueName.Work),
            Deliveries = queue.HasRoom(QueueName.Deliver),
            Full = JsonSerializer.Serialize(waitingRoom.Full(options.Value.WaitingImagesPerRequest).Select(id => id.ToString("D"))),
        };
        if (!await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>(Sql.AnyDue, parameters), cancellationToken))
        {
            return false;
        }

        await database.WriteAsync(
            async transaction =>
            {
                var messages = new List<Message>();
                if (parameters.Images)
                {
                    // One range of the index after the other: asked for at once, SQLite would read and sort all that is due.
                    var images = await DueAsync(transaction, 0, now, parameters.Full);
                    images.AddRange(images.Count == 0 ? await DueAsync(transaction, parameters.Latest + 1, long.MaxValue, parameters.Full) : []);
                    var ids = JsonSerializer.Serialize(images.Select(image => image.ImageId));
                    await transaction.ExecuteAsync(database.Choose(Sql.LeaseImagesSqlite, Sql.LeaseImagesPostgres), new { Ids = ids, Lease = parameters.FirstLease });
                    messages.AddRange(images.Select(ToMessage));
                }

                if (parameters.Deliveries)
                {
                    var deliveries = await transaction.QueryAsync<DueDelivery>(database.Choose(Sql.LeaseDeliveriesSqlite, Sql.LeaseDeliveriesPostgres), parameters);
                    messages.AddRange(deliveries.Select(d => new Message.Deliver { RequestId = d.RequestId, Run = d.Run, DeliveryId = d.DeliveryId, Attempt = d.Attempt }));
                }

                // Before the commit, whose answer may get lost.
                (unpublished, firstLease) = (messages, parameters.FirstLease);
                return true;
            },
            cancellationToken);
        var isFull = unpublished.Count(message => message is Message.Image) == MostImages;
        await PublishAsync(cancellationToken);
        return isFull;
    }

    private async Task PublishAsync(CancellationToken cancellationToken)
    {
        if (unpublished.Count > 0)
        {
            await queue.PublishAsync(unpublished, cancellationToken);
            var ids = unpublished.OfType<Message.Image>().Select(image => image.ImageId).ToArray();
            unpublished = [];
            if (ids.Length > 0 && !queue.IsInProcess)
            {
                var parameters = new { Ids = JsonSerializer.Serialize(ids), FirstLease = firstLease, Lease = (time.GetUtcNow() + options.Value.Lease).ToUnixTimeMilliseconds() };
                await database.WriteAsync(transaction => transaction.ExecuteAsync(database.Choose(Sql.ProlongImagesSqlite, Sql.ProlongImagesPostgres), parameters), cancellationToken);
            }
        }
    }

    /// <summary>No image waits longer: one that seems to was given its time before the clock was set back.</summary>
    private TimeSpan LongestWait
    {
        get
        {
            var longest = fetchOptions.Value.RetryDelays.Append(fetchOptions.Value.MaxRetryAfter).Append(options.Value.Lease).Max();
            return (longest * 1.2) + TimeSpan.FromMinutes(1);
        }
    }

    /// <summary>
    /// Due times move with a clock that was set: else an hour forward would make everything that waits due at once, and an hour back would make
    /// it wait an hour more. What was written after a jump forward counts from the new time already. Where several machines have the database in
    /// common, one of them whose clock jumps must not move what the others wrote.
    /// </summary>
    private async Task FollowClockAsync(CancellationToken cancellationToken)
    {
        var (clock, timestamp) = (time.GetUtcNow(), time.GetTimestamp());
        var expected = last.Clock + time.GetElapsedTime(last.Timestamp, timestamp);
        var jump = clock - expected;
        if (jump.Duration() >= LeastJump)
        {
            Log.ClockJumped(logger, jump);
            var parameters = new { Jump = (long)jump.TotalMilliseconds, Until = expected.ToUnixTimeMilliseconds() };
            await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.MoveDueTimes, parameters, HalftoneDatabase.LongStatementSeconds), cancellationToken);
        }

        last = (clock, timestamp);
    }

    private async Task<List<DueImage>> DueAsync(DbTransaction transaction, long from, long to, string full) =>
        (await transaction.QueryAsync<DueImage>(database.Choose(Sql.DueImagesSqlite, Sql.DueImagesPostgres), new { From = from, To = to, Full = full })).AsList();

    private Message.Image ToMessage(DueImage image) => new()
    {
        RequestId = image.RequestId,
        Run = image.Run,
        ImageId = image.ImageId,
        Url = image.InputUrl,
        Attempt = image.Attempt,
        Quality = image.Quality,
        Format = image.Format,
        MaxWidth = image.MaxWidth,
        MaxHeight = image.MaxHeight,
        Variants = image.Variants,
        Owner = image.Owner,
        Fresh = image.Reuse ? null : true,
        Name = ObjectKey.NameOf(image.SerialNumber, image.ImageId - image.ProductFirstImageId + 1),
        TraceParent = sample.TraceOf(image.TraceParent, image.ImageId - image.FirstImageId, image.Images),
    };

    private sealed record DueImage
    {
        public required Guid RequestId { get; init; }
        public required int Run { get; init; }
        public required long ImageId { get; init; }
        public required string InputUrl { get; init; }
        public required int Attempt { get; init; }
        public required int Quality { get; init; }
        public string? Format { get; init; }
        public int? MaxWidth { get; init; }
        public int? MaxHeight { get; init; }
        public string? Variants { get; init; }
        public required string Owner { get; init; }
        public required bool Reuse { get; init; }
        public required string SerialNumber { get; init; }
        public required long ProductFirstImageId { get; init; }
        public string? TraceParent { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
    }

    private sealed record DueDelivery
    {
        public required Guid RequestId { get; init; }
        public required int Run { get; init; }
        public required long DeliveryId { get; init; }
        public required int Attempt { get; init; }
    }

    private static class Sql
    {
        /// <summary>Uses the partial indexes image_due and delivery_due.</summary>
        public const string AnyDue = """
            SELECT (@Images AND (EXISTS (SELECT 1 FROM image WHERE next_attempt_at <= @Now) OR EXISTS (SELECT 1 FROM image WHERE next_attempt_at > @Latest)))
                OR (@Deliveries AND EXISTS (SELECT 1 FROM delivery WHERE next_attempt_at <= @Now))
            """;

        /// <summary>Images of open requests only, for the rows of a closed one never change; and of none whose hosts have enough images waiting.</summary>
        public const string DueImagesSqlite = """
            SELECT r.request_id, r.run, i.image_id, i.input_url, i.attempt,
                   r.quality, r.format, r.max_width, r.max_height, r.variants, r.owner, r.reuse,
                   p.serial_number, p.first_image_id AS product_first_image_id, r.trace_parent, r.first_image_id, r.images
            FROM   image i
            JOIN   product p ON p.product_id = i.product_id
            JOIN   request r ON r.request_id = p.request_id
            WHERE  i.next_attempt_at BETWEEN @From AND @To AND i.state = 'pending' AND r.state IN ('pending', 'processing')
            AND    r.request_id NOT IN (SELECT value FROM json_each(@Full))
            ORDER  BY i.next_attempt_at
            LIMIT  256
            """;

        /// <summary>Each sweep takes rows that no other has. The limit is no parameter: with one, a prepared plan reads the whole table.</summary>
        public const string DueImagesPostgres = """
            SELECT r.request_id, r.run, i.image_id, i.input_url, i.attempt,
                   r.quality, r.format, r.max_width, r.max_height, r.variants, r.owner, r.reuse,
                   p.serial_number, p.first_image_id AS product_first_image_id, r.trace_parent, r.first_image_id, r.images
            FROM   image i
            JOIN   product p ON p.product_id = i.product_id
            JOIN   request r ON r.request_id = p.request_id
            WHERE  i.next_attempt_at BETWEEN @From AND @To AND i.state = 'pending' AND r.state IN ('pending', 'processing')
            AND    r.request_id NOT IN (SELECT value::uuid FROM json_array_elements_text(@Full::json))
            ORDER  BY i.next_attempt_at
            LIMIT  256
            FOR UPDATE OF i SKIP LOCKED
            """;

        public const string LeaseImagesSqlite = """
            UPDATE image SET next_attempt_at = @Lease WHERE image_id IN (SELECT value FROM json_each(@Ids)) AND state = 'pending'
            """;

        public const string LeaseImagesPostgres = """
            UPDATE image SET next_attempt_at = @Lease WHERE image_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json)) AND state = 'pending'
            """;

        /// <summary>Those that nobody has done or handed out meanwhile.</summary>
        public const string ProlongImagesSqlite = """
            UPDATE image SET next_attempt_at = @Lease WHERE image_id IN (SELECT value FROM json_each(@Ids)) AND state = 'pending' AND next_attempt_at = @FirstLease
            """;

        public const string ProlongImagesPostgres = """
            UPDATE image SET next_attempt_at = @Lease
            WHERE  image_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json)) AND state = 'pending' AND next_attempt_at = @FirstLease
            """;

        public const string MoveDueTimes = """
            UPDATE image SET next_attempt_at = next_attempt_at + @Jump WHERE next_attempt_at IS NOT NULL AND updated_at <= @Until;
            UPDATE delivery SET next_attempt_at = next_attempt_at + @Jump WHERE next_attempt_at IS NOT NULL AND updated_at <= @Until
            """;

        public const string LeaseDeliveriesSqlite = """
            WITH   due AS (SELECT delivery_id FROM delivery WHERE next_attempt_at <= @Now AND state = 'pending' ORDER BY next_attempt_at LIMIT 256)
            UPDATE delivery
            SET    next_attempt_at = @Lease
            WHERE  delivery_id IN (SELECT delivery_id FROM due)
            RETURNING request_id, run, delivery_id, attempt
            """;

        /// <summary>Materialized: as a subquery it may be run more than once, and lock more rows than it answers.</summary>
        public const string LeaseDeliveriesPostgres = """
            WITH   due AS MATERIALIZED (SELECT delivery_id FROM delivery WHERE next_attempt_at <= @Now AND state = 'pending' ORDER BY next_attempt_at LIMIT 256 FOR UPDATE SKIP LOCKED)
            UPDATE delivery
            SET    next_attempt_at = @Lease
            WHERE  delivery_id IN (SELECT delivery_id FROM due)
            RETURNING request_id, run, delivery_id, attempt
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(912, LogLevel.Warning, "The clock was set by {Jump}: what waits for another attempt waits as long as before")]
        public static partial void ClockJumped(ILogger logger, TimeSpan jump);

        [LoggerMessage(911, LogLevel.Error, "Due images and deliveries could not be handed out; tried again")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
