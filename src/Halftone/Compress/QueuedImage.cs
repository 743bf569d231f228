using Halftone.Codec;

namespace Halftone.Compress;

/// <summary>One call of <see cref="CodecPool.CompressAsync"/>: waiting, in a child, or done.</summary>
internal sealed class QueuedImage
{
    private readonly TaskCompletionSource<CodecResult> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken cancellationToken;
    private readonly CancellationTokenRegistration registration;
    private readonly Lock gate = new();
    private CodecProcess? worksOnIt;

    public QueuedImage(ReadOnlyMemory<byte> body, CodecRequest request, CancellationToken cancellationToken)
    {
        Body = body;
        Request = request;
        this.cancellationToken = cancellationToken;
        registration = cancellationToken.UnsafeRegister(image => ((QueuedImage)image!).Cancel(), this);
    }

    public ReadOnlyMemory<byte> Body { get; }

    public CodecRequest Request { get; }

    public Task<CodecResult> Completion => completion.Task;

    /// <summary>Called before a child gets it; false if it was cancelled.</summary>
    public bool Begin(CodecProcess process)
    {
        lock (gate)
        {
            worksOnIt = process;
            return !cancellationToken.IsCancellationRequested;
        }
    }

    /// <summary>Called after the child: from here on a cancellation no longer ends it.</summary>
    /// <returns>True if it was cancelled, so the child may have been ended on purpose.</returns>
    public bool LeaveChild()
    {
        lock (gate)
        {
            worksOnIt = null;
            return cancellationToken.IsCancellationRequested;
        }
    }

    public void Complete(CodecResult result)
    {
        registration.Dispose();
        completion.TrySetResult(result);
    }

    public void Fail(Exception exception)
    {
        registration.Dispose();
        completion.TrySetException(exception);
    }

    public void CompleteCancelled()
    {
        registration.Dispose();
        completion.TrySetCanceled(cancellationToken);
    }

    /// <summary>
    /// A waiting image is done at once. For an image in a child, ends that child; the image is done when the child's
    /// thread has released the body, because the caller may reuse the memory as soon as the task has ended.
    /// </summary>
    private void Cancel()
    {
        lock (gate)
        {
            if (worksOnIt is { } process)
            {
                process.End();
                return;
            }
        }
        completion.TrySetCanceled(cancellationToken);
    }
}
