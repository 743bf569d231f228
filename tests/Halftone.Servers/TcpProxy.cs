using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Halftone.Servers;

/// <summary>Stands before a server on loopback and does to its connections what networks do.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly ConcurrentDictionary<Passage, byte> passages = new();
    private readonly int target;
    private readonly Task accepting;
    private volatile bool isHole;

    /// <param name="target">The server's port.</param>
    public TcpProxy(int target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>
    /// From now on connections are made and nothing comes through, in either direction, as behind a firewall that has forgotten them.
    /// </summary>
    public void Swallow() => isHole = true;

    /// <summary>
    /// Connections made from now on pass again. Those that were there stay silent: whoever holds one must find out by himself.
    /// </summary>
    public void Heal()
    {
        foreach (var passage in passages.Keys)
        {
            passage.IsDead = passage.IsDead || isHole;
        }

        isHole = false;
    }

    /// <summary>Resets (TCP RST) every connection there is.</summary>
    public void Reset()
    {
        foreach (var passage in passages.Keys)
        {
            passage.Reset();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        Reset();
        await accepting;
        end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = PassAsync(await listener.AcceptSocketAsync(end.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task PassAsync(Socket client)
    {
        using var passage = new Passage(client);
        passages.TryAdd(passage, 0);
        try
        {
            await passage.Server.ConnectAsync(IPAddress.Loopback, target, end.Token);
            await Task.WhenAny(CopyAsync(passage, client, passage.Server), CopyAsync(passage, passage.Server, client));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody listens, or it was reset.
        }
        finally
        {
            passages.TryRemove(passage, out _);
            passage.Reset();
        }
    }

    private async Task CopyAsync(Passage passage, Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer, end.Token) is var read and > 0)
            {
                if (isHole || passage.IsDead)
                {
                    passage.IsDead = true;
                    continue;
                }

                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), end.Token);
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed on one side: the other is closed as well.
        }
    }

    /// <summary>A client's connection and the one to the server that belongs to it.</summary>
    private sealed class Passage(Socket client) : IDisposable
    {
        public Socket Server { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        /// <summary>Nothing comes through this one any more.</summary>
        public bool IsDead { get; set; }

        public void Reset()
        {
            client.Close(0);
            Server.Close(0);
        }

        public void Dispose()
        {
            client.Dispose();
            Server.Dispose();
        }
    }
}
