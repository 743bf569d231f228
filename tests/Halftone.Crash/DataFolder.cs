using System.Net;
using System.Net.Sockets;
using Halftone.Database;
using Microsoft.Extensions.Logging.Abstractions;

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

    /// <summary>Of a PostgreSQL database that the servers on this folder record in; empty means SQLite in the folder.</summary>
    public string ConnectionString { get; init; } = "";

    public (string, string) DatabaseSetting => ("Database:ConnectionString", ConnectionString);

    /// <summary>Leaves everything on disk, to be looked at.</summary>
    public bool IsKept { get; set; }

    /// <summary>Until the files of deleted requests are gone: their rows go next, and a server that is told to stop ends what it has begun.</summary>
    public async Task WaitForRemovalAsync(Shop shop, CancellationToken cancellationToken)
    {
        while (shop.Sent.Any(request => request is { IsGone: true, RequestId: { } id } && Directory.Exists(System.IO.Path.Combine(Path, "files", id.ToString("D")))))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    public HalftoneDatabase OpenDatabase() => ConnectionString.Length > 0
        ? new PostgresDatabase(PostgresAddress.Parse(ConnectionString), TimeProvider.System, NullLogger<PostgresDatabase>.Instance)
        : new SqliteDatabase(System.IO.Path.Combine(Path, "halftone.db"));

    public void Dispose()
    {
        if (!IsKept)
        {
            Directory.Delete(parent, recursive: true);
        }
    }
}
