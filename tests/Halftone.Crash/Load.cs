namespace Halftone.Crash;

/// <summary>Uploads, so that there is always work under way.</summary>
/// <param name="seed">Of what is uploaded.</param>
/// <param name="inFlight">Images that must be in flight before anything is done to a server.</param>
internal sealed class Load(Shop shop, Surroundings surroundings, int seed, int inFlight)
{
    // Uploads run beside the rounds, and a Random is for one at a time.
    private readonly Random random = new(seed);
    private int uploads;

    /// <summary>
    /// Uploads one request after the other while fewer than twice as many images are in flight as must be, until it is cancelled.
    /// </summary>
    private async Task KeepUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var pause = TimeSpan.FromMilliseconds(10);
                if (shop.ImagesInFlight < inFlight * 2
                    && await UploadAsync(inFlight * 3 / 4, random, cancellationToken) != System.Net.HttpStatusCode.OK)
                {
                    pause = TimeSpan.FromMilliseconds(500);
                }

                await shop.RefreshAsync(cancellationToken);
                await Task.Delay(pause, TimeProvider.System, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The round is over; an upload under way was not answered.
        }
    }

    /// <returns>The status, or null where none came.</returns>
    private Task<System.Net.HttpStatusCode?> UploadAsync(int rows, Random choice, CancellationToken cancellationToken) =>
        shop.UploadAsync(
            SentRequest.Make($"r{Interlocked.Increment(ref uploads)}", rows, isRepeatable: choice.Next(2) == 0, surroundings, choice),
            cancellationToken);

    /// <summary>
    /// Keeps uploads coming and strikes at any moment when enough images are in flight, with <paramref name="small"/> more uploads under
    /// way that are so
    /// small that the blow comes at any moment of their lives.
    /// </summary>
    /// <param name="small">How many.</param>
    /// <param name="strike">Is told how many images are in flight.</param>
    /// <param name="choice">Of the moment.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<T> StrikeAsync<T>(int small, Func<int, Task<T>> strike, Random choice, CancellationToken cancellationToken)
    {
        using var stopUploading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var uploading = KeepUpAsync(stopUploading.Token);
        try
        {
            await WaitUntilUpAsync(uploading, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(choice.Next(800)), TimeProvider.System, cancellationToken);
            await WaitUntilUpAsync(uploading, cancellationToken);
            var waiting = shop.ImagesInFlight;
            var last = Task.WhenAll(Enumerable.Range(0, small).Select(_ => UploadAsync(2, choice, cancellationToken)));
            await Task.Delay(TimeSpan.FromMilliseconds(choice.Next(80)), TimeProvider.System, cancellationToken);
            var result = await strike(waiting);
            await last;
            return result;
        }
        finally
        {
            await stopUploading.CancelAsync();
            await uploading;
        }
    }

    private async Task WaitUntilUpAsync(Task uploading, CancellationToken cancellationToken)
    {
        while (shop.ImagesInFlight < inFlight)
        {
            if (uploading.IsCompleted)
            {
                await uploading;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }
}
