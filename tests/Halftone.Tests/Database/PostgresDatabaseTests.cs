using Dapper;
using Halftone.Cli;
using Halftone.Database;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Halftone.Tests.Database;

public sealed class PostgresDatabaseTests() : OnEachEngine(Engine.Postgres)
{
    [Fact]
    public async Task A_second_server_with_its_queue_inside_is_refused_with_a_sentence()
    {
        await using var first = await StartAsync();
        var refused = await Assert.ThrowsAsync<DatabaseException>(() => StartAsync());
        Assert.Equal(refused.Message, ServeCommand.Explain(refused));
        await first.StopAsync(Cancelled);
        await using var second = await StartAsync();
    }

    [Theory]
    [InlineData("Database=nowhere", "database \"nowhere\" does not exist")]
    [InlineData("Username=nobody", "role \"nobody\" does not exist")]
    public async Task A_database_that_cannot_be_used_stops_the_start_at_once_with_a_sentence(string wrong, string reason)
    {
        var address = await PostgresServer.NewDatabaseAsync(Cancelled);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => HalftoneServer.StartAsync(Cancelled, null, ("Database:ConnectionString", $"{address};{wrong}")));
        Assert.Contains(reason, ServeCommand.Explain(exception));
    }

    [Fact]
    public async Task A_database_whose_encoding_cannot_hold_every_name_is_refused()
    {
        var server = await PostgresServer.CommonAsync(Cancelled);
        var address = await server.CreateEmptyDatabaseAsync("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", Cancelled);
        await using var database = OpenPostgres(address);
        Assert.Contains("LATIN1", (await Assert.ThrowsAsync<DatabaseException>(() => database.ReachAsync(TimeSpan.Zero, Cancelled))).Message);
    }

    [Fact]
    public async Task A_transaction_that_throws_leaves_nothing_and_locks_nothing()
    {
        await using var database = await OpenDatabaseAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync(
            async transaction =>
            {
                await transaction.Connection!.ExecuteAsync("UPDATE id_block SET next_id = 7", transaction: transaction);
                throw new InvalidOperationException();
            },
            Cancelled));
        await database.WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync("SET LOCAL lock_timeout = '1s'; UPDATE id_block SET next_id = next_id + 1", transaction: transaction), Cancelled);
        Assert.Equal([2L, 2L], await database.ReadAsync(connection => connection.QueryAsync<long>("SELECT next_id FROM id_block"), Cancelled));
    }

    [Fact]
    public async Task Of_two_that_wait_for_each_other_both_come_through()
    {
        await using var database = await OpenDatabaseAsync();
        var bothHoldOne = new Barrier(2);
        var tries = 0;

        await Task.WhenAll(AddAsync("product", "image"), AddAsync("image", "product"));

        Assert.Equal(3, tries);
        Assert.Equal([3L, 3L], await database.ReadAsync(connection => connection.QueryAsync<long>("SELECT next_id FROM id_block"), Cancelled));

        Task AddAsync(string first, string second) => Task.Run(
            () => database.WriteAsync(
                async transaction =>
                {
                    await transaction.Connection!.ExecuteAsync("UPDATE id_block SET next_id = next_id + 1 WHERE name = @first", new { first }, transaction);
                    if (Interlocked.Increment(ref tries) <= 2)
                    {
                        bothHoldOne.SignalAndWait(Cancelled);
                    }

                    await transaction.Connection!.ExecuteAsync("UPDATE id_block SET next_id = next_id + 1 WHERE name = @second", new { second }, transaction);
                },
                Cancelled),
            Cancelled);
    }

    [Fact]
    public async Task Every_connection_lets_go_of_locks_whose_holder_is_dead()
    {
        await using var database = await OpenDatabaseAsync();
        for (var use = 0; use < 3; use++)
        {
            Assert.Equal("1min", await database.ReadAsync(connection => connection.ExecuteScalarAsync<string>("SHOW idle_in_transaction_session_timeout"), Cancelled));
            Assert.Equal("10", await database.ReadAsync(connection => connection.ExecuteScalarAsync<string>("SHOW tcp_keepalives_idle"), Cancelled));
        }
    }

    [Fact]
    public async Task A_pooled_connection_that_the_server_has_cut_is_not_noticed()
    {
        await using var database = await OpenDatabaseAsync();
        var backend = await database.ReadAsync(connection => connection.ExecuteScalarAsync<int>("SELECT pg_backend_pid()"), Cancelled);
        await TerminateAsync(backend);
        Assert.NotEqual(backend, await database.ReadAsync(connection => connection.ExecuteScalarAsync<int>("SELECT pg_backend_pid()"), Cancelled));
    }

    [Fact]
    public async Task An_outcome_whose_statement_takes_longer_than_is_allowed_is_given_more_time()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, ("Database:ConnectionString", $"{await PostgresServer.NewDatabaseAsync(Cancelled)};Command Timeout=1"));
        await server.Services.GetRequiredService<HalftoneDatabase>().WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync(
                """
                CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END $$;
                CREATE TRIGGER slow BEFORE UPDATE OF object_key ON image FOR EACH ROW EXECUTE FUNCTION be_slow();
                """,
                transaction: transaction),
            Cancelled);
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nA,{origin.Url("/a.jpg")}\n", Cancelled);
        Assert.Equal("COMPLETED", (await server.WaitForEndAsync(id, Cancelled)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_hold_whose_connection_was_cut_is_taken_again_and_where_another_was_quicker_it_is_lost()
    {
        var address = PostgresAddress.Parse(await PostgresServer.NewDatabaseAsync(Cancelled));
        var clock = new ManualTimeProvider();
        var lost = new TaskCompletionSource();
        await using var hold = await PostgresHold.TakeAsync(address, (7, 7), lost.SetResult, clock, NullLogger.Instance, Cancelled);

        await TerminateAsync(await HolderAsync());
        await PassUntilAsync(async () => await HolderAsync() != 0);
        Assert.False(lost.Task.IsCompleted);

        await TerminateAsync(await HolderAsync());
        await using var other = await PostgresHold.TakeAsync(address, (7, 7), () => { }, TimeProvider.System, NullLogger.Instance, Cancelled);
        await PassUntilAsync(() => Task.FromResult(lost.Task.IsCompleted));

        async Task<int> HolderAsync()
        {
            await using var connection = new NpgsqlConnection(address);
            await connection.OpenAsync(Cancelled);
            return await connection.ExecuteScalarAsync<int>("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7 AND objid = 7 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        }

        Task PassUntilAsync(Func<Task<bool>> condition) => Eventually.TrueAsync(async () =>
        {
            if (clock.RunningTimers > 0)
            {
                clock.Advance(TimeSpan.FromSeconds(2));
            }

            return await condition();
        });
    }

    private async Task TerminateAsync(int backend)
    {
        await using var database = await OpenDatabaseAsync();
        await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>("SELECT pg_terminate_backend(@backend, 5000)", new { backend }), Cancelled);
    }
}
