using Halftone.Codec;
using Halftone.Compress.Sandbox;

namespace Halftone.Compress;

/// <summary>
/// A slot in the pool: one thread and its child, which is replaced when it fails or grows. A crash, a hang or excessive
/// memory costs one image only: it is tried once more in a fresh child, then refused.
/// </summary>
internal sealed partial class CodecSeat
{
    private const int Attempts = 2;

    private readonly CompressOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Func<QueuedImage?> take;
    private readonly Thread thread;
    private readonly TaskCompletionSource warm = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private CodecProcess? child;
    private bool ending;
    private int restarts;
    private int recycled;

    /// <param name="number">From 1; used in the thread's name.</param>
    /// <param name="take">Waits for the next image; null if there will be none.</param>
    public CodecSeat(int number, CompressOptions options, TimeProvider time, ILogger logger, Func<QueuedImage?> take)
    {
        this.options = options;
        this.time = time;
        this.logger = logger;
        this.take = take;
        thread = new Thread(Run) { IsBackground = true, Name = $"codec {number}" };
    }

    /// <summary>Completes when the first child is ready; fails if it cannot be started.</summary>
    public Task Warm => warm.Task;

    public int? ChildId => child?.Id;

    /// <summary>The parts of the sandbox that the child did without.</summary>
    public SandboxParts Lacking => child?.Lacking ?? SandboxParts.None;

    public long ResidentBytes => child?.ResidentBytes ?? 0;

    public int Restarts => restarts;

    public int Recycled => recycled;

    public void Start() => thread.Start();

    /// <summary>Ends the child, so that the thread returns from whatever it waits for.</summary>
    public void End()
    {
        lock (gate)
        {
            ending = true;
            child?.End();
        }
    }

    public void Join()
    {
        if (!thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            thread.Join();
        }
    }

    private void Run()
    {
        if (TryStart() is { } exception)
        {
            warm.TrySetException(exception);
        }
        else
        {
            warm.TrySetResult();
        }

        while (take() is { } image)
        {
            try
            {
                Serve(image);
            }
            catch (CodecUnavailableException unavailable)
            {
                image.Fail(unavailable);
            }
#pragma warning disable CA1031 // An exception that left this thread would crash the whole server because of one image.
            catch (Exception unexpected)
#pragma warning restore CA1031
            {
                Leave();
                image.Fail(unexpected);
            }

            // Start a fresh child now, not when the next image waits for it.
            TryStart();
        }

        Leave();
    }

    private CodecUnavailableException? TryStart()
    {
        try
        {
            Child();
            return null;
        }
        catch (CodecUnavailableException exception)
        {
            return exception;
        }
    }

    private void Serve(QueuedImage image)
    {
        for (var attempt = 1; ; attempt++)
        {
            var process = Child();
            if (!image.Begin(process))
            {
                image.LeaveChild();
                image.CompleteCancelled();
                return;
            }

            var result = process.Compress(image.Body, image.Request);
            var cancelled = image.LeaveChild();
            var childFailed = result is CodecResult.Refused
            {
                Error: CodecError.CodecCrashed or CodecError.CodecTimedOut or CodecError.CodecOutOfMemory,
            };
            // A cancellation may have ended the child just as it answered.
            if (childFailed || cancelled)
            {
                Interlocked.Increment(ref restarts);
                Leave();
            }
            else if (process.ResidentBytes > options.RecycleBytes)
            {
                Interlocked.Increment(ref recycled);
                Leave();
            }

            if (cancelled || ending)
            {
                image.CompleteCancelled();
                return;
            }

            if (!childFailed)
            {
                CodecMetrics.Count(result);
                image.Complete(result);
                return;
            }

            var refused = (CodecResult.Refused)result;
            Log.ChildFailed(logger, refused.Error, refused.Detail, attempt);
            // An image that used up its processor time would do so again.
            if (attempt == Attempts || process.HasUsedUpProcessorTime)
            {
                CodecMetrics.Count(result);
                image.Complete(result);
                return;
            }
        }
    }

    /// <summary>The child, started if there is none.</summary>
    private CodecProcess Child()
    {
        if (child is { } running)
        {
            return running;
        }

        var process = CodecProcess.Start(options, time, logger);
        lock (gate)
        {
            child = process;
            if (ending)
            {
                process.End();
            }
        }

        return process;
    }

    private void Leave()
    {
        CodecProcess? left;
        lock (gate)
        {
            left = child;
            child = null;
        }

        left?.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(622, LogLevel.Warning, "An image crashed its codec process, attempt {Attempt}: {Error}, {Detail}")]
        public static partial void ChildFailed(ILogger logger, CodecError error, string detail, int attempt);
    }
}
