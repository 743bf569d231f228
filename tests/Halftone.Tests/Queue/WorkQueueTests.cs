using System.Collections.Concurrent;
using System.Text;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Tests.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Halftone.Tests.Queue;

/// <summary>What every queue must do; a class derives for each.</summary>
public abstract class WorkQueueTests : IAsyncLifetime
{
    private protected static readonly DeadLetterHandler NoDeadLetters = (_, _) => throw new InvalidOperationException("Nothing was to be a dead letter.");

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected IWorkQueue WorkQueue { get; private set; } = null!;

    private protected QueueOptions QueueOptions { get; } = new() { RedeliveryPause = TimeSpan.FromMilliseconds(20), ParkedPause = TimeSpan.FromMilliseconds(50), DeliveryLimit = 3 };

    private protected abstract ValueTask<IWorkQueue> MakeAsync();

    public async ValueTask InitializeAsync() => WorkQueue = await MakeAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_message_reaches_a_handler_as_it_was_published_on_its_own_queue()
    {
        var request = NewId();
        Message[] messages =
        [
            new Message.Plan { RequestId = request, Run = 2, After = 16 }, ImageOf(request, 17), new Message.Finish { RequestId = request, Run = 2 },
            new Message.Deliver { RequestId = request, Run = 2, DeliveryId = 5, Attempt = 3 }, new Message.Delete { RequestId = request, Run = 2 },
        ];
        var handled = new ConcurrentBag<Message>();

        await WorkQueue.PublishAsync(messages, Cancelled);
        await ConsumeAsync(Enum.GetValues<QueueName>(), 4, (message, _, _) => Add(handled, message), () => handled.Count == messages.Length);

        Assert.Equal(messages.ToHashSet(), handled.ToHashSet());
    }

    [Fact]
    public async Task A_message_whose_handler_threw_comes_again()
    {
        var request = NewId();
        var calls = new ConcurrentBag<Message>();

        await WorkQueue.PublishAsync([ImageOf(request, 1)], Cancelled);
        await ConsumeAsync(
            [QueueName.Work], 4,
            (message, _, _) =>
            {
                calls.Add(message);
                return calls.Count == 1 ? throw new InvalidOperationException("the first time") : Task.CompletedTask;
            },
            () => calls.Count == 2);

        Assert.Single(calls.Distinct());
    }

    [Fact]
    public async Task A_message_whose_handler_always_throws_is_a_dead_letter_and_the_others_go_on()
    {
        var (bad, good) = (ImageOf(NewId(), 1), ImageOf(NewId(), 2));
        var (dead, handled, calls) = (new ConcurrentBag<Message>(), new ConcurrentBag<Message>(), 0);

        await WorkQueue.PublishAsync([bad, good], Cancelled);
        await ConsumeAsync(
            [QueueName.Work], 4,
            (message, _, _) =>
            {
                if (message == bad)
                {
                    Interlocked.Increment(ref calls);
                    throw new InvalidOperationException("always");
                }

                return Add(handled, message);
            },
            () => dead.Count == 1 && handled.Count == 1,
            (message, _) => Add(dead, message));

        Assert.Equal(bad, Assert.Single(dead));
        Assert.Equal(good, Assert.Single(handled));
        Assert.InRange(calls, QueueOptions.DeliveryLimit, QueueOptions.DeliveryLimit + 1);
    }

    [Fact]
    public async Task No_more_handlers_run_at_a_time_than_were_asked_for()
    {
        var (running, most, handled) = (0, 0, 0);
        await WorkQueue.PublishAsync([.. Enumerable.Range(1, 40).Select(id => ImageOf(NewId(), id))], Cancelled);

        await ConsumeAsync(
            [QueueName.Work], 3,
            async (_, _, _) =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                await Task.Yield();
                Interlocked.Decrement(ref running);
                Interlocked.Increment(ref handled);
            },
            () => Volatile.Read(ref handled) == 40);

        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task A_handler_that_gives_its_place_back_lets_another_message_be_taken()
    {
        var (waits, free) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new ConcurrentBag<Message>());
        var first = ImageOf(NewId(), 1);
        await WorkQueue.PublishAsync([first, ImageOf(NewId(), 2)], Cancelled);

