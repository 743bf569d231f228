using System.Collections.Concurrent;
using System.Net;

namespace Halftone.Fetch;

/// <summary>
/// Asks the system's resolver. It blocks its thread, for many seconds if name servers are silent, so it runs on threads
/// of its own: the thread pool would be used up after a few dozen dead names. Concurrent lookups of the same name share
/// one query.
/// </summary>
/// <param name="resolve">
/// <see cref="Dns.GetHostAddresses(string)"/> in production. Tests in which a name must resolve differently the second time pass their own.
/// </param>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve) : IDisposable
{
    /// <summary>Maximum threads blocked in the resolver. A stack costs little until used; 64 dead names at once are rare.</summary>
    private const int MaxLookups = 64;

    private readonly SemaphoreSlim places = new(MaxLookups);
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All addresses of a host, in the resolver's order of preference (RFC 6724). An address resolves to itself.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The error of the resolver if there is no address.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }

        // Lazy, so that the query is in the table before it can complete: removed first and added afterwards, it would
        // stay forever. Not with the caller's token: its cancellation would reach everyone who waits for the name.
        Lazy<Task<IPAddress[]>>? mine = null;
        mine = new Lazy<Task<IPAddress[]>>(() => ResolveOnOwnThreadAsync(host, mine!));
        return await running.GetOrAdd(host, mine).Value.WaitAsync(cancellationToken);
    }

    public void Dispose() => places.Dispose();

    private async Task<IPAddress[]> ResolveOnOwnThreadAsync(string host, Lazy<Task<IPAddress[]>> question)
    {
        await places.WaitAsync(CancellationToken.None);
        try
        {
            return await Task.Factory.StartNew(
                () => resolve(host),
                CancellationToken.None,
                TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
                TaskScheduler.Default);
        }
        finally
        {
            places.Release();
            running.TryRemove(KeyValuePair.Create(host, question));
        }
    }
}
