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
/// Hands due images and deliveries back to the queue. Never clears the due time but moves it forward by a lease: if the
/// message is lost, the row becomes due again, and only a recorded outcome ends it. If the queue was unavailable,
/// publishes when it is back, not when the lease has expired.
/// </summary>
internal sealed partial class RetrySweep(
    HalftoneDatabase database,
    IWorkQueue queue,
    DueSignal due,
    WaitingRoom waitingRoom,
    ImageSample sample,
    IOptions<QueueOptions> options,
    IOptions<FetchOptions> fetchOptions,
    IOptions<ServerOptions> server,
    TimeProvider time,
    ILogger<RetrySweep> logger) : BackgroundService
{
    /// <summary>Maximum per pass: the limit of the statements.</summary>
    private const int MostImages = 256;

    /// <summary>
    /// First lease: if a process takes images and dies before the broker has them, they wait this long instead of
    /// <see cref="QueueOptions.Lease"/>; 30 s.
    /// </summary>
    private static readonly TimeSpan UntilPublished = TimeSpan.FromSeconds(30);

    /// <summary>Larger differences between two passes are clock jumps; slewing is smaller.</summary>
    private static readonly TimeSpan LeastJump = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Messages that are leased but not confirmed by the queue. Some may be on it all the same: a second message has no
    /// effect.
    /// </summary>
    private List<Message> unpublished = [];

    /// <summary>The lease of their images.</summary>
    private long firstLease;

    private (DateTimeOffset Clock, long Timestamp) last = (time.GetUtcNow(), time.GetTimestamp());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Only processes that work on images know whether there is room for more.
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
#pragma warning disable CA1031 // The sweep must survive every outage.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.SweepFailed(logger, exception);
                await backoff.WaitAsync(stoppingToken);
            }
        }
    }

    /// <summary>Runs one pass; public for tests, which move the clock instead of waiting.</summary>
    /// <returns>True if it took the maximum number of images: then there are probably more, and the next pass follows
    /// at once while the queue has room.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        if (queue.IsInProcess)
        {
            await FollowClockAsync(cancellationToken);
        }

        await PublishAsync(cancellationToken);

        // Looks on a reading connection first, so that an idle server does not take the write lock every second.
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var untilPublished = queue.IsInProcess || options.Value.Lease < UntilPublished ? options.Value.Lease : UntilPublished;
        var parameters = new
        {
            Now = now,
            Lease = now + (long)options.Value.Lease.TotalMilliseconds,
            FirstLease = now + (long)untilPublished.TotalMilliseconds,
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
                    // One range of the index after the other: queried together, SQLite would read and sort everything that is due.
                    var images = await DueAsync(transaction, 0, now, parameters.Full);
                    images.AddRange(
                        images.Count == 0 ? await DueAsync(transaction, parameters.Latest + 1, long.MaxValue, parameters.Full) : []);
                    var ids = JsonSerializer.Serialize(images.Select(image => image.ImageId));
                    await transaction.ExecuteAsync(
                        database.Choose(Sql.LeaseImagesSqlite, Sql.LeaseImagesPostgres),
                        new { Ids = ids, Lease = parameters.FirstLease });
                    messages.AddRange(images.Select(image => image.ToMessage(image.TraceOf(sample))));
                }

                if (parameters.Deliveries)
                {
                    var deliveries = await transaction.QueryAsync<DueDelivery>(
                        database.Choose(Sql.LeaseDeliveriesSqlite, Sql.LeaseDeliveriesPostgres),
                        parameters);
                    messages.AddRange(
                        deliveries.Select(d =>
                            new Message.Deliver { RequestId = d.RequestId, Run = d.Run, DeliveryId = d.DeliveryId, Attempt = d.Attempt }));
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
                var parameters = new
                {
                    Ids = JsonSerializer.Serialize(ids),
                    FirstLease = firstLease,
                    Lease = (time.GetUtcNow() + options.Value.Lease).ToUnixTimeMilliseconds(),
                };
                await database.WriteAsync(
                    transaction =>
                        transaction.ExecuteAsync(database.Choose(Sql.ProlongImagesSqlite, Sql.ProlongImagesPostgres), parameters),
                    cancellationToken);
            }
        }
    }

    /// <summary>Latest possible due time: a later one was written before the clock was set back.</summary>
    private TimeSpan LongestWait
    {
        get
        {
            var longest = fetchOptions.Value.RetryDelays.Append(fetchOptions.Value.MaxRetryAfter).Append(options.Value.Lease).Max();
            return (longest * 1.2) + TimeSpan.FromMinutes(1);
        }
    }

    /// <summary>
    /// Moves due times with the clock when it is set: otherwise a jump of an hour forward would make everything due at
    /// once, and an hour back would delay it by an hour. Rows written after a jump forward already use the new time. If
    /// several machines share the database, a machine whose clock jumps must not move rows of the others.
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
            await database.WriteAsync(
                transaction => transaction.ExecuteAsync(Sql.MoveDueTimes, parameters, HalftoneDatabase.LongStatementSeconds),
                cancellationToken);
        }

        last = (clock, timestamp);
    }

    private Task<List<PendingImage>> DueAsync(DbTransaction transaction, long from, long to, string full) => PendingImage.QueryAsync(
        transaction.OpenConnection,
        database.Choose(Sql.DueImagesSqlite, Sql.DueImagesPostgres),
        new { From = from, To = to, Full = full },
        transaction);

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
            SELECT (@Images AND (EXISTS (SELECT 1 FROM image WHERE next_attempt_at <= @Now)
                                 OR EXISTS (SELECT 1 FROM image WHERE next_attempt_at > @Latest)))
                OR (@Deliveries AND EXISTS (SELECT 1 FROM delivery WHERE next_attempt_at <= @Now))
            """;

        /// <summary>
        /// Only images of open requests, because the rows of a closed one never change; none whose request fills the
        /// waiting room.
        /// </summary>
        public const string DueImagesSqlite = $"""
            {PendingImage.Select}
            WHERE  i.next_attempt_at BETWEEN @From AND @To AND i.state = 'pending' AND r.state IN ('pending', 'processing')
            AND    r.request_id NOT IN (SELECT value FROM json_each(@Full))
            ORDER  BY i.next_attempt_at
            LIMIT  256
            """;

        /// <summary>
        /// Each sweep takes rows that no other has. The limit is not a parameter: with one, a prepared plan reads the whole table.
        /// </summary>
        public const string DueImagesPostgres = $"""
            {PendingImage.Select}
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
            UPDATE image
            SET    next_attempt_at = @Lease
            WHERE  image_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json)) AND state = 'pending'
            """;

        /// <summary>Images that nobody has finished or handed out in the meantime.</summary>
        public const string ProlongImagesSqlite = """
            UPDATE image
            SET    next_attempt_at = @Lease
            WHERE  image_id IN (SELECT value FROM json_each(@Ids)) AND state = 'pending' AND next_attempt_at = @FirstLease
            """;

        public const string ProlongImagesPostgres = """
            UPDATE image SET next_attempt_at = @Lease
            WHERE  image_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json))
            AND    state = 'pending' AND next_attempt_at = @FirstLease
            """;

        public const string MoveDueTimes = """
            UPDATE image SET next_attempt_at = next_attempt_at + @Jump WHERE next_attempt_at IS NOT NULL AND updated_at <= @Until;
            UPDATE delivery SET next_attempt_at = next_attempt_at + @Jump WHERE next_attempt_at IS NOT NULL AND updated_at <= @Until
            """;

        public const string LeaseDeliveriesSqlite = """
            WITH   due AS (SELECT delivery_id FROM delivery WHERE next_attempt_at <= @Now AND state = 'pending'
                           ORDER BY next_attempt_at LIMIT 256)
            UPDATE delivery
            SET    next_attempt_at = @Lease
            WHERE  delivery_id IN (SELECT delivery_id FROM due)
            RETURNING request_id, run, delivery_id, attempt
            """;

        /// <summary>Materialized: a subquery may be executed more than once, and lock more rows than it returns.</summary>
        public const string LeaseDeliveriesPostgres = """
            WITH   due AS MATERIALIZED (SELECT delivery_id FROM delivery WHERE next_attempt_at <= @Now AND state = 'pending'
                                        ORDER BY next_attempt_at LIMIT 256 FOR UPDATE SKIP LOCKED)
            UPDATE delivery
            SET    next_attempt_at = @Lease
            WHERE  delivery_id IN (SELECT delivery_id FROM due)
            RETURNING request_id, run, delivery_id, attempt
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(912, LogLevel.Warning, "The clock jumped by {Jump}; due times were moved with it")]
        public static partial void ClockJumped(ILogger logger, TimeSpan jump);

        [LoggerMessage(911, LogLevel.Error, "Due images and deliveries could not be handed out; retrying")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
