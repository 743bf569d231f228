using Halftone.Model;

namespace Halftone.Queue;

/// <summary>
/// Carries messages from whoever publishes to one handler each, at least once. A message is gone only when its handler
/// has returned; what a dead process had taken comes back.
/// </summary>
internal interface IWorkQueue
{
    /// <summary>
    /// True where the messages live in this process and are lost with it: then one process has the database to itself, and plans again what was
    /// unfinished when the last one ended.
    /// </summary>
    bool IsInProcess { get; }

    /// <summary>Returns when every message is safe on its queue; throws where the queue does not take them.</summary>
    Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken);

    /// <summary>Whether messages can be carried now.</summary>
    /// <exception cref="QueueUnavailableException">They cannot.</exception>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Messages that nobody has taken yet, for whatever process; null where that is not known, for one because this process takes none of them.</summary>
    long? Length(QueueName queue);

    /// <summary>Messages in this process that wait to be handled.</summary>
    int Waiting(QueueName queue);

    /// <summary>False where so many messages wait already that handing out more would only fill memory.</summary>
    bool HasRoom(QueueName queue);

    /// <summary>
    /// Hands messages to <paramref name="handle"/>, at most <paramref name="prefetch"/> at a time, until cancelled; then waits for
    /// the handlers that run. A handler that throws gets its message again after a pause, up to the delivery limit; then
    /// <paramref name="deadLetter"/> gets it.
    /// </summary>
    Task ConsumeAsync(QueueName queue, int prefetch, MessageHandler handle, DeadLetterHandler deadLetter, CancellationToken cancellationToken);
}

/// <param name="message">What was taken.</param>
/// <param name="slot">The place this handler holds; it may be given back while waiting for something that is not work.</param>
/// <param name="cancellationToken">The consumer is stopping.</param>
internal delegate Task MessageHandler(Message message, IWorkSlot slot, CancellationToken cancellationToken);

internal delegate Task DeadLetterHandler(Message message, CancellationToken cancellationToken);

/// <summary>One message's place among those that bound how many handlers run at a time. For one flow at a time.</summary>
internal interface IWorkSlot
{
    /// <summary>Lets another message be taken while this one waits for something that is not work. Calling it again changes nothing.</summary>
    void GiveBack();

    /// <summary>Waits for a place again, in the order of asking.</summary>
    ValueTask TakeAgainAsync(CancellationToken cancellationToken);
}
