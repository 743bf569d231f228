using Dapper;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Telemetry;
using Halftone.Tests.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Queue;

public abstract class RetrySweepTests(Engine engine) : OnEachEngine(engine)
{
    private readonly SettableClock clock = new();
    private readonly PublishedMessages published = new();
    private HalftoneDatabase database = null!;
    private RetrySweep sweep = null!;

    protected override async ValueTask SetUpAsync()
    {
        database = await OpenDatabaseAsync();
        sweep = NewSweep(database, published);
    }

    protected override async ValueTask TearDownAsync()
    {
        sweep.Dispose();
        await database.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_is_set_by_an_hour_neither_hands_everything_out_at_once_nor_holds_it_up(int hours)
    {
        await InsertAsync(100, dueIn: TimeSpan.FromMinutes(5));
        await sweep.SweepAsync(Cancelled);
        Assert.Empty(published.Messages);

        clock.Set(TimeSpan.FromHours(hours));
        clock.Pass(TimeSpan.FromMinutes(4));
        await sweep.SweepAsync(Cancelled);
        Assert.Empty(published.Messages);

        clock.Pass(TimeSpan.FromMinutes(1.01));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(100, published.Messages.Count);
    }

    [Fact]
    public async Task What_is_recorded_after_the_clock_was_set_forward_waits_no_hour_more()
    {
        clock.Set(TimeSpan.FromHours(1));
        await InsertAsync(1, dueIn: TimeSpan.FromMinutes(5));
        await sweep.SweepAsync(Cancelled);
        clock.Pass(TimeSpan.FromMinutes(5.01));
        await sweep.SweepAsync(Cancelled);
        Assert.Single(published.Messages);
    }

    [Fact]
    public async Task What_was_handed_out_is_handed_out_again_only_when_its_lease_has_ended()
    {
        await InsertAsync(1, dueIn: TimeSpan.Zero);
        await sweep.SweepAsync(Cancelled);
        await sweep.SweepAsync(Cancelled);
        Assert.Single(published.Messages);
        clock.Pass(new QueueOptions().Lease + TimeSpan.FromSeconds(1));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(2, published.Messages.Count);
    }

    [Fact]
    public async Task What_the_queue_did_not_take_is_handed_out_when_it_is_back_and_once()
    {
        await InsertAsync(1, dueIn: TimeSpan.Zero);
        await InsertImagesAsync(1);
        published.IsAway = true;
        await Assert.ThrowsAsync<QueueUnavailableException>(() => sweep.SweepAsync(Cancelled));
        await Assert.ThrowsAsync<QueueUnavailableException>(() => sweep.SweepAsync(Cancelled));
        published.IsAway = false;
        await sweep.SweepAsync(Cancelled);
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(2, published.Messages.Count);
    }

    [Fact]
    public async Task What_a_process_took_that_died_before_it_published_is_handed_out_by_another_in_half_a_minute()
    {
        await InsertImagesAsync(3);
        using (var dying = NewSweep(database, new PublishedMessages { IsAway = true, IsInProcess = false }))
        {
            await Assert.ThrowsAsync<QueueUnavailableException>(() => dying.SweepAsync(Cancelled));
        }

        published.IsInProcess = false;
        await sweep.SweepAsync(Cancelled);
        Assert.Empty(published.Messages);
        clock.Pass(TimeSpan.FromSeconds(31));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(3, published.Messages.Count);

        // Now they are with the broker.
        clock.Pass(new QueueOptions().Lease - TimeSpan.FromSeconds(1));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(3, published.Messages.Count);
        clock.Pass(TimeSpan.FromSeconds(2));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(6, published.Messages.Count);
    }

    [Fact]
    public async Task A_pass_that_takes_as_much_as_it_may_says_that_there_is_more()
    {
        await InsertImagesAsync(300);
        Assert.True(await sweep.SweepAsync(Cancelled));
        Assert.False(await sweep.SweepAsync(Cancelled));
        Assert.Equal(300, published.Messages.Count);
    }

    [Fact]
    public async Task Where_machines_share_the_database_the_clock_of_one_moves_nothing()
    {
        published.IsInProcess = false;
        await InsertAsync(10, dueIn: TimeSpan.FromMinutes(5));
        await sweep.SweepAsync(Cancelled);
        clock.Set(TimeSpan.FromHours(-1));
        await sweep.SweepAsync(Cancelled);
        clock.Set(TimeSpan.FromHours(1));
        clock.Pass(TimeSpan.FromMinutes(5.01));
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(10, published.Messages.Count);
    }

    [Fact]
    public async Task Sweeps_of_many_processes_hand_out_each_row_once()
    {
        await InsertAsync(1_000, dueIn: TimeSpan.Zero);
        await InsertImagesAsync(1_000);
        var databases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OpenDatabaseAsync()));
        var queues = databases.Select(_ => new PublishedMessages { IsInProcess = false }).ToArray();
        for (var handedOut = -1; handedOut < queues.Sum(queue => queue.Messages.Count);)
        {
            handedOut = queues.Sum(queue => queue.Messages.Count);
            await Task.WhenAll(databases.Zip(queues).Select(async process =>
            {
                using var other = NewSweep(process.First, process.Second);
                await other.SweepAsync(Cancelled);
            }));
        }

