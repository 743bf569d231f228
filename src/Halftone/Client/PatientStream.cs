namespace Halftone.Client;

/// <summary>Reads what a server sends until it is silent for longer than it ever is: a connection that broke without a word looks like one that waits.</summary>
/// <param name="source">Read from; not closed here.</param>
internal sealed class PatientStream(Stream source) : AsyncReadStream
{
    /// <summary>Twice the pause after which a stream of events says that it is still there.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LongestSilence);
        try
        {
            return await source.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("The server was silent for long.", exception);
        }
    }
}
