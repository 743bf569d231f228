using Halftone.Codec;
using Halftone.Compress.Sandbox;
using Halftone.Model;
using Microsoft.Extensions.Options;

namespace Halftone.Compress;

/// <summary>
/// Compresses images in child processes, one image each at a time, first come, first served. Children are warmed up
/// before the host listens, and none outlives the pool.
/// </summary>
internal sealed partial class CodecPool : IHostedService, IDisposable
{
    private readonly CompressOptions options;
    private readonly bool isWanted;
    private readonly ILogger logger;
    private readonly Queue<QueuedImage> waiting = new();
    private readonly CodecSeat[] seats;
    private bool started;
    private bool ending;

    public CodecPool(IOptions<CompressOptions> options, IOptions<ServerOptions> server, TimeProvider time, ILogger<CodecPool> logger)
    {
        this.options = options.Value;
        this.logger = logger;
        isWanted = server.Value.Role != Role.Api;
        seats = [
            .. Enumerable.Range(1, this.options.Children ?? Environment.ProcessorCount).Select(number =>
                new CodecSeat(number, this.options, time, logger, Take))];
    }

    /// <summary>Process IDs of the running children.</summary>
    public IReadOnlyList<int> Children => [.. seats.Select(seat => seat.ChildId).OfType<int>()];

    /// <summary>Children replaced because they crashed, hung, ran out of memory, or were ended with a cancelled image.</summary>
    public int Restarts => seats.Sum(seat => seat.Restarts);

    /// <summary>Children replaced because they had grown too large.</summary>
    public int Recycled => seats.Sum(seat => seat.Recycled);

    /// <summary>Total memory of the children, as reported with the last image of each.</summary>
    public long ResidentBytes => seats.Sum(seat => seat.ResidentBytes);

    /// <summary>Images that wait for a child.</summary>
    public int Waiting
    {
        get
        {
            lock (waiting)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>Starts the children and waits until they are warmed up.</summary>
    /// <exception cref="CodecUnavailableException">They cannot be started, for example because libvips is missing; the
    /// message is for people.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!isWanted)
        {
            return;
        }

        StartSeats();
        await Task.WhenAll(seats.Select(seat => seat.Warm)).WaitAsync(cancellationToken);
        if (seats[0].Lacking is not SandboxParts.None and var lacking)
        {
            Log.SandboxLacks(logger, lacking.Name());
        }
    }

    /// <summary>
    /// Does nothing, because images of workers that are still stopping need the children. <see cref="Dispose"/> ends
    /// them.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Compresses one image; waits for its turn.</summary>
    /// <param name="body">The whole file. It is read until the task has ended, and is itself the result if the original is kept.</param>
    /// <param name="request">The requested output; <see cref="CompressOptions.MaxPixels"/> applies as well.</param>
    /// <param name="cancellationToken">Removes a waiting image from the queue, and ends the child that works on it.</param>
    /// <returns>The output, or why there is none: a bad image is a result.</returns>
    /// <exception cref="CodecUnavailableException">No child can be started: a problem of the installation, not of the image.</exception>
    public Task<CodecResult> CompressAsync(ReadOnlyMemory<byte> body, CodecRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<CodecResult>(cancellationToken);
        }

        StartSeats();
        var image = new QueuedImage(
            body,
            request with
            {
                MaxPixels = Math.Min(request.MaxPixels, options.MaxPixels),
                Jpeg = options.Jpeg,
                WebpEffort = options.WebpEffort,
                AvifEffort = options.AvifEffort,
                KeepsRights = request.KeepsRights && options.Metadata == KeptMetadata.Rights,
            },
            cancellationToken);
        lock (waiting)
        {
            ObjectDisposedException.ThrowIf(ending, this);
            waiting.Enqueue(image);
            Monitor.Pulse(waiting);
        }

        return image.Completion;
    }

    /// <summary>Ends the children, whatever they are doing, and waits until they are gone. Unfinished images end as cancelled.</summary>
    public void Dispose()
    {
        lock (waiting)
        {
            if (ending)
            {
                return;
            }

            ending = true;
            Monitor.PulseAll(waiting);
        }

        foreach (var seat in seats)
        {
            seat.End();
        }

        foreach (var seat in seats)
        {
            seat.Join();
        }

        foreach (var image in waiting)
        {
            image.CompleteCancelled();
        }
    }

    private void StartSeats()
    {
        lock (waiting)
        {
            if (started || ending)
            {
                return;
            }

            started = true;
        }

        foreach (var seat in seats)
        {
            seat.Start();
        }
    }

    /// <summary>The next image; waits until there is one. Null when the pool ends.</summary>
    private QueuedImage? Take()
    {
        lock (waiting)
        {
            while (true)
            {
                if (ending)
                {
                    return null;
                }

                if (waiting.TryDequeue(out var image))
                {
                    return image;
                }

                Monitor.Wait(waiting);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(623, LogLevel.Warning,
            "The sandbox of codec processes lacks {Parts} on this system; Compress:Sandbox=required would not start")]
        public static partial void SandboxLacks(ILogger logger, string parts);
    }
}
