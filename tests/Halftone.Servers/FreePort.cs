using System.Net;
using System.Net.Sockets;

namespace Halftone.Servers;

/// <summary>A port that nobody listens on now, for servers that cannot choose their own.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
