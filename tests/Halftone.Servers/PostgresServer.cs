using System.Globalization;
using Dapper;
using Halftone.Database;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Halftone.Servers;

/// <summary>A PostgreSQL of this process alone, on a free port, without fsync: nothing of it outlives the process.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private static readonly Lazy<string?> Programs = new(FindPrograms);
    private readonly string folder;
    private readonly int port;
    private readonly Lazy<Task> template;
    private OwnedProcess? process;
    private int databases;

    private PostgresServer(string folder, int port)
    {
        (this.folder, this.port) = (folder, port);
        template = new(MakeTemplateAsync);
    }

    /// <exception cref="NotInstalledException"/>
    public static async Task<PostgresServer> StartAsync(CancellationToken cancellationToken)
    {
        NotInstalledException.ThrowUnless(Programs.Value is not null, "PostgreSQL", "postgresql");
        var folder = await OwnedProcess.NewFolderAsync("postgres", cancellationToken);
        await OwnedProcess.RunAsUserAsync(
            [
                Path.Combine(Programs.Value!, "initdb"), "-D", Path.Combine(folder, "data"), "-U", "app", "-A", "trust", "--no-sync", "-E",
                "UTF8", "--locale=C.UTF-8",
            ],
            cancellationToken);
        var server = new PostgresServer(folder, FreePort.Find());
        await server.RunAsync(cancellationToken);
        return server;
    }

    /// <summary>Starts it, or starts it again after <see cref="StopAsync"/>, on the same port with the same data.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string[] settings =
        [
            "fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", $"unix_socket_directories={folder}", "max_connections=300",
            "shared_buffers=64MB",
        ];
        process = await OwnedProcess.StartAsync(
            folder,
            "INT",
            [
                Path.Combine(Programs.Value!, "postgres"), "-D", Path.Combine(folder, "data"), "-p",
                port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(setting => new[] { "-c", setting }),
            ],
            null,
            cancellationToken);
        await process.UntilAsync(() => AnswersAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Ends it as an operator does: every connection is cut.</summary>
    public async Task StopAsync()
    {
        await process!.DisposeAsync();
        process = null;
    }

    /// <summary>Ends it in the middle of its work; it recovers when it starts again.</summary>
    public async Task CrashAsync()
    {
        await OwnedProcess.RunAsUserAsync(["kill", "-QUIT", process!.Id.ToString(CultureInfo.InvariantCulture)], CancellationToken.None);
        await StopAsync();
    }

    /// <summary>A fresh database with every migration.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        await template.Value.WaitAsync(cancellationToken);
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE migrated", cancellationToken);
        return ConnectionStringTo(name);
    }

    /// <summary>A database without a table.</summary>
    public async Task<string> CreateEmptyDatabaseAsync(string options, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"empty_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync($"CREATE DATABASE {name} {options}", cancellationToken);
        return ConnectionStringTo(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static string? FindPrograms() =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql")
                ? Directory.EnumerateDirectories("/usr/lib/postgresql")
                    .OrderDescending(StringComparer.Ordinal)
                    .Select(version => Path.Combine(version, "bin"))
                : [])
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));

    private async Task MakeTemplateAsync()
    {
        await ExecuteAsync("CREATE DATABASE migrated", CancellationToken.None);
        await using var database = new PostgresDatabase(
            PostgresAddress.Parse(ConnectionStringTo("migrated")), TimeProvider.System, NullLogger<PostgresDatabase>.Instance);
        await new Migrator(database, TimeProvider.System).MigrateAsync(CancellationToken.None);
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync("SELECT 1", cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres") + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await connection.ExecuteAsync(sql);
    }

    public int Port => port;

    private string ConnectionStringTo(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=app;Database={database}");
}
