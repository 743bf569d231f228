using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Telemetry;
using Halftone.Webhooks;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// Takes messages off the three queues and passes each to its handler. When the server is told to stop, nothing more is
/// taken, and messages in progress have a few seconds to finish; then they are cancelled and come back after the next
/// start.
/// </summary>
internal sealed class Workers(
    IWorkQueue queue,
    IOptions<QueueOptions> options,
    IOptions<ServerOptions> server,
    Planner planner,
    ImageRun imageRun,
    RequestCompletion completion,
    RequestRemoval removal,
    DeliveryRun deliveryRun,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<Workers> logger) : BackgroundService
{
    /// <summary>Almost every image finishes within it; with the host's own timeout, a stop takes less than 10 s.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (server.Value.Role == Role.Api)
        {
            return;
        }

        // Results contain the address that the server listens on, which is known only then.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        // Not when this service is stopped: the web server stops first, and an upload in progress may take all the time there is.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        using var over = new CancellationTokenSource();
        await using var grace = time.CreateTimer(_ => over.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var stopping = stop.Token.Register(() => grace.Change(Grace, Timeout.InfiniteTimeSpan));
        Task[] consumers =
        [
            ConsumeAsync(QueueName.Work, options.Value.Prefetch, over.Token, stop.Token),
            ConsumeAsync(QueueName.Finish, options.Value.FinishPrefetch, over.Token, stop.Token),
            ConsumeAsync(QueueName.Deliver, options.Value.DeliverPrefetch, over.Token, stop.Token),
            ConsumeAsync(QueueName.Delete, 1, over.Token, stop.Token),
        ];
        // A consumer that ends by itself is a bug: the host must learn of it at once, not only when the others have ended too.
        await await Task.WhenAny(consumers);
        await Task.WhenAll(consumers);
    }

    /// <param name="name">The queue.</param>
    /// <param name="prefetch">Maximum concurrent handlers.</param>
    /// <param name="over">Cancels handlers.</param>
    /// <param name="stop">Stops taking messages.</param>
    private Task ConsumeAsync(QueueName name, int prefetch, CancellationToken over, CancellationToken stop) => queue.ConsumeAsync(
        name,
        prefetch,
        (message, slot, _) => WaitOutAsync(message, () => HandleAsync(message, slot, over), over),
        (message, ended) => WaitOutAsync(message, () => DeadLetterAsync(message, ended), ended),
        stop);

    /// <summary>
    /// An outage of our own costs no message a delivery: otherwise half a minute of a full disk would dead-letter good
    /// images.
    /// </summary>
    private async Task WaitOutAsync(Message message, Func<Task> handle, CancellationToken cancellationToken)
    {
        using var scope = logger.BeginScope(LogScope.Of(message));
        await OutageBackoff.WaitOutAsync(
            async () =>
            {
                await handle();
                return true;
            },
            time,
            logger,
            cancellationToken);
    }

    private Task HandleAsync(Message message, IWorkSlot slot, CancellationToken cancellationToken) => message switch
    {
        Message.Plan plan => planner.HandleAsync(plan, slot, cancellationToken),
        Message.Image image => imageRun.HandleAsync(image, slot, cancellationToken),
        Message.Finish finish => completion.HandleAsync(finish, cancellationToken),
        Message.Deliver deliver => deliveryRun.HandleAsync(deliver, slot, cancellationToken),
        Message.Delete delete => removal.HandleAsync(delete, cancellationToken),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>An image that crashes workers fails; everything else returns to its queue, because it carries no bad data.</summary>
    private Task DeadLetterAsync(Message message, CancellationToken cancellationToken) =>
        message is Message.Image image
            ? imageRun.DeadLetterAsync(image, cancellationToken)
            : queue.PublishAsync([message], cancellationToken);
}
