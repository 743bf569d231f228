using System.Diagnostics;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Bench;

/// <summary>Outcomes of one request recorded by several recorders at a time, each with connections of its own as each worker has, 32 images in work at each.</summary>
internal static class RecordBench
{
    private const int InWork = 32;

    public static async Task<int> RunAsync(string connectionString, int recorders, int images)
    {
        var databases = Enumerable.Range(0, recorders).Select(_ => new PostgresDatabase(PostgresAddress.Parse(connectionString), TimeProvider.System, NullLogger<PostgresDatabase>.Instance)).ToArray();
        await new Migrator(databases[0], TimeProvider.System).MigrateAsync(default);
        for (var round = 1; round <= 3; round++)
        {
            var (id, first) = await InsertAsync(databases[0], images);
            await RunRoundAsync(round, databases, id, first, images);
        }

        foreach (var database in databases)
        {
            await database.DisposeAsync();
        }

        return 0;
    }

    private static async Task RunRoundAsync(int round, PostgresDatabase[] databases, Guid id, long first, int images)
    {
        var running = new List<OutcomeRecorder>();
        foreach (var database in databases)
        {
            using var relay = new OutboxRelay(database, new ChannelQueue(Options.Create(new QueueOptions()), new WaitingRoom(), TimeProvider.System, NullLogger<ChannelQueue>.Instance), TimeProvider.System, NullLogger<OutboxRelay>.Instance);
            var recorder = new OutcomeRecorder(database, relay, TimeProvider.System, NullLogger<OutcomeRecorder>.Instance);
            await recorder.StartAsync(default);
            running.Add(recorder);
        }

        var next = first - 1;
        var cpu = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(running.SelectMany(recorder => Enumerable.Range(0, InWork).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var imageId && imageId < first + images)
            {
                if (!await recorder.RecordAsync(Completed(id, imageId), default))
                {
                    throw new InvalidOperationException($"Image {imageId} was not recorded.");
                }
            }
        }))));
        var elapsed = Stopwatch.GetElapsedTime(started);
        var used = Environment.CpuUsage.TotalTime - cpu;
        Report.Line($"round {round}: {images:N0} outcomes by {databases.Length} recorders: {images / elapsed.TotalSeconds:F0} a second, {used.TotalMilliseconds / images:F3} CPU-ms each in this process");
        foreach (var recorder in running)
        {
            await recorder.StopAsync(default);
            recorder.Dispose();
        }
    }

    private static RunOutcome.Completed Completed(Guid id, long imageId) => new()
    {
        RequestId = id,
        Run = 1,
        ImageId = imageId,
        ObjectKey = ObjectKey.ForImage(id, "chair-1", "jpg"),
        BytesIn = 200_000,
        BytesOut = 60_000,
        KeptOriginal = false,
        Width = 1_000,
        Height = 1_000,
        ContentHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        FetchMs = 200,
        CompressMs = 20,
        StoreMs = 2,
    };

    private static Task<(Guid Id, long First)> InsertAsync(PostgresDatabase database, int images) => database.WriteAsync(
        async transaction =>
        {
            var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
            var connection = transaction.Connection!;
            var first = await connection.ExecuteScalarAsync<long>("UPDATE id_block SET next_id = next_id + @images WHERE name = 'image' RETURNING next_id - @images", new { images }, transaction);
            await connection.ExecuteAsync(
                """
                INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images, quality, dialect, upload_key, created_at, updated_at)
                VALUES (@id, '', 'bench.csv', 'processing', @first, @images, @first, @images, 50, '', '', 0, 0);
                INSERT INTO image (image_id, product_id, input_url, created_at, updated_at)
                SELECT n, n, 'https://images.example/products/' || n || '.jpg', 0, 0 FROM generate_series(@first, @first + @images - 1) AS n
                """,
                new { id, first, images = (long)images },
                transaction);
            return (id, first);
        },
        default);
}