        await ConsumeAsync(
            [QueueName.Work], 1,
            async (message, slot, _) =>
            {
                if (message == first)
                {
                    slot.GiveBack();
                    await waits.Task;
                    await slot.TakeAgainAsync(Cancelled);
                }
                else
                {
                    waits.SetResult();
                }

                free.Add(message);
            },
            () => free.Count == 2);
    }

    [Fact]
    public async Task Three_rows_do_not_wait_behind_the_backlog_of_another_request()
    {
        const int Backlog = 400;
        var (large, small) = (NewId(), NewId());
        var order = new ConcurrentQueue<Guid>();
        await WorkQueue.PublishAsync([.. Enumerable.Range(1, Backlog).Select(id => ImageOf(large, id)), .. Enumerable.Range(1, 3).Select(id => ImageOf(small, 10_000 + id))], Cancelled);

        await ConsumeAsync(
            [QueueName.Work], 1,
            async (message, _, _) =>
            {
                // The first waits until the rest has arrived where the queue is another process.
                if (order.IsEmpty)
                {
                    // One is here, and one more may be taken already and wait for its place.
                    await SettledAsync(Backlog + 1);
                }

                order.Enqueue(message.RequestId);
            },
            () => order.Count == Backlog + 3);

        Assert.InRange(order.ToList().LastIndexOf(small), 0, 20);
    }

    [Fact]
    public async Task A_consumer_that_stops_waits_for_its_handlers_and_what_they_did_does_not_come_again()
    {
        var (taken, release) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var done = new ConcurrentBag<Message>();
        await WorkQueue.PublishAsync([ImageOf(NewId(), 1)], Cancelled);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var consuming = WorkQueue.ConsumeAsync(
            QueueName.Work, 1,
            async (message, _, _) =>
            {
                taken.SetResult();
                await release.Task;
                done.Add(message);
            },
            NoDeadLetters,
            stop.Token);

        await taken.Task.WaitAsync(Cancelled);
        await stop.CancelAsync();
        Assert.False(consuming.IsCompleted);
        release.SetResult();
        await consuming;

        var last = ImageOf(NewId(), 2);
        await WorkQueue.PublishAsync([last], Cancelled);
        await ConsumeAsync([QueueName.Work], 1, (message, _, _) => Add(done, message), () => done.Contains(last));
        Assert.Equal(2, done.Count);
    }

    /// <summary>Returns when so many messages wait in this process.</summary>
    private protected abstract Task SettledAsync(int waiting);

    private protected async Task ConsumeAsync(IEnumerable<QueueName> queues, int prefetch, MessageHandler handle, Func<bool> isDone, DeadLetterHandler? deadLetter = null)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var consuming = Task.WhenAll(queues.Select(queue => WorkQueue.ConsumeAsync(queue, prefetch, handle, deadLetter ?? NoDeadLetters, stop.Token)));
        try
        {
            await Eventually.TrueAsync(isDone);
        }
        finally
        {
            await stop.CancelAsync();
            await consuming;
        }
    }

    private protected static Message.Image ImageOf(Guid request, long id) => new()
    {
        RequestId = request,
        Run = 1,
        ImageId = id,
        Url = $"https://shop.example/{id}.jpg",
        Attempt = 0,
        Outputs = new OutputOptions { Quality = 50 },
        Name = $"a-{id}",
        TraceParent = $"00-0af7651916cd43dd8448eb211c80319c-{id:x16}-01",
    };

    private protected static Guid NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());

    private protected static Task Add(ConcurrentBag<Message> bag, Message message)
    {
        bag.Add(message);
        return Task.CompletedTask;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }
}

public sealed class ChannelQueueTests : WorkQueueTests
{
    private protected override Task SettledAsync(int waiting) => Eventually.TrueAsync(() => ((ChannelQueue)WorkQueue).Waiting(QueueName.Work) >= waiting);

