using System.Threading.Channels;
using Halftone.Database;
using Microsoft.Extensions.Options;

namespace Halftone.Queue;

/// <summary>
/// The queue of a single process: nothing to install, nothing kept on disk (what was in it is planned again at start).
/// Requests take turns message by message, so a three-row request waits for one message of each other request and
/// not for their backlogs (docs/decisions/0002).
/// </summary>
internal sealed partial class ChannelQueue(IOptions<QueueOptions> options, WaitingRoom waitingRoom, TimeProvider time, ILogger<ChannelQueue> logger) : IWorkQueue
{
    /// <summary>Messages beyond which no retries are handed out; those of the planner are bounded by the planner.</summary>
    private const int MostSwept = 1_024;

    private readonly Dictionary<QueueName, TurnQueue> queues = Enum.GetValues<QueueName>().ToDictionary(name => name, _ => new TurnQueue());

    public bool IsInProcess => true;

    /// <summary>Messages that wait to be taken.</summary>
    public int Waiting(QueueName queue) => queues[queue].Count;

    public bool HasRoom(QueueName queue) => queues[queue].Count < MostSwept;

    public Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
    {
        foreach (var message in messages)
        {
            queues[message.Queue].Add(new(message, 1));
        }

        return Task.CompletedTask;
    }

    public async Task ConsumeAsync(QueueName queue, int prefetch, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken)
    {
        using var slots = new Slots(prefetch, queue is QueueName.Work or QueueName.Deliver ? options.Value.WaitingImages : 0);
        var running = new RunningTasks();
        try
        {
            while (true)
            {
                await slots.EnterAsync(cancellationToken);
                var taken = await queues[queue].TakeAsync(cancellationToken);
                running.Add(HandleAsync(queue, taken, new Slot(slots, taken.Message is Message.Image ? waitingRoom : null, taken.Message.RequestId), handle, deadLetter, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await running.WhenAllAsync();
        }
    }

    private async Task HandleAsync(QueueName queue, Taken taken, Slot slot, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken)
    {
        // The loop that takes messages must not run a handler's first, synchronous part itself.
        await Task.Yield();
        try
        {
            if (taken.Deliveries > options.Value.DeliveryLimit)
            {
                await deadLetter(taken.Message, cancellationToken);
            }
            else
            {
                await handle(taken.Message, slot, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Planned again at the next start.
        }
#pragma warning disable CA1031 // Whatever a handler threw, its message must come back and the consumer must go on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.HandlerThrew(logger, taken.Message.GetType().Name, taken.Message.RequestId, taken.Deliveries, exception);
            // Our own outage is not the message's fault.
            _ = RedeliverAsync(queue, OutageBackoff.IsOutage(exception) ? taken : taken with { Deliveries = taken.Deliveries + 1 }, cancellationToken);
        }
        finally
        {
            slot.Leave();
        }
    }

    private async Task RedeliverAsync(QueueName queue, Taken taken, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(options.Value.RedeliveryPause, time, cancellationToken);
            queues[queue].Add(taken);
        }
        catch (OperationCanceledException)
        {
            // Planned again at the next start.
        }
    }

    private readonly record struct Taken(Message Message, int Deliveries);

    /// <summary>One line of messages per request; the requests stand in a ring.</summary>
    private sealed class TurnQueue
    {
        private readonly Lock gate = new();
        private readonly Dictionary<Guid, Queue<Taken>> lines = [];
        private readonly Queue<Guid> turns = [];
        private readonly Channel<bool> available = Channel.CreateUnbounded<bool>();

        public int Count => available.Reader.Count;

        public void Add(Taken taken)
        {
            lock (gate)
            {
                if (!lines.TryGetValue(taken.Message.RequestId, out var line))
                {
                    lines[taken.Message.RequestId] = line = [];
                    turns.Enqueue(taken.Message.RequestId);
                }

                line.Enqueue(taken);
            }

            available.Writer.TryWrite(true);
        }

        public async Task<Taken> TakeAsync(CancellationToken cancellationToken)
        {
            await available.Reader.ReadAsync(cancellationToken);
            lock (gate)
            {
                var request = turns.Dequeue();
                var line = lines[request];
                var taken = line.Dequeue();
                if (line.Count > 0)
                {
                    turns.Enqueue(request);
                }
                else
                {
                    lines.Remove(request);
                }

                return taken;
            }
        }
    }

    /// <summary>
    /// The places of one consumer. A message is admitted once and holds a place while it works; those that gave their place back are
    /// bounded by admission, which bounds memory. Who waits for a place never holds one, so nothing can lock up.
    /// </summary>
    private sealed class Slots(int places, int waiting) : IDisposable
    {
        private readonly SemaphoreSlim admission = new(places + waiting);
        private readonly SemaphoreSlim free = new(places);

        public async Task EnterAsync(CancellationToken cancellationToken)
        {
            await admission.WaitAsync(cancellationToken);
            await free.WaitAsync(cancellationToken);
        }

        public void GiveBack() => free.Release();

        public Task TakeAgainAsync(CancellationToken cancellationToken) => free.WaitAsync(cancellationToken);

        public void Leave() => admission.Release();

        public void Dispose()
        {
            admission.Dispose();
            free.Dispose();
        }
    }

    private sealed class Slot(Slots slots, WaitingRoom? waitingRoom, Guid requestId) : IWorkSlot
    {
        private bool isHeld = true;

        public void GiveBack()
        {
            if (isHeld)
            {
                isHeld = false;
                waitingRoom?.Enter(requestId);
                slots.GiveBack();
            }
        }

        public async ValueTask TakeAgainAsync(CancellationToken cancellationToken)
        {
            if (!isHeld)
            {
                await slots.TakeAgainAsync(cancellationToken);
                isHeld = true;
                waitingRoom?.Leave(requestId);
            }
        }

        public void Leave()
        {
            if (isHeld)
            {
                slots.GiveBack();
            }
            else
            {
                waitingRoom?.Leave(requestId);
            }

            slots.Leave();
        }
    }

    /// <summary>Handlers under way, so that a stop can wait for them.</summary>
    private sealed class RunningTasks
    {
        private readonly Lock gate = new();
        private readonly HashSet<Task> tasks = [];

        public void Add(Task task)
        {
            lock (gate)
            {
                tasks.Add(task);
            }

            _ = task.ContinueWith(Remove, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        public Task WhenAllAsync()
        {
            lock (gate)
            {
                return Task.WhenAll([.. tasks]);
            }
        }

        private void Remove(Task task)
        {
            lock (gate)
            {
                tasks.Remove(task);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(201, LogLevel.Error, "The handler of {Message} for request {RequestId} failed at delivery {Delivery}")]
        public static partial void HandlerThrew(ILogger logger, string message, Guid requestId, int delivery, Exception exception);
    }
}
