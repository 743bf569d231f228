using System.Collections.Concurrent;
using System.Net;

namespace Halftone.Fetch;

/// <summary>
/// Asks the system's resolver. It blocks its thread, for many seconds when name servers are silent, so it runs on threads
/// of its own: the pool's would all be gone after a few dozen dead names. Callers who want the same name at the same time
/// share one question.
/// </summary>
/// <param name="resolve">
/// <see cref="Dns.GetHostAddresses(string)"/> in the product. Tests, where one name must lead to other addresses the second
/// time, give their own.
/// </param>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve) : IDisposable
{
    /// <summary>Threads that may hang in the resolver at once. A stack costs little until used; 64 dead names at once are rare.</summary>
    private const int MaxLookups = 64;

    private readonly SemaphoreSlim places = new(MaxLookups);
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All addresses of a host, in the order of the resolver's preference (RFC 6724). An address resolves to itself.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The resolver's answer where there is no address.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }

        // Lazy, so that the question is in the table before it can be answered: removed first and added after, it would
        // answer for ever. Not under the caller's token: the others who wait for the name would get its cancellation.
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
            return await Task.Factory.StartNew(() => resolve(host), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }
        finally
        {
            places.Release();
            running.TryRemove(KeyValuePair.Create(host, question));
        }
    }
}
