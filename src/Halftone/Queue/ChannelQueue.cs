using Halftone.Io;
using Halftone.Model;
using Microsoft.Extensions.Options;

namespace Halftone.Queue;

/// <summary>
/// The queue of a single process: nothing to install, nothing stored on disk (its messages are planned again at the
/// next start). Requests take turns message by message, so a request of three rows waits for one message of each other
/// request, not for their backlogs (docs/decisions/0002).
/// </summary>
internal sealed partial class ChannelQueue(
    IOptions<QueueOptions> options,
    WaitingRoom waitingRoom,
    TimeProvider time,
    ILogger<ChannelQueue> logger) : IWorkQueue
{
    /// <summary>Number of messages beyond which no retries are handed out; the planner limits its own messages.</summary>
    private const int MostSwept = 1_024;

    private readonly Dictionary<QueueName, TurnQueue<Taken>> queues = Enum.GetValues<QueueName>().ToDictionary(
        name => name,
        _ => new TurnQueue<Taken>());

    public bool IsInProcess => true;

    public long? Length(QueueName queue) => queues[queue].Count;

    public int Waiting(QueueName queue) => queues[queue].Count;

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public bool HasRoom(QueueName queue) => queues[queue].Count < MostSwept;

    public Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken)
    {
        foreach (var message in messages)
        {
            queues[message.Queue].Add(message.RequestId, new(message, 1));
        }

        return Task.CompletedTask;
    }

    public async Task ConsumeAsync(
        QueueName queue,
        int prefetch,
        MessageHandler handle,
        DeadLetterHandler deadLetter,
        CancellationToken cancellationToken)
    {
        using var places = new WorkPlaces(prefetch, queue is QueueName.Work or QueueName.Deliver ? options.Value.WaitingImages : 0);
        var running = new RunningTasks();
        try
        {
            while (true)
            {
                await places.AdmitAsync(cancellationToken);
                var taken = await queues[queue].TakeAsync(cancellationToken);
                await places.EnterAsync(cancellationToken);
                running.Add(
                    HandleAsync(
                        queue,
                        taken,
                        new WorkSlot(places, taken.Message is Message.Image ? waitingRoom : null, taken.Message.RequestId),
                        handle,
                        deadLetter,
                        cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await running.WhenAllAsync();
        }
    }

    private async Task HandleAsync(
        QueueName queue,
        Taken taken,
        WorkSlot slot,
        MessageHandler handle,
        DeadLetterHandler deadLetter,
        CancellationToken cancellationToken)
    {
        // The loop that takes messages must not run the synchronous first part of a handler itself.
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
#pragma warning disable CA1031 // Whatever a handler throws, its message must come back and the consumer must continue.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.HandlerThrew(logger, taken.Message.GetType().Name, taken.Message.RequestId, taken.Deliveries, exception);
            // An outage of our own is not the message's fault.
            _ = RedeliverAsync(queue, Outage.Is(exception) ? taken : taken with { Deliveries = taken.Deliveries + 1 }, cancellationToken);
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
            queues[queue].Add(taken.Message.RequestId, taken);
        }
        catch (OperationCanceledException)
        {
            // Planned again at the next start.
        }
    }

    private readonly record struct Taken(Message Message, int Deliveries);

    private static partial class Log
    {
        [LoggerMessage(501, LogLevel.Error, "The handler of {Message} for request {RequestId} failed on delivery {Delivery}")]
        public static partial void HandlerThrew(ILogger logger, string message, Guid requestId, int delivery, Exception exception);
    }
}
