using Halftone.Database;
using Halftone.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace Halftone.Crash;

/// <summary>A fresh data folder with a port of its own, so that a server that is started again is found where it was.</summary>
internal sealed class DataFolder : IEstate, IDisposable
{
    private string? parent;

    /// <summary>What the folder is in; a new one among the system's temporary files unless set.</summary>
    public string Parent
    {
        get => parent ??= Directory.CreateTempSubdirectory("halftone-crash-").FullName;
        init => parent = Directory.CreateDirectory(value).FullName;
    }

    public string Path => System.IO.Path.Combine(Parent, "data");

    /// <summary>What every server on this folder writes to standard output and error.</summary>
    public string Log => Path + ".log";

    public string Url { get; } = $"http://127.0.0.1:{FreePort.Find()}";

    /// <summary>Of a PostgreSQL database that the servers on this folder record in; empty means SQLite in the folder.</summary>
    public string ConnectionString { get; init; } = "";

    public (string, string) DatabaseSetting => ("Database:ConnectionString", ConnectionString);

    /// <summary>Leaves everything on disk, to be looked at.</summary>
    public bool IsKept { get; set; }

    /// <summary>
    /// Until the files of deleted requests are gone: their rows go next, and a server that is told to stop ends what it has begun.
    /// </summary>
    public async Task WaitForRemovalAsync(Shop shop, CancellationToken cancellationToken)
    {
        while (shop.Sent.Any(request =>
            request is { IsGone: true, RequestId: { } id } && Directory.Exists(System.IO.Path.Combine(Path, "files", id.ToString("D")))))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    public HalftoneDatabase OpenDatabase() => ConnectionString.Length > 0
        ? new PostgresDatabase(PostgresAddress.Parse(ConnectionString), TimeProvider.System, NullLogger<PostgresDatabase>.Instance)
        : new SqliteDatabase(System.IO.Path.Combine(Path, "halftone.db"));

    public string NameOf(StoredKind kind, string key) => System.IO.Path.Combine(kind == StoredKind.Image ? "images" : "files", key);

    public async Task<byte[]?> ReadAsync(StoredKind kind, string key, CancellationToken cancellationToken)
    {
        var file = System.IO.Path.Combine(Path, NameOf(kind, key));
        return File.Exists(file) ? await File.ReadAllBytesAsync(file, cancellationToken) : null;
    }

    public Task<IReadOnlyList<string>> AllAsync(IReadOnlySet<Guid> requests, CancellationToken cancellationToken)
    {
        var all = new List<string>();
        foreach (var root in new[] { "images", "files" }.Select(store => System.IO.Path.Combine(Path, store)).Where(Directory.Exists))
        {
            all.AddRange(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(
                file => System.IO.Path.GetRelativePath(Path, file)));
            all.AddRange(Directory.EnumerateDirectories(root)
                .Where(folder => !Guid.TryParse(System.IO.Path.GetFileName(folder), out var id) || !requests.Contains(id))
                .Select(folder => System.IO.Path.GetRelativePath(Path, folder) + "/"));
        }

        return Task.FromResult<IReadOnlyList<string>>(all);
    }

    public void Dispose()
    {
        if (!IsKept)
        {
            Directory.Delete(Parent, recursive: true);
        }
    }
}
