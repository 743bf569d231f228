using Halftone.Model;

namespace Halftone.Queue;

/// <summary>
/// Carries messages from publishers to one handler each, at least once. A message is removed only when its handler has
/// returned; messages of a dead process come back.
/// </summary>
internal interface IWorkQueue
{
    /// <summary>
    /// True if the messages live in this process and are lost with it: then one process owns the database, and plans
    /// unfinished work again when it starts.
    /// </summary>
    bool IsInProcess { get; }

    /// <summary>Returns when every message is safely on its queue; throws if the queue does not accept them.</summary>
    Task PublishAsync(IReadOnlyList<Message> messages, CancellationToken cancellationToken);

    /// <summary>Checks that messages can be carried now.</summary>
    /// <exception cref="QueueUnavailableException">They cannot.</exception>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Messages that no process has taken yet; null if unknown, for example because this process consumes none of them.</summary>
    long? Length(QueueName queue);

    /// <summary>Messages in this process that wait to be handled.</summary>
    int Waiting(QueueName queue);

    /// <summary>False if so many messages wait already that handing out more would only fill memory.</summary>
    bool HasRoom(QueueName queue);

    /// <summary>
    /// Passes messages to <paramref name="handle"/>, at most <paramref name="prefetch"/> at a time, until cancelled;
    /// then waits for the running handlers. If a handler throws, its message is delivered again after a pause, up to
    /// the delivery limit; then <paramref name="deadLetter"/> receives it.
    /// </summary>
    Task ConsumeAsync(
        QueueName queue,
        int prefetch,
        MessageHandler handle,
        DeadLetterHandler deadLetter,
        CancellationToken cancellationToken);
}

/// <param name="message">The message that was taken.</param>
/// <param name="slot">The slot of this handler; it may be released while it waits for something that is not work.</param>
/// <param name="cancellationToken">The consumer is stopping.</param>
internal delegate Task MessageHandler(Message message, IWorkSlot slot, CancellationToken cancellationToken);

internal delegate Task DeadLetterHandler(Message message, CancellationToken cancellationToken);

/// <summary>The slot of one message; slots bound how many handlers run at a time. Not thread-safe.</summary>
internal interface IWorkSlot
{
    /// <summary>Lets another message be taken while this one waits for something that is not work. Repeated calls have no effect.</summary>
    void GiveBack();

    /// <summary>Waits for a slot again, first come, first served.</summary>
    ValueTask TakeAgainAsync(CancellationToken cancellationToken);
}
