using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Halftone.Servers;

/// <summary>
/// A port that nobody listens on now, for servers that cannot choose their own. It lies below those that the system gives to connections
/// (ip_local_port_range begins at 32,768), so that none takes it before the server does, or while the server is started again.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000;
    private const int End = 32_000;

    private static readonly ConcurrentDictionary<int, bool> Given = [];

    public static int Find()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            if (!Given.TryAdd(port, true))
            {
                continue;
            }

            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