    private protected override ValueTask<IWorkQueue> MakeAsync() => new(new ChannelQueue(Options.Create(QueueOptions), new WaitingRoom(), TimeProvider.System, NullLogger<ChannelQueue>.Instance));
}

public sealed class RabbitQueueTests : WorkQueueTests
{
    private RabbitBroker? broker;

    private protected override async ValueTask<IWorkQueue> MakeAsync()
    {
        var settings = await RabbitServer.NewQueuesAsync(Cancelled);
        (QueueOptions.Uri, QueueOptions.Name) = (settings[0].Value!, settings[1].Value!);
        broker = new RabbitBroker(Options.Create(QueueOptions));
        return new RabbitQueue(broker, Options.Create(QueueOptions), new WaitingRoom(), TimeProvider.System, NullLogger<RabbitQueue>.Instance) { Renewal = TimeSpan.FromSeconds(3) };
    }

    private protected override Task SettledAsync(int waiting) => Eventually.TrueAsync(() => ((RabbitQueue)WorkQueue).Waiting(QueueName.Work) >= waiting);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await ((RabbitQueue)WorkQueue).DisposeAsync();
        await broker!.DisposeAsync();
    }

    [Fact]
    public async Task What_a_process_had_taken_when_it_died_is_handled_by_another()
    {
        var (taken, handled) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new ConcurrentBag<Message>());
        await WorkQueue.PublishAsync([ImageOf(NewId(), 1)], Cancelled);
        var dying = new RabbitBroker(Options.Create(QueueOptions));
        await using var dyingQueue = new RabbitQueue(dying, Options.Create(QueueOptions), new WaitingRoom(), TimeProvider.System, NullLogger<RabbitQueue>.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var never = new TaskCompletionSource();
        var consuming = dyingQueue.ConsumeAsync(
            QueueName.Work, 1,
            (_, _, _) =>
            {
                taken.TrySetResult();
                return never.Task;
            },
            (_, _) => Task.CompletedTask,
            stop.Token);
        await taken.Task.WaitAsync(Cancelled);

        // As the system does with the sockets of a process that was killed. Its consumer would connect again: it is stopped first.
        await stop.CancelAsync();
        await dying.DisposeAsync();
        await ConsumeAsync([QueueName.Work], 1, (message, _, _) => Add(handled, message), () => handled.Count == 1);
        never.SetResult();
        await consuming;
    }

    [Theory]
    [InlineData("""{"type":"of-tomorrow"}""")]
    [InlineData("""{"image_id":7}""")]
    public async Task A_message_that_cannot_be_read_is_kept_and_counts_against_nobody(string unreadable)
    {
        // Not by way of the limit, to which each renewal of an idle consumer would bring it nearer.
        QueueOptions.DeliveryLimit = 100;
        await PublishRawAsync(RabbitBroker.NameOf(QueueOptions, QueueName.Finish), unreadable);
        var handled = new ConcurrentBag<Message>();
        var good = new Message.Finish { RequestId = NewId(), Run = 1 };
        await WorkQueue.PublishAsync([good], Cancelled);
        // The broker hands out one at a time: the next comes when the first was dealt with.
        await ConsumeAsync([QueueName.Finish], 1, (message, _, _) => Add(handled, message), () => handled.Count == 1);

        Assert.Equal(good, Assert.Single(handled));
        // On its queue, beside it, or under way between the two.
        await Eventually.TrueAsync(async () => await ReadyAsync(RabbitBroker.NameOf(QueueOptions, QueueName.Finish)) + await ReadyAsync(RabbitBroker.DeadLetterNameOf(QueueOptions, QueueName.Finish)) == 1);
    }

    [Fact]
    public async Task A_queue_that_is_deleted_under_its_consumer_is_made_again_and_consumed()
    {
        var handled = new ConcurrentBag<Message>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var consuming = WorkQueue.ConsumeAsync(QueueName.Work, 4, (message, _, _) => Add(handled, message), NoDeadLetters, stop.Token);
        await WorkQueue.PublishAsync([ImageOf(NewId(), 1)], Cancelled);
        await Eventually.TrueAsync(() => handled.Count == 1);

        await using (var channel = await broker!.OpenChannelAsync(new(false, false), Cancelled))
        {
            await channel.QueueDeleteAsync(RabbitBroker.NameOf(QueueOptions, QueueName.Work), ifUnused: false, ifEmpty: false, cancellationToken: Cancelled);
        }

        // While it is not there a publish is refused, and nothing vanishes.
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await WorkQueue.PublishAsync([ImageOf(NewId(), 2)], Cancelled);
                return true;
            }
            catch (QueueUnavailableException)
            {
                return false;
            }
        });
        await Eventually.TrueAsync(() => handled.Count >= 2);
        await stop.CancelAsync();
        await consuming;
    }

    [Fact]
    public async Task A_letter_that_is_parked_keeps_no_channel_from_closing_and_costs_no_connection()
    {
        QueueOptions.ParkedPause = TimeSpan.FromMinutes(10);
        var dead = RabbitBroker.DeadLetterNameOf(QueueOptions, QueueName.Work);
        await PublishRawAsync(dead, """{"type":"of-tomorrow"}""");
        await using var witness = await broker!.OpenChannelAsync(new(false, false), Cancelled);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var consuming = WorkQueue.ConsumeAsync(QueueName.Work, 4, (_, _, _) => Task.CompletedTask, NoDeadLetters, stop.Token);
        await Eventually.TrueAsync(async () => await ReadyAsync(dead) == 0);

        // The broker tells the consumer of the letters, whose channel is then closed; the next one makes the queue again.
        await witness.QueueDeleteAsync(dead, ifUnused: false, ifEmpty: false, cancellationToken: Cancelled);
        await Eventually.TrueAsync(() => IsThereAsync(dead));

        Assert.True(witness.IsOpen, witness.CloseReason?.ToString());
        await stop.CancelAsync();
        await consuming;
        Assert.True(witness.IsOpen, witness.CloseReason?.ToString());
    }

    [Fact]
    public async Task A_dead_letter_whose_handler_waits_longer_than_the_broker_comes_again_and_costs_no_connection()
    {
        await using var impatient = await StartImpatientAsync();
        QueueOptions.Uri = impatient.Uri;
        await PublishRawAsync(RabbitBroker.DeadLetterNameOf(QueueOptions, QueueName.Work), ImageOf(NewId(), 1).ToJson());
        await using var witness = await broker!.OpenChannelAsync(new(false, false), Cancelled);
        var (calls, outage) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        await ConsumeAsync(
            [QueueName.Work], 4,
            (_, _, _) => Task.CompletedTask,
            () => Volatile.Read(ref calls) >= 3,
            (_, ended) =>
            {
                Interlocked.Increment(ref calls);
                return outage.Task.WaitAsync(ended);
            });

        Assert.True(witness.IsOpen, witness.CloseReason?.ToString());
    }

    [Fact]
    public async Task An_image_that_waited_out_an_outage_until_the_delivery_limit_is_handed_out_anew()
    {
        await using var impatient = await StartImpatientAsync();
        QueueOptions.Uri = impatient.Uri;
        var (image, dead, deliveries) = (ImageOf(NewId(), 1), new ConcurrentBag<Message>(), 0);
        var outage = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var brokerOfHours = new RabbitBroker(Options.Create(QueueOptions));
        await using var queue = new RabbitQueue(brokerOfHours, Options.Create(QueueOptions), new WaitingRoom(), new HalfHours(), NullLogger<RabbitQueue>.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        await queue.PublishAsync([image], Cancelled);
        var consuming = queue.ConsumeAsync(
            QueueName.Work, 32,
            (_, _, _) =>
            {
                Interlocked.Increment(ref deliveries);
                return outage.Task;
            },
            (message, _) => Add(dead, message),
            stop.Token);
        // More often than the broker hands out what was published once.
        await Eventually.TrueAsync(() => Volatile.Read(ref deliveries) > QueueOptions.DeliveryLimit + 1 || !dead.IsEmpty);
        outage.SetResult();
        await stop.CancelAsync();
        await consuming;

        Assert.Empty(dead);
    }

    [Fact]
    public async Task What_was_published_counts_before_the_broker_is_asked_for_its_length()
    {
        var request = NewId();
        await WorkQueue.PublishAsync([.. Enumerable.Range(1, 1_000).Select(id => ImageOf(request, id))], Cancelled);
        Assert.True(WorkQueue.HasRoom(QueueName.Work));
        await WorkQueue.PublishAsync([.. Enumerable.Range(1_001, 24).Select(id => ImageOf(request, id))], Cancelled);
        Assert.False(WorkQueue.HasRoom(QueueName.Work));
        Assert.True(WorkQueue.HasRoom(QueueName.Deliver));

        var handled = 0;
        await ConsumeAsync([QueueName.Work], 16, (_, _, _) => Task.FromResult(Interlocked.Increment(ref handled)), () => handled == 1_024 && WorkQueue.HasRoom(QueueName.Work));
    }

    [Fact]
    public async Task A_queue_that_is_missing_is_an_outage_however_often_it_is_asked_for()
    {
        QueueOptions.Name += "-missing";
        for (var i = 0; i < 300; i++)
        {
            await Assert.ThrowsAsync<QueueUnavailableException>(() => WorkQueue.CheckAsync(Cancelled));
        }
    }

    [Fact]
    public async Task A_broker_that_is_gone_is_an_outage_that_names_it_without_the_password()
    {
        QueueOptions.Uri = "amqp://guest:secret-word@127.0.0.1:9/";
        await using var away = new RabbitBroker(Options.Create(QueueOptions));
        await using var queue = new RabbitQueue(away, Options.Create(QueueOptions), new WaitingRoom(), TimeProvider.System, NullLogger<RabbitQueue>.Instance);
        var refused = await Assert.ThrowsAsync<QueueUnavailableException>(() => queue.PublishAsync([ImageOf(NewId(), 1)], Cancelled));
        Assert.Contains("127.0.0.1:9", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", refused.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<QueueUnavailableException>(() => queue.CheckAsync(Cancelled));
    }

    /// <summary>One that ends deliveries which are not acknowledged for a second, and looks every second; its defaults are 30 min and 1 min.</summary>
    private static Task<RabbitServer> StartImpatientAsync() =>
        ThrowAwayServers.OwnAsync(cancelled => RabbitServer.StartAsync("-rabbit consumer_timeout 1000 -rabbit channel_tick_interval 1000", cancelled), Cancelled);

    private async Task PublishRawAsync(string queue, string body)
    {
        await using var channel = await broker!.OpenChannelWithQueuesAsync(new(true, true), Cancelled);
        var now = new BasicProperties { Timestamp = new(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()) };
        await channel.BasicPublishAsync("", queue, mandatory: true, now, Encoding.UTF8.GetBytes(body), Cancelled);
    }

    private async Task<bool> IsThereAsync(string queue)
    {
        try
        {
            await ReadyAsync(queue);
            return true;
        }
        catch (OperationInterruptedException missing) when (missing.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return false;
        }
    }

    private async Task<uint> ReadyAsync(string queue)
    {
        await using var channel = await broker!.OpenChannelAsync(new(false, false), Cancelled);
        return (await channel.QueueDeclarePassiveAsync(queue, Cancelled)).MessageCount;
    }

    /// <summary>A clock on which each second of a broker that waits for a second is the half hour of one with its defaults.</summary>
    private sealed class HalfHours : TimeProvider
    {
        private readonly DateTimeOffset start = System.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => start + ((System.GetUtcNow() - start) * TimeSpan.FromMinutes(30).TotalSeconds);
    }
}