        var messages = queues.SelectMany(queue => queue.Messages).ToArray();
        Assert.Equal(Enumerable.Range(1, 1_000).Select(id => (long)id), messages.OfType<Message.Deliver>().Select(message => message.DeliveryId).Order());
        Assert.Equal(Enumerable.Range(1, 1_000).Select(id => (long)id), messages.OfType<Message.Image>().Select(message => message.ImageId).Order());
        foreach (var other in databases)
        {
            await other.DisposeAsync();
        }
    }

    private RetrySweep NewSweep(HalftoneDatabase on, PublishedMessages queue) =>
        new(on, queue, new DueSignal(), new WaitingRoom(), new ImageSample(Options.Create(new TelemetryOptions())), Options.Create(new QueueOptions()), Options.Create(new FetchOptions()), Options.Create(new ServerOptions()), clock, NullLogger<RetrySweep>.Instance);

    /// <summary>Of one request, each due for its second attempt.</summary>
    private Task InsertImagesAsync(int count) => database.WriteAsync(
        async transaction =>
        {
            var connection = transaction.Connection!;
            var parameters = new { request = Guid.CreateVersion7(clock.GetUtcNow()), count, now = clock.GetUtcNow().ToUnixTimeMilliseconds() };
            await connection.ExecuteAsync(
                """
                INSERT INTO request (request_id, owner, file_name, state, first_product_id, products, first_image_id, images, quality, dialect, upload_key, created_at, updated_at)
                VALUES (@request, '', 'a.csv', 'processing', 1, 1, 1, @count, 50, '', '', @now, @now);
                INSERT INTO product (product_id, request_id, line, serial_number, product_name, first_image_id, images, created_at, updated_at)
                VALUES (1, @request, 2, '1', 'A', 1, @count, @now, @now)
                """,
                parameters,
                transaction);
            await connection.ExecuteAsync(
                "INSERT INTO image (image_id, product_id, input_url, attempt, next_attempt_at, created_at, updated_at) VALUES (@id, 1, 'http://a.example/', 1, @now, @now, @now)",
                Enumerable.Range(1, count).Select(id => new { id, parameters.now }),
                transaction);
        },
        Cancelled);

    private Task InsertAsync(int count, TimeSpan dueIn) => database.WriteAsync(
        async transaction =>
        {
            var now = clock.GetUtcNow();
            foreach (var id in Enumerable.Range(1, count))
            {
                await transaction.Connection!.ExecuteAsync(
                    "INSERT INTO delivery (delivery_id, request_id, run, webhook_id, endpoint, body, next_attempt_at, created_at, updated_at) VALUES (@id, @request, 1, @webhook, 'http://a.example/', '{}', @due, @now, @now)",
                    new { id, request = Guid.Empty, webhook = $"{id}", due = (now + dueIn).ToUnixTimeMilliseconds(), now = now.ToUnixTimeMilliseconds() },
                    transaction);
            }
        },
        Cancelled);

    /// <summary>Time passes and the clock is set independently of each other, as on a real machine.</summary>
    private sealed class SettableClock : TimeProvider
    {
        private TimeSpan passed;
        private TimeSpan set;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero) + passed + set;

        public override long GetTimestamp() => passed.Ticks;

        public void Pass(TimeSpan by) => passed += by;

        public void Set(TimeSpan by) => set += by;
    }

    private sealed class PublishedMessages : IWorkQueue
    {
        public List<Message> Messages { get; } = [];

        public bool IsInProcess { get; set; } = true;

        public bool IsAway { get; set; }

        public Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
        {
            if (IsAway)
            {
                throw new QueueUnavailableException("away");
            }

            Messages.AddRange(messages);
            return Task.CompletedTask;
        }

        public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public long? Length(QueueName queue) => null;

        public int Waiting(QueueName queue) => 0;

        public bool HasRoom(QueueName queue) => true;

        public Task ConsumeAsync(QueueName queue, int prefetch, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

public sealed class RetrySweepOnSqlite() : RetrySweepTests(Engine.Sqlite);

public sealed class RetrySweepOnPostgres() : RetrySweepTests(Engine.Postgres);
