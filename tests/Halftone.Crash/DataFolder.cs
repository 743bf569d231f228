using System.Net;
using System.Net.Sockets;

namespace Halftone.Crash;

/// <summary>A fresh data folder with a port of its own, so that a server that is started again is found where it was.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly string parent = Directory.CreateTempSubdirectory("halftone-crash-").FullName;

    public DataFolder()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Url = $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}";
    }

    public string Path => System.IO.Path.Combine(parent, "data");

    /// <summary>What every server on this folder writes to standard output and error.</summary>
    public string Log => Path + ".log";

    public string Url { get; }

    /// <summary>Leaves everything on disk, to be looked at.</summary>
    public bool IsKept { get; set; }

    public void Dispose()
    {
        if (!IsKept)
        {
            Directory.Delete(parent, recursive: true);
        }
    }
}
