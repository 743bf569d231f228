using System.Collections.Concurrent;
using System.Data.Common;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Intake;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Tests.Servers;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Halftone.Tests.Database;

/// <summary>Several copies of the product on one database at a time, each with connections of its own, as several processes are.</summary>
public abstract class ManyProcessesTests(Engine engine) : OnEachEngine(engine)
{
    private readonly List<WebApplication> processes = [];
    private HalftoneDatabase database = null!;

    protected override async ValueTask SetUpAsync()
    {
        database = await OpenDatabaseAsync();
        processes.AddRange(Enumerable.Range(0, 4).Select(_ => Build()));
    }

    protected override async ValueTask TearDownAsync()
    {
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        await database.DisposeAsync();
    }

    [Fact]
    public async Task Uploads_at_once_get_blocks_of_ids_that_touch_no_other()
    {
        const int Rows = 300;
        var csv = "Product Name,Input Image Urls\n" + string.Concat(Enumerable.Range(1, Rows).Select(i => $"P{i},\"https://a.example/{i}.jpg,https://a.example/{i / 2}.png\"\n"));
        var accepted = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => UploadAsync(processes[i % processes.Count], csv, null)));

        Assert.All(accepted, result => Assert.Equal((Rows, Rows * 2L), (Assert.IsType<IntakeResult.Accepted>(result).Products, ((IntakeResult.Accepted)result).Images)));
        Assert.Equal(12 * Rows, await CountAsync("SELECT count(*) FROM product p JOIN request r ON r.request_id = p.request_id WHERE p.product_id >= r.first_product_id AND p.product_id < r.first_product_id + r.products"));
        Assert.Equal(12 * Rows * 2, await CountAsync("SELECT count(*) FROM image i JOIN product p ON p.product_id = i.product_id WHERE i.image_id >= p.first_image_id AND i.image_id < p.first_image_id + p.images"));
        // The .png of rows 3, 5 and so on is that of the row before.
        Assert.Equal(12 * (Rows / 2 - 1), await CountAsync("SELECT count(*) FROM image i JOIN image f ON f.image_id = i.same_as AND f.input_url = i.input_url AND f.same_as IS NULL"));
    }

    [Fact]
    public async Task One_idempotency_key_sent_to_every_process_at_once_is_one_request()
    {
        const string Csv = "Product Name,Input Image Urls\nA,\n";
        var results = await Task.WhenAll(processes.Concat(processes).Select(process => UploadAsync(process, Csv, "catalogue-7")));

        Assert.All(results, result => Assert.True(result is IntakeResult.Accepted or IntakeResult.KeyInUse));
        Assert.Single(results.OfType<IntakeResult.Accepted>().Select(result => result.RequestId).Distinct());
        Assert.Equal(1, await CountAsync("SELECT count(*) FROM request"));
    }

    [Fact]
    public async Task An_upload_whose_process_died_gives_up_its_key_and_goes()
    {
        var abandoned = await BeginAsync("catalogue-7", silentFor: AbandonedUploads.LongestSilence + TimeSpan.FromSeconds(1));
        var living = await BeginAsync("catalogue-8", silentFor: TimeSpan.Zero);
        Assert.IsType<IntakeResult.KeyInUse>(await UploadAsync(processes[0], "Product Name,Input Image Urls\nA,\n", "catalogue-8"));
        Assert.IsType<IntakeResult.Accepted>(await UploadAsync(processes[0], "Product Name,Input Image Urls\nA,\n", "catalogue-7"));

        await Task.WhenAll(processes.Select(process => Get<AbandonedUploads>(process).SweepAsync(Cancelled)));

        Assert.Equal(["deleting", "receiving"], await database.ReadAsync(connection => connection.QueryAsync<string>("SELECT state FROM request WHERE request_id IN (@abandoned, @living) ORDER BY state", new { abandoned, living }), Cancelled));
        var delete = Assert.Single((await MessagesAsync()).OfType<Message.Delete>());
        await Get<RequestRemoval>(processes[0]).HandleAsync(delete, Cancelled);
        Assert.Equal(0, await CountAsync($"SELECT count(*) FROM request WHERE state = 'deleting'"));
        // Whoever was only slow finds that it is too late.
        await Assert.ThrowsAsync<InvalidOperationException>(() => Get<RequestIntake>(processes[1]).PromiseAsync(abandoned, 1, Cancelled));
    }

    [Fact]
    public async Task An_upload_is_not_given_up_whose_promise_is_being_committed()
    {
        var promised = await BeginAsync("catalogue-7", silentFor: TimeSpan.Zero);
        var failed = await BeginAsync("catalogue-8", silentFor: TimeSpan.Zero);
        Task<bool> givingUp = null!;
        await database.WriteAsync(
            async transaction =>
            {
                await transaction.Connection!.ExecuteAsync("UPDATE request SET state = 'pending' WHERE request_id = @promised", new { promised }, transaction);
                // As after a connection that was lost while its commit was on the way.
                givingUp = Task.Run(() => Get<AbandonedUploads>(processes[0]).TryGiveUpAsync(promised, Cancelled), Cancelled);
                await Eventually.TrueAsync(() => IsWaitedForAsync(transaction));
            },
            Cancelled);

        Assert.False(await givingUp);
        Assert.True(await Get<AbandonedUploads>(processes[0]).TryGiveUpAsync(failed, Cancelled));
        Assert.Equal(failed, Assert.Single((await MessagesAsync()).OfType<Message.Delete>()).RequestId);
        Assert.IsType<IntakeResult.Accepted>(await UploadAsync(processes[1], "Product Name,Input Image Urls\nA,\n", "catalogue-8"));
    }

    [Fact]
    public async Task Relays_of_all_processes_publish_each_message_once_and_side_by_side()
    {
        var ids = Enumerable.Range(0, 1_000).Select(_ => Guid.CreateVersion7(TimeProvider.System.GetUtcNow())).ToArray();
        await database.WriteAsync(
            async transaction =>
            {
                foreach (var id in ids)
                {
                    await Outbox.AddAsync(transaction, new Message.Finish { RequestId = id, Run = 1 }, TimeProvider.System);
                }
            },
            Cancelled);
        var queue = new PublishedMessages();
        var relays = processes.Select(process => new OutboxRelay(Get<HalftoneDatabase>(process), queue, TimeProvider.System, NullLogger<OutboxRelay>.Instance)).ToArray();

        await Task.WhenAll(relays.Select(relay => relay.StartAsync(Cancelled)));
        await Eventually.TrueAsync(async () => await CountAsync("SELECT count(*) FROM outbox") == 0);
        await Task.WhenAll(relays.Select(relay => relay.StopAsync(Cancelled)));

        Assert.Equal(ids.Order(), queue.Messages.Select(message => message.RequestId).Order());
    }

    [Theory]
    [InlineData("""{"type":"of-tomorrow"}""")]
    [InlineData("""{"image_id":7}""")]
    public async Task A_relay_leaves_what_it_cannot_read_and_publishes_what_comes_after_it(string unreadable)
    {
        var good = new Message.Finish { RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()), Run = 1 };
        await database.WriteAsync(
            async transaction =>
            {
                await transaction.Connection!.ExecuteAsync("INSERT INTO outbox (message, created_at) VALUES (@unreadable, 0)", new { unreadable }, transaction);
                await Outbox.AddAsync(transaction, good, TimeProvider.System);
            },
            Cancelled);
        var queue = new PublishedMessages();
        using var relay = new OutboxRelay(database, queue, TimeProvider.System, NullLogger<OutboxRelay>.Instance);

        await relay.StartAsync(Cancelled);
        await Eventually.TrueAsync(async () => await CountAsync("SELECT count(*) FROM outbox") == 1);
        await relay.StopAsync(Cancelled);

        Assert.Equal(good, Assert.Single(queue.Messages));
        Assert.Equal(unreadable, await database.ReadAsync(connection => connection.ExecuteScalarAsync<string>("SELECT message FROM outbox"), Cancelled));
    }

    [Fact]
    public async Task Outcomes_recorded_by_all_processes_at_once_are_counted_once_and_the_last_finishes()
    {
        const int Images = 800;
        var id = await UploadAsync(Images);
        var first = await CountAsync($"SELECT first_image_id FROM request");
        // Each image by two processes, as after a redelivery; a third of them fails, on three hosts.
        var changed = await RecordAsync(Enumerable.Range(0, Images * 2).Select(i => OutcomeOf(id, first + (i % Images))));

        Assert.Equal(Images, changed.Count(c => c));
        var failed = Enumerable.Range(0, Images).Count(i => OutcomeOf(id, first + i) is RunOutcome.Failed);
        Assert.Equal((Images - failed, failed), (await CountAsync("SELECT completed FROM request"), await CountAsync("SELECT failed FROM request")));
        Assert.Equal(Images - failed, await CountAsync("SELECT bytes_out FROM request"));
        Assert.Equal(failed, await CountAsync("SELECT sum(images) FROM error_count"));
        Assert.Single((await MessagesAsync()).OfType<Message.Finish>());
    }

    [Fact]
    public async Task A_cancel_while_all_processes_record_stops_at_one_point_for_all()
    {
        const int Images = 600;
        var id = await UploadAsync(Images);
        var first = await CountAsync($"SELECT first_image_id FROM request");
        var recording = RecordAsync(Enumerable.Range(0, Images).Select(i => OutcomeOf(id, first + i)));
        await Eventually.TrueAsync(async () => await CountAsync("SELECT completed FROM request") > 0);
        var cancelled = await Get<RequestActions>(processes[0]).CancelAsync("", id, Cancelled);
        var changed = await recording;

        Assert.Equal(ActionResult.Done, cancelled);
        Assert.Equal(changed.Count(c => c), await CountAsync("SELECT completed + failed FROM request"));
        Assert.Equal(changed.Count(c => c), await CountAsync("SELECT count(*) FROM image WHERE state <> 'pending'"));
        Assert.Equal(1, (await MessagesAsync()).OfType<Message.Finish>().Count(finish => finish.Run == 2));
    }

    [Fact]
    public async Task A_cancel_between_the_statements_of_a_batch_that_postpones_leaves_nothing_due()
    {
        var id = await UploadAsync(2);
        var first = await CountAsync($"SELECT first_image_id FROM request");
        var recorder = Get<OutcomeRecorder>(processes[1]);
        var recording = new[] { first, first + 1 }.Select(imageId => recorder.RecordAsync(
            new RunOutcome.Postponed { RequestId = id, Run = 1, ImageId = imageId, Attempt = 0, NextAttemptAt = TimeProvider.System.GetUtcNow(), ErrorCode = "http_status", HttpStatus = 503 }, Cancelled)).ToArray();
        Task<ActionResult> cancelling = null!;
        await database.WriteAsync(
            async transaction =>
            {
                // The batch postpones the first image and waits for the second.
                await transaction.Connection!.ExecuteAsync("UPDATE image SET updated_at = updated_at WHERE image_id = @second", new { second = first + 1 }, transaction);
                await recorder.StartAsync(Cancelled);
                await Eventually.TrueAsync(() => IsWaitedForAsync(transaction));
                cancelling = Task.Run(() => Get<RequestActions>(processes[0]).CancelAsync("", id, Cancelled), Cancelled);
                await Eventually.TrueAsync(() => cancelling.IsCompleted || Engine == Engine.Sqlite);
            },
            Cancelled);

        Assert.Equal(ActionResult.Done, await cancelling);
        await Task.WhenAll(recording);
        await recorder.StopAsync(CancellationToken.None);
        Assert.Equal((0, 1), (await CountAsync("SELECT count(*) FROM image WHERE next_attempt_at IS NOT NULL"), await CountAsync("SELECT count(*) FROM request WHERE state = 'cancelling'")));
    }

    [Fact]
    public async Task A_webhook_registered_while_its_request_ends_hears_of_it_exactly_once()
    {
        foreach (var _ in Enumerable.Range(0, 20))
        {
            var upload = (IntakeResult.Accepted)await UploadAsync(processes[0], "Product Name,Input Image Urls\nA,\n", null);
            await Task.WhenAll(
                Task.Run(() => Get<RequestCompletion>(processes[1]).HandleAsync(new Message.Finish { RequestId = upload.RequestId, Run = 1 }, Cancelled), Cancelled),
                Task.Run(() => Get<WebhookRegistry>(processes[2]).RegisterAsync("", new Uri("https://a.example/hook"), upload.RequestId, Cancelled), Cancelled));
        }

        Assert.Equal((20, 20), (await CountAsync("SELECT count(*) FROM request WHERE state = 'completed'"), await CountAsync("SELECT count(*) FROM delivery")));
    }

    [Fact]
    public async Task A_request_removed_by_two_processes_at_once_leaves_no_row()
    {
        await UploadAsync(25_000);
        await Get<RequestActions>(processes[0]).DeleteAsync("", await RequestIdAsync(), Cancelled);
        var delete = (await MessagesAsync()).OfType<Message.Delete>().Single();
        await Task.WhenAll(processes.Select(process => Task.Run(() => Get<RequestRemoval>(process).HandleAsync(delete, Cancelled), Cancelled)));
        Assert.Equal(0, await CountAsync("SELECT (SELECT count(*) FROM image) + (SELECT count(*) FROM product) + (SELECT count(*) FROM request)"));
    }

    [Fact]
    public async Task All_processes_sign_with_one_secret_and_one_of_them_sweeps_a_day()
    {
        Assert.Single((await Task.WhenAll(processes.Select(process => Get<InstanceSecret>(process).GetAsync(Cancelled)))).Distinct());
        Assert.Single(await Task.WhenAll(processes.Select(process => Get<OrphanSweep>(process).ClaimAsync(Cancelled))), claimed => claimed);
    }

    private static RunOutcome OutcomeOf(Guid id, long imageId) => imageId % 3 == 0
        ? new RunOutcome.Failed { RequestId = id, Run = 1, ImageId = imageId, ErrorCode = imageId % 2 == 0 ? "http_status" : "too_large", HttpStatus = 404, Host = $"{(char)('a' + (imageId % 7))}.example" }
        : new RunOutcome.Completed
        {
            RequestId = id,
            Run = 1,
            ImageId = imageId,
            ObjectKey = ObjectKey.ForImage(id, "a-1", "jpg"),
            BytesIn = 2,
            BytesOut = 1,
            KeptOriginal = false,
            Width = 1,
            Height = 1,
            ContentHash = "",
            FetchMs = 0,
            CompressMs = 0,
            StoreMs = 0,
        };

    /// <summary>Each by the next process's recorder, all at once; whether it changed a row.</summary>
    private async Task<bool[]> RecordAsync(IEnumerable<RunOutcome> outcomes)
    {
        var recorders = processes.Select(Get<OutcomeRecorder>).ToArray();
        await Task.WhenAll(recorders.Select(recorder => recorder.StartAsync(Cancelled)));
        var changed = await Task.WhenAll(outcomes.Select((outcome, i) => recorders[i % recorders.Length].RecordAsync(outcome, Cancelled)));
        await Task.WhenAll(recorders.Select(recorder => recorder.StopAsync(CancellationToken.None)));
        return changed;
    }

    /// <summary>A request with so many different images, promised.</summary>
    private async Task<Guid> UploadAsync(int images)
    {
        var csv = "Product Name,Input Image Urls\n" + string.Concat(Enumerable.Range(1, images).Select(i => $"P{i},https://a.example/{i}.jpg\n"));
        return Assert.IsType<IntakeResult.Accepted>(await UploadAsync(processes[0], csv, null)).RequestId;
    }

    private static async Task<IntakeResult> UploadAsync(WebApplication process, string csv, string? idempotencyKey)
    {
        var intake = Get<RequestIntake>(process);
        var upload = await Get<UploadSpool>(process).SpoolAsync(new MemoryStream(Encoding.UTF8.GetBytes(csv)), "a.csv", Cancelled);
        return await intake.AcceptAsync(upload, new IntakeChoices { Owner = "", Outputs = new OutputOptions { Quality = 50 }, IdempotencyKey = idempotencyKey }, Cancelled);
    }

    /// <summary>An upload as a process leaves it that dies while it takes it in.</summary>
    private async Task<Guid> BeginAsync(string idempotencyKey, TimeSpan silentFor)
    {
        var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        var at = (TimeProvider.System.GetUtcNow() - silentFor).ToUnixTimeMilliseconds();
        await database.WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync(
                """
                INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images, quality, dialect, upload_key, idempotency_key, body_hash, created_at, updated_at)
                VALUES (@id, '', 'a.csv', 'receiving', 1000000, 1, 1000000, 1, 50, '', '', @idempotencyKey, '', @at, @at)
                """,
                new { id, idempotencyKey, at },
                transaction),
            Cancelled);
        return id;
    }

    /// <summary>SQLite writes one transaction at a time, whoever asks; of PostgreSQL it must be seen (pg_stat_activity stands still in a transaction).</summary>
    private static async Task<bool> IsWaitedForAsync(DbTransaction transaction) =>
        transaction is not NpgsqlTransaction || await transaction.Connection!.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))", transaction: transaction);

    private Task<Guid> RequestIdAsync() => database.ReadAsync(connection => connection.QuerySingleAsync<Guid>("SELECT request_id FROM request"), Cancelled);

    private async Task<IEnumerable<Message>> MessagesAsync() =>
        (await database.ReadAsync(connection => connection.QueryAsync<string>("SELECT message FROM outbox ORDER BY outbox_id"), Cancelled)).Select(Message.FromJson);

    private Task<long> CountAsync(string sql) => database.ReadAsync(connection => connection.ExecuteScalarAsync<long>(sql), Cancelled);

    private static T Get<T>(WebApplication process)
        where T : notnull => process.Services.GetRequiredService<T>();

    private sealed class PublishedMessages : IWorkQueue
    {
        public ConcurrentBag<Message> Messages { get; } = [];

        public bool IsInProcess => false;

        public Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
        {
            foreach (var message in messages)
            {
                Messages.Add(message);
            }

            return Task.CompletedTask;
        }

        public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public long? Length(QueueName queue) => null;

        public int Waiting(QueueName queue) => 0;

        public bool HasRoom(QueueName queue) => true;

        public Task ConsumeAsync(QueueName queue, int prefetch, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

public sealed class ManyProcessesOnSqlite() : ManyProcessesTests(Engine.Sqlite);

public sealed class ManyProcessesOnPostgres() : ManyProcessesTests(Engine.Postgres);
