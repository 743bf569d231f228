using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Halftone.Io;
using Halftone.Model;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Halftone.Queue;

/// <summary>
/// The queue of many processes: RabbitMQ. A message is safe when its publish is confirmed, and removed when its handler
/// has returned and it was acknowledged; messages of a dead process come back. Messages delivered to this process wait
/// in one line per request, as in <see cref="ChannelQueue"/>, so requests take turns here too.
/// </summary>
internal sealed partial class RabbitQueue(
    RabbitBroker broker,
    IOptions<QueueOptions> options,
    WaitingRoom waitingRoom,
    TimeProvider time,
    ILogger<RabbitQueue> logger) : IWorkQueue, IAsyncDisposable
{
    /// <summary>
    /// Number of publishes whose confirms are awaited together: one by one, a broker confirms a tenth as many per
    /// second.
    /// </summary>
    private const int Window = 256;

    /// <summary>Number of messages beyond which no retries are handed out.</summary>
    private const int MostSwept = 1_024;

    private const ushort DeadLettersAtOnce = 16;

    /// <summary>
    /// A dead letter whose deliveries took longer than this on average was waiting: for an outage of ours to end, or
    /// behind slow work, until the broker timed out the delivery, after 30 min by default and never less than the
    /// recommended 5 (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout). Workers that crash are
    /// restarted sooner. Judged by the message's own age, which a newly started process knows too.
    /// </summary>
    private static readonly TimeSpan LongestBetweenCrashes = TimeSpan.FromMinutes(5);

    /// <summary>Interval at which the length of a queue is queried.</summary>
    private static readonly TimeSpan LengthInterval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// After this time without a message, and with none in progress, consumes a queue afresh; 1 min. If a quorum queue
    /// is deleted and recreated at once, RabbitMQ 3.10 keeps the consumer of the first, sends it nothing, and reports
    /// that the second has one.
    /// </summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<QueueName, uint> lengths = [];

    /// <summary>For each queue, the number of messages published here since its length was queried.</summary>
    private readonly int[] publishedSince = new int[Enum.GetValues<QueueName>().Length];

    private readonly ConcurrentDictionary<QueueName, TurnQueue<Delivery>> waitingHere = [];
    private readonly SemaphoreSlim publishing = new(1, 1);
    private IChannel? publisher;

    public bool IsInProcess => false;

    public long? Length(QueueName queue) => lengths.TryGetValue(queue, out var length) ? length : null;

    public int Waiting(QueueName queue) => waitingHere.TryGetValue(queue, out var lines) ? lines.Count : 0;

    public bool HasRoom(QueueName queue) => lengths.GetValueOrDefault(queue) + Volatile.Read(ref publishedSince[(int)queue]) < MostSwept;

    public Task CheckAsync(CancellationToken cancellationToken) => broker.CallAsync(
        async patient =>
        {
            var channel = await broker.OpenChannelAsync(new(false, false), patient);
            try
            {
                return await channel.QueueDeclarePassiveAsync(RabbitBroker.NameOf(options.Value, QueueName.Work), patient);
            }
            finally
            {
                await broker.CloseAsync(channel);
            }
        },
        cancellationToken);

    public async Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
    {
        foreach (var window in messages.Chunk(Window))
        {
            var bodies = window.Select(message => (
                Queue: RabbitBroker.NameOf(options.Value, message.Queue),
                Body: (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(message.ToJson())));
            await PublishAsync([.. bodies], cancellationToken);
            foreach (var message in window)
            {
                Interlocked.Increment(ref publishedSince[(int)message.Queue]);
            }
        }
    }

    public async Task ConsumeAsync(
        QueueName queue,
        int prefetch,
        MessageHandler handle,
        DeadLetterHandler deadLetter,
        CancellationToken cancellationToken)
    {
        var waiting = queue is QueueName.Work or QueueName.Deliver ? options.Value.WaitingImages : 0;
        using var places = new WorkPlaces(prefetch, waiting);
        // Ends the channels once the last handler has acknowledged.
        using var over = new CancellationTokenSource();
        var lines = waitingHere.GetOrAdd(queue, _ => new());
        var running = new RunningTasks();
        var receiving = KeepReceivingAsync(
            queue,
            RabbitBroker.NameOf(options.Value, queue),
            (ushort)Math.Min(prefetch + waiting, ushort.MaxValue),
            lines,
            cancellationToken,
            over.Token);
        var buried = KeepBuryingAsync(queue, deadLetter, cancellationToken);
        try
        {
            while (true)
            {
                await places.AdmitAsync(cancellationToken);
                var delivery = await lines.TakeAsync(cancellationToken);
                await places.EnterAsync(cancellationToken);
                var room = delivery.Message is Message.Image ? waitingRoom : null;
                running.Add(HandleAsync(delivery, new WorkSlot(places, room, delivery.Message.RequestId), handle, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await running.WhenAllAsync();
        }

        await over.CancelAsync();
        await Task.WhenAll(receiving, buried);
    }

    public async ValueTask DisposeAsync()
    {
        await broker.CloseAsync(publisher);
        publishing.Dispose();
    }

    private async Task PublishAsync((string Queue, ReadOnlyMemory<byte> Body)[] messages, CancellationToken cancellationToken)
    {
        // One at a time on the channel: messages published together are confirmed together.
        await publishing.WaitAsync(cancellationToken);
        try
        {
            await broker.CallAsync(
                async patient =>
                {
                    publisher = publisher is { IsOpen: true }
                        ? publisher
                        : await broker.OpenChannelWithQueuesAsync(
                              new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
                              patient);
                    var properties = new BasicProperties
                    {
                        Persistent = true,
                        ContentType = "application/json",
                        Timestamp = new(time.GetUtcNow().ToUnixTimeSeconds()),
                    };
                    // Mandatory: a missing queue is an outage, not a place where messages may vanish.
                    await Task.WhenAll(
                        messages.Select(message =>
                            publisher.BasicPublishAsync("", message.Queue, mandatory: true, properties, message.Body, patient).AsTask()));
                    return true;
                },
                cancellationToken);
        }
        catch
        {
            // It is unknown which messages were confirmed, and the channel may be the cause.
            var broken = publisher;
            publisher = null;
            await broker.CloseAsync(broken);
            throw;
        }
        finally
        {
            publishing.Release();
        }
    }

    /// <summary>Receives until told to stop; the last channel is closed when <paramref name="over"/> is cancelled.</summary>
    private Task KeepReceivingAsync(
        QueueName name,
        string queue,
        ushort prefetch,
        TurnQueue<Delivery> lines,
        CancellationToken stop,
        CancellationToken over) => KeepOpenAsync(
        queue,
        dispatchConcurrency: 1,
        async (channel, backoff) =>
        {
            var seat = new Seat(channel, time);
            var (tag, closed, ended) = await ConsumeAsync(channel, queue, prefetch, received => ReceiveAsync(seat, received, lines), stop);
            backoff.Reset();
            await WatchAsync(name, queue, seat, ended, stop);
            if (stop.IsCancellationRequested && channel.IsOpen)
            {
                await broker.CallAsync(
                    async patient =>
                    {
                        await channel.BasicCancelAsync(tag, cancellationToken: patient);
                        return true;
                    },
                    CancellationToken.None);
                // Handlers acknowledge on this channel; closing it returns the messages not taken.
                await closed.WaitAsync(over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        },
        stop);

    /// <summary>Uses one channel after the other, replacing broken ones, until told to stop.</summary>
    private async Task KeepOpenAsync(
        string queue,
        ushort dispatchConcurrency,
        Func<IChannel, OutageBackoff, Task> use,
        CancellationToken stop)
    {
        var backoff = new OutageBackoff(time);
        while (!stop.IsCancellationRequested)
        {
            IChannel? channel = null;
            try
            {
                channel = await broker.OpenChannelWithQueuesAsync(
                    new(false, false, consumerDispatchConcurrency: dispatchConcurrency),
                    stop);
                await use(channel, backoff);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Also what the client throws when a broken channel is closed: the consumer must survive all of it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                await broker.CloseAsync(channel);
                channel = null;
                Log.Outage(logger, queue, exception.Message);
                await backoff.WaitAsync(stop);
            }
            finally
            {
                await broker.CloseAsync(channel);
            }
        }
    }

    /// <summary>
    /// Starts consuming. <c>Ended</c> also completes when the broker cancels the consumer because its queue was deleted
    /// or moved: then the channel stays open, but nothing more would arrive.
    /// </summary>
    private async Task<(string Tag, Task Closed, Task Ended)> ConsumeAsync(
        IChannel channel,
        string queue,
        ushort prefetch,
        Func<BasicDeliverEventArgs, Task> receive,
        CancellationToken cancellationToken)
    {
        var (closed, cancelled) = (Closing(channel), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.UnregisteredAsync += (_, _) => Set(cancelled);
        consumer.ReceivedAsync += (_, received) => receive(received);
        var tag = await broker.CallAsync(
            async patient =>
            {
                await channel.BasicQosAsync(0, prefetch, global: false, patient);
                return await channel.BasicConsumeAsync(queue, autoAck: false, consumer, patient);
            },
            cancellationToken);
        return (tag, closed, Task.WhenAny(closed, cancelled.Task));
    }

    private static Task Closing(IChannel channel)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, _) => Set(closed);
        return closed.Task;
    }

    private static Task Set(TaskCompletionSource source)
    {
        source.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Waits until the channel closes, the broker cancels the consumer, it is idle for too long, or we are told to
    /// stop; records the queue's length meanwhile.
    /// </summary>
    private async Task WatchAsync(QueueName name, string queue, Seat seat, Task ended, CancellationToken stop)
    {
        var channel = seat.Channel;
        while (!ended.IsCompleted && !stop.IsCancellationRequested)
        {
            Volatile.Write(ref publishedSince[(int)name], 0);
            // Not cancelled by a stop, which would close the channel while handlers still acknowledge on it.
            var found = await broker.CallAsync(patient => channel.QueueDeclarePassiveAsync(queue, patient), CancellationToken.None);
            lengths[name] = found.MessageCount;
            if (seat.IsIdleFor(Renewal))
            {
                return;
            }

            using var pause = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(ended, Task.Delay(LengthInterval, time, pause.Token));
            await pause.CancelAsync();
        }

        if (!stop.IsCancellationRequested)
        {
            Log.ChannelClosed(logger, queue, channel.CloseReason?.ReplyText ?? "the broker cancelled the consumer");
        }
    }

    private async Task ReceiveAsync(Seat seat, BasicDeliverEventArgs received, TurnQueue<Delivery> lines)
    {
        try
        {
            var message = Message.FromJson(Encoding.UTF8.GetString(received.Body.Span));
            seat.Take();
            lines.Add(message.RequestId, new Delivery(message, seat, received.DeliveryTag));
        }
        catch (JsonException exception)
        {
            // Perhaps for another version: it waits among the dead letters and comes back, and counts against no image.
            Log.Unreadable(logger, received.RoutingKey, exception);
            await AnswerAsync(seat.Channel, () => seat.Channel.BasicNackAsync(received.DeliveryTag, multiple: false, requeue: false));
        }
    }

    private async Task HandleAsync(Delivery delivery, WorkSlot slot, MessageHandler handle, CancellationToken cancellationToken)
    {
        // The loop that takes messages must not run the synchronous first part of a handler itself.
        await Task.Yield();
        try
        {
            // A closed channel has already returned its messages to the broker.
            if (delivery.Seat.Channel.IsOpen)
            {
                await handle(delivery.Message, slot, cancellationToken);
                await AnswerAsync(delivery, channel => channel.BasicAckAsync(delivery.Tag, multiple: false, CancellationToken.None));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Comes back when the channel closes.
        }
#pragma warning disable CA1031 // Whatever a handler throws, its message must come back and the consumer must continue.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.HandlerThrew(logger, delivery.Message.GetType().Name, delivery.Message.RequestId, exception);
            _ = GiveBackAsync(delivery, cancellationToken);
        }
        finally
        {
            slot.Leave();
        }
    }

    /// <summary>After a pause, the broker delivers it again to any consumer, and counts it towards the limit.</summary>
    private async Task GiveBackAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        await Task.Delay(options.Value.RedeliveryPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AnswerAsync(delivery, channel => channel.BasicNackAsync(delivery.Tag, multiple: false, requeue: true));
    }

    private async Task AnswerAsync(Delivery delivery, Func<IChannel, ValueTask> answer)
    {
        await AnswerAsync(delivery.Seat.Channel, () => answer(delivery.Seat.Channel));
        delivery.Seat.Leave();
    }

    /// <summary>
    /// A channel that breaks during an acknowledgement has returned the message: it comes again, and running it twice
    /// changes nothing.
    /// </summary>
    private async Task AnswerAsync(IChannel channel, Func<ValueTask> answer)
    {
        try
        {
            await answer();
        }
        catch (Exception exception) when (
            exception is RabbitMQ.Client.Exceptions.RabbitMQClientException
                or IOException
                or ObjectDisposedException
                or OperationCanceledException)
        {
            Log.AnswerLost(logger, channel.ChannelNumber, exception.Message);
        }
    }

    /// <summary>
    /// Passes messages delivered too often to <paramref name="deadLetter"/>. An image that only waited goes back to its
    /// queue; other messages and unreadable ones go back after a pause.
    /// </summary>
    private Task KeepBuryingAsync(QueueName name, DeadLetterHandler deadLetter, CancellationToken cancellationToken)
    {
        var dead = RabbitBroker.DeadLetterNameOf(options.Value, name);
        return KeepOpenAsync(
            dead,
            DeadLettersAtOnce,
            async (channel, backoff) =>
            {
                // A closing channel waits for the letters in progress, which may be parked or wait for an outage to end.
                using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                try
                {
                    var (_, _, ended) = await ConsumeAsync(
                        channel,
                        dead,
                        DeadLettersAtOnce,
                        received => BuryAsync(name, channel, received, deadLetter, over.Token),
                        cancellationToken);
                    backoff.Reset();
                    await ended.WaitAsync(cancellationToken);
                }
                finally
                {
                    await over.CancelAsync();
                }
            },
            cancellationToken);
    }

    private async Task BuryAsync(
        QueueName name,
        IChannel channel,
        BasicDeliverEventArgs letter,
        DeadLetterHandler deadLetter,
        CancellationToken cancellationToken)
    {
        var body = letter.Body.ToArray();
        var hasWaited = HasWaited(letter.BasicProperties.Timestamp);
        try
        {
            var image = Read(body) as Message.Image;
            if (image is not null && !hasWaited)
            {
                await deadLetter(image, cancellationToken);
            }
            else
            {
                if (image is null)
                {
                    await Task.Delay(options.Value.ParkedPause, time, cancellationToken);
                }

                await PublishAsync([(RabbitBroker.NameOf(options.Value, name), body)], cancellationToken);
            }

            await AnswerAsync(channel, () => channel.BasicAckAsync(letter.DeliveryTag, multiple: false, CancellationToken.None));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Comes back when the channel closes.
        }
#pragma warning disable CA1031 // A dead letter is never lost: it comes again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotBuried(logger, name, exception);
            await Task.Delay(options.Value.RedeliveryPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await AnswerAsync(channel, () => channel.BasicNackAsync(letter.DeliveryTag, multiple: false, requeue: true));
        }
    }

    private bool HasWaited(AmqpTimestamp published) =>
        time.GetUtcNow().ToUnixTimeSeconds() - published.UnixTime > options.Value.DeliveryLimit * LongestBetweenCrashes.TotalSeconds;

    private static Message? Read(byte[] body)
    {
        try
        {
            return Message.FromJson(Encoding.UTF8.GetString(body));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private readonly record struct Delivery(Message Message, Seat Seat, ulong Tag);

    /// <summary>A receiving channel, and the number of its unacknowledged messages.</summary>
    private sealed class Seat(IChannel channel, TimeProvider time)
    {
        private int held;
        private long lastAt = time.GetTimestamp();

        public IChannel Channel => channel;

        public void Take() => Interlocked.Increment(ref held);

        public void Leave()
        {
            Volatile.Write(ref lastAt, time.GetTimestamp());
            Interlocked.Decrement(ref held);
        }

        public bool IsIdleFor(TimeSpan span) => Volatile.Read(ref held) == 0 && time.GetElapsedTime(Volatile.Read(ref lastAt)) >= span;
    }

    private static partial class Log
    {
        [LoggerMessage(511, LogLevel.Warning, "Queue {Queue} is waiting: {Reason}")]
        public static partial void Outage(ILogger logger, string queue, string reason);

        [LoggerMessage(
            512,
            LogLevel.Warning,
            "The channel of queue {Queue} was closed ({Reason}); unacknowledged messages will be delivered again")]
        public static partial void ChannelClosed(ILogger logger, string queue, string reason);

        [LoggerMessage(513, LogLevel.Error, "A message on {Queue} cannot be read by this version; it will be delivered again later")]
        public static partial void Unreadable(ILogger logger, string queue, Exception exception);

        [LoggerMessage(514, LogLevel.Error, "The handler of {Message} for request {RequestId} failed; the message will be delivered again")]
        public static partial void HandlerThrew(ILogger logger, string message, Guid requestId, Exception exception);

        [LoggerMessage(
            515,
            LogLevel.Information,
            "An acknowledgement on channel {Channel} was lost ({Reason}); its message will be delivered again")]
        public static partial void AnswerLost(ILogger logger, int channel, string reason);

        [LoggerMessage(516, LogLevel.Error, "A dead letter of {Queue} could not be handled; it will be delivered again")]
        public static partial void NotBuried(ILogger logger, QueueName queue, Exception exception);
    }
}
