namespace Halftone.Crash;

/// <summary>Uploads, so that there is always work under way.</summary>
/// <param name="seed">Of what is uploaded.</param>
/// <param name="inFlight">Images that must be in flight before anything is done to a server.</param>
internal sealed class Load(Shop shop, Surroundings surroundings, int seed, int inFlight)
{
    // Uploads run beside the rounds, and a Random is for one at a time.
    private readonly Random random = new(seed);
    private int uploads;

    /// <summary>Uploads one request after the other while fewer than twice as many images are in flight as must be, until it is cancelled.</summary>
    public async Task KeepUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var pause = TimeSpan.FromMilliseconds(10);
                if (shop.ImagesInFlight < inFlight * 2 && await UploadAsync(inFlight * 3 / 4, random, cancellationToken) != System.Net.HttpStatusCode.OK)
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
    public Task<System.Net.HttpStatusCode?> UploadAsync(int rows, Random choice, CancellationToken cancellationToken) =>
        shop.UploadAsync(SentRequest.Make($"r{Interlocked.Increment(ref uploads)}", rows, isRepeatable: choice.Next(2) == 0, surroundings, choice), cancellationToken);

    /// <param name="uploading">What <see cref="KeepUpAsync"/> returned.</param>
    public async Task WaitUntilUpAsync(Task uploading, CancellationToken cancellationToken)
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
