namespace Halftone.Io;

/// <summary>
/// Reads from a server until it is silent for too long: a connection that broke without notice looks like one that
/// waits.
/// </summary>
/// <param name="source">Read from; not closed here.</param>
/// <param name="longest">Maximum silence.</param>
internal sealed class PatientStream(Stream source, TimeSpan longest) : AsyncReadStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(longest);
        try
        {
            return await source.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("The server was silent for too long.", exception);
        }
    }
}
