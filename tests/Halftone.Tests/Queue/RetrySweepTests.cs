using Dapper;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Queue;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Queue;

public sealed class RetrySweepTests : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("halftone-sweep-");
    private readonly SettableClock clock = new();
    private readonly PublishedMessages published = new();
    private readonly HalftoneDatabase database;
    private readonly RetrySweep sweep;

    public RetrySweepTests()
    {
        database = new SqliteDatabase(Path.Combine(folder.FullName, "halftone.db"));
        sweep = new RetrySweep(database, published, new WaitingRoom(), Options.Create(new QueueOptions()), Options.Create(new FetchOptions()), clock, NullLogger<RetrySweep>.Instance);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await new Migrator(database, clock).MigrateAsync(Cancelled);

    public async ValueTask DisposeAsync()
    {
        sweep.Dispose();
        await database.DisposeAsync();
        folder.Delete(recursive: true);
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

    private Task InsertAsync(int count, TimeSpan dueIn) => database.WriteAsync(
        async transaction =>
        {
            var now = clock.GetUtcNow();
            foreach (var id in Enumerable.Range(1, count))
            {
                await transaction.Connection!.ExecuteAsync(
                    "INSERT INTO delivery (delivery_id, request_id, run, webhook_id, endpoint, body, next_attempt_at, created_at, updated_at) VALUES (@id, @request, 1, @id, 'http://a.example/', '{}', @due, @now, @now)",
                    new { id, request = Guid.Empty, due = (now + dueIn).ToUnixTimeMilliseconds(), now = now.ToUnixTimeMilliseconds() },
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

        public bool IsInProcess => true;

        public Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
        {
            Messages.AddRange(messages);
            return Task.CompletedTask;
        }

        public bool HasRoom(QueueName queue) => true;

        public Task ConsumeAsync(QueueName queue, int prefetch, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
