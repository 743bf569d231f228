using Halftone.Results;
using Halftone.Webhooks;
using Microsoft.Extensions.Options;

namespace Halftone.Queue;

/// <summary>Takes messages off the three queues and gives each to its handler.</summary>
internal sealed class Workers(
    IWorkQueue queue,
    IOptions<QueueOptions> options,
    Planner planner,
    ImageRun imageRun,
    RequestCompletion completion,
    RequestRemoval removal,
    DeliveryRun deliveryRun,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Results name the address that the server listens on, which is known only then.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        Task[] consumers =
        [
            queue.ConsumeAsync(QueueName.Work, options.Value.Prefetch, HandleAsync, DeadLetterAsync, stoppingToken),
            queue.ConsumeAsync(QueueName.Finish, options.Value.FinishPrefetch, HandleAsync, DeadLetterAsync, stoppingToken),
            queue.ConsumeAsync(QueueName.Deliver, options.Value.DeliverPrefetch, HandleAsync, DeadLetterAsync, stoppingToken),
            queue.ConsumeAsync(QueueName.Delete, 1, HandleAsync, DeadLetterAsync, stoppingToken),
        ];
        // A consumer that ends by itself is a bug: the host must hear of it, and not only when the others have ended too.
        await await Task.WhenAny(consumers);
        await Task.WhenAll(consumers);
    }

    private Task HandleAsync(Message message, IWorkSlot slot, CancellationToken cancellationToken) => message switch
    {
        Message.Plan plan => planner.HandleAsync(plan, slot, cancellationToken),
        Message.Image image => imageRun.HandleAsync(image, slot, cancellationToken),
        Message.Finish finish => completion.HandleAsync(finish, cancellationToken),
        Message.Deliver deliver => deliveryRun.HandleAsync(deliver, cancellationToken),
        Message.Delete delete => removal.HandleAsync(delete, cancellationToken),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>An image that brings workers down is given up; everything else returns to its queue, for it carries no bad bytes.</summary>
    private Task DeadLetterAsync(Message message, CancellationToken cancellationToken) =>
        message is Message.Image image ? imageRun.DeadLetterAsync(image, cancellationToken) : queue.PublishAsync([message], cancellationToken);
}
