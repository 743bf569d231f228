using System.Data.Common;
using System.Text.Json;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;

namespace Halftone.Requests;

/// <summary>
/// A message that must follow a change is written in that change's transaction; the relay publishes it, waits for the
/// confirm, and deletes its row. It delivers at least once: a crash in between publishes it twice.
/// </summary>
internal static class Outbox
{
    public static Task AddAsync(DbTransaction transaction, Message message, TimeProvider time) =>
        transaction.ExecuteAsync(
            Sql.Insert,
            new { Message = message.ToJson(), CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds() });

    private static class Sql
    {
        public const string Insert = "INSERT INTO outbox (message, created_at) VALUES (@Message, @CreatedAt)";
    }
}

/// <summary>Moves messages from the outbox to the queue: at once when notified, and by a sweep after a crash.</summary>
internal sealed partial class OutboxRelay(
    HalftoneDatabase database,
    IWorkQueue queue,
    TimeProvider time,
    ILogger<OutboxRelay> logger) : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);
    private readonly WakeSignal wake = new();
    private readonly HashSet<long> parked = [];

    /// <summary>Notifies the relay that a transaction with messages was committed.</summary>
    public void Wake() => wake.Set();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new OutageBackoff(time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await RelayAsync(stoppingToken))
                {
                }

                backoff.Reset();
                await wake.WaitAsync(SweepInterval, time, stoppingToken);
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
#pragma warning disable CA1031 // Database or broker down, disk full: the relay must survive all of it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.RelayFailed(logger, exception);
                await backoff.WaitAsync(stoppingToken);
            }
        }
    }

    private async Task<bool> RelayAsync(CancellationToken cancellationToken)
    {
        // Looks on a reading connection first, so that an idle server takes no lock.
        var parameters = new { Parked = JsonSerializer.Serialize(parked) };
        return await database.ReadAsync(
            connection => connection.ExecuteScalarAsync<bool>(database.Choose(Sql.AnySqlite, Sql.AnyPostgres), parameters),
            cancellationToken)
            && await database.WriteAsync(transaction => RelayAsync(transaction, parameters, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Publishes before the commit: rows that other relays skip as locked are on the queue or back in the table,
    /// whatever process dies.
    /// </summary>
    private async Task<bool> RelayAsync(DbTransaction transaction, object parameters, CancellationToken cancellationToken)
    {
        var rows = (await transaction.QueryAsync<Row>(database.Choose(Sql.OldestSqlite, Sql.OldestPostgres), parameters)).AsList();
        var messages = new List<Message>(rows.Count);
        var published = new List<long>(rows.Count);
        foreach (var row in rows)
        {
            try
            {
                messages.Add(Message.FromJson(row.Message));
                published.Add(row.OutboxId);
            }
            catch (JsonException exception)
            {
                // Stays in its row for a version that can read it.
                parked.Add(row.OutboxId);
                Log.Parked(logger, row.OutboxId, exception);
            }
        }

        if (published.Count > 0)
        {
            await queue.PublishAsync(messages, cancellationToken);
            await transaction.ExecuteAsync(
                database.Choose(Sql.DeleteSqlite, Sql.DeletePostgres),
                new { Ids = JsonSerializer.Serialize(published) });
        }

        return rows.Count > 0;
    }

    private sealed record Row(long OutboxId, string Message);

    private static class Sql
    {
        public const string AnySqlite =
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE outbox_id NOT IN (SELECT value FROM json_each(@Parked)))";

        public const string AnyPostgres =
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE outbox_id NOT IN (SELECT value::bigint FROM "
            + "json_array_elements_text(@Parked::json)))";

        public const string OldestSqlite = """
            SELECT outbox_id, message
            FROM   outbox
            WHERE  outbox_id NOT IN (SELECT value FROM json_each(@Parked))
            ORDER  BY outbox_id
            LIMIT  256
            """;

        /// <summary>Each relay takes rows that no other has.</summary>
        public const string OldestPostgres = """
            SELECT outbox_id, message
            FROM   outbox
            WHERE  outbox_id NOT IN (SELECT value::bigint FROM json_array_elements_text(@Parked::json))
            ORDER  BY outbox_id
            LIMIT  256
            FOR UPDATE SKIP LOCKED
            """;

        public const string DeleteSqlite = "DELETE FROM outbox WHERE outbox_id IN (SELECT value FROM json_each(@Ids))";

        public const string DeletePostgres =
            "DELETE FROM outbox WHERE outbox_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json))";
    }

    private static partial class Log
    {
        [LoggerMessage(701, LogLevel.Error, "Messages could not be published; they stay in the outbox and will be retried")]
        public static partial void RelayFailed(ILogger logger, Exception exception);

        [LoggerMessage(
            702,
            LogLevel.Error,
            "Outbox row {OutboxId} contains a message that this version cannot read; it stays in the outbox")]
        public static partial void Parked(ILogger logger, long outboxId, Exception exception);
    }
}
