using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Results;

public abstract class RetentionSweepTests(Engine engine) : OnEachEngine(engine)
{
    private readonly ManualTimeProvider clock = new();
    private WebApplication server = null!;
    private HalftoneDatabase database = null!;

    protected override async ValueTask SetUpAsync()
    {
        server = Build();
        database = server.Services.GetRequiredService<HalftoneDatabase>();
        await server.Services.GetRequiredService<Migrator>().MigrateAsync(Cancelled);
    }

    protected override async ValueTask TearDownAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Requests_that_ended_longer_ago_go_with_their_files_and_others_stay()
    {
        var old = await InsertAsync("completed", TimeSpan.FromDays(30) + TimeSpan.FromSeconds(1));
        Guid[] stay =
        [
            await InsertAsync("completed", TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1)),
            // Begun long ago, and not ended, or run again.
            await InsertAsync("processing", null),
            await InsertAsync("pending", null),
        ];
        using var sweep = NewSweep(database, days: 30);

        await sweep.SweepAsync(Cancelled);

        var delete = Assert.Single(await MessagesAsync());
        Assert.Equal((old, 2), (delete.RequestId, delete.Run));
        await server.Services.GetRequiredService<RequestRemoval>().HandleAsync(delete, Cancelled);
        Assert.Equal(stay.Order(), await RequestsAsync());
        Assert.Equal(stay.Order(), Directory.EnumerateDirectories(Path.Combine(Folder, "images")).Select(folder => Guid.Parse(Path.GetFileName(folder))).Order());

        clock.Advance(TimeSpan.FromSeconds(3));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(stay[0], (await MessagesAsync())[^1].RequestId);
    }

    [Fact]
    public async Task Without_the_setting_nothing_is_ever_deleted()
    {
        await InsertAsync("failed", TimeSpan.FromDays(36_500));
        using var sweep = NewSweep(database, days: null);
        await sweep.SweepAsync(Cancelled);
        Assert.Empty(await MessagesAsync());
    }

    [Fact]
    public async Task Sweeps_of_many_processes_delete_each_request_once()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 250; i++)
        {
            ids.Add(await InsertAsync("cancelled", TimeSpan.FromDays(2)));
        }

        var databases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OpenDatabaseAsync()));
        while ((await MessagesAsync()).Count < ids.Count)
        {
            await Task.WhenAll(databases.Select(async other =>
            {
                using var sweep = NewSweep(other, days: 1);
                await sweep.SweepAsync(Cancelled);
            }));
        }

        Assert.Equal(ids.Order(), (await MessagesAsync()).Select(message => message.RequestId).Order());
        foreach (var other in databases)
        {
            await other.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_server_that_is_left_alone_sweeps_soon_after_its_start_and_every_hour()
    {
        await InsertAsync("completed", TimeSpan.FromDays(1));
        using var sweep = NewSweep(database, days: 1);
        await sweep.StartAsync(Cancelled);
        await Eventually.TrueAsync(() => clock.RunningTimers == 1);
        clock.Advance(TimeSpan.FromMinutes(15));
        await Eventually.TrueAsync(async () => (await MessagesAsync()).Count == 1 && clock.RunningTimers == 1);

        await InsertAsync("completed", TimeSpan.FromDays(1));
        clock.Advance(TimeSpan.FromHours(1));
        await Eventually.TrueAsync(async () => (await MessagesAsync()).Count == 2);
        await sweep.StopAsync(Cancelled);
    }

    private RetentionSweep NewSweep(HalftoneDatabase on, int? days)
    {
        var relay = server.Services.GetRequiredService<OutboxRelay>();
        return new(new RequestActions(on, relay, clock), Options.Create(new RetentionOptions { Days = days }), clock, NullLogger<RetentionSweep>.Instance);
    }

    /// <param name="state">Of a request without images.</param>
    /// <param name="ago">When it ended; null where it has not.</param>
    private async Task<Guid> InsertAsync(string state, TimeSpan? ago)
    {
        var id = Guid.CreateVersion7(clock.GetUtcNow());
        await server.Services.GetRequiredService<IImageStore>().PutAsync(ObjectKey.ForImage(id, "a-1", "jpg"), Encoding.UTF8.GetBytes("x"), "image/jpeg", Cancelled);
        await database.WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync(
                """
                INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images, quality, dialect, upload_key, result_key, created_at, updated_at, finished_at)
                VALUES (@id, 'anybody', 'a.csv', @state, 1, 0, 1, 0, 50, '', '', @key, 0, 0, @ended)
                """,
                new { id, state, key = ago is null ? null : "r", ended = ago is { } time ? (clock.GetUtcNow() - time).ToUnixTimeMilliseconds() : (long?)null },
                transaction),
            Cancelled);
        return id;
    }

    private async Task<IEnumerable<Guid>> RequestsAsync() => await database.ReadAsync(connection => connection.QueryAsync<Guid>("SELECT request_id FROM request ORDER BY request_id"), Cancelled);

    private async Task<List<Message.Delete>> MessagesAsync() =>
        [.. (await database.ReadAsync(connection => connection.QueryAsync<string>("SELECT message FROM outbox ORDER BY outbox_id"), Cancelled)).Select(json => Assert.IsType<Message.Delete>(Message.FromJson(json)))];
}

public sealed class RetentionSweepOnSqlite() : RetentionSweepTests(Engine.Sqlite);

public sealed class RetentionSweepOnPostgres() : RetentionSweepTests(Engine.Postgres);
