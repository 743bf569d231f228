using System.Globalization;
using Dapper;
using Halftone.Database;
using Halftone.Pipeline;
using Halftone.Servers;
using Halftone.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Halftone.Crash;

/// <summary>One api and some workers, each a process of its own, on PostgreSQL, RabbitMQ and Ceph's S3, with a proxy before each of those.</summary>
internal sealed class Cluster : IEstate, IAsyncDisposable
{
    private const string Prefix = "shop/";
    private readonly string parent = Directory.CreateTempSubdirectory("halftone-cluster-").FullName;
    private readonly string program;
    private readonly IReadOnlyList<(string, string)> extraSettings;
    private readonly PostgresServer postgres;
    private readonly IReadOnlyList<RabbitServer> brokers;
    private readonly CephServer ceph;
    private readonly TcpProxy toPostgres;
    private readonly IReadOnlyList<TcpProxy> toBrokers;
    private readonly TcpProxy toCeph;
    private readonly S3Options bucket;
    private string databaseName = "";

    private Cluster(string program, IReadOnlyList<(string, string)> settings, PostgresServer postgres, IReadOnlyList<RabbitServer> brokers, CephServer ceph)
    {
        (this.program, extraSettings, this.postgres, this.brokers, this.ceph) = (program, settings, postgres, brokers, ceph);
        (toPostgres, toBrokers, toCeph) = (new TcpProxy(postgres.Port), [.. brokers.Select(broker => new TcpProxy(broker.Port))], new TcpProxy(ceph.Port));
        bucket = new S3Options { Bucket = "shop", Endpoint = ceph.Endpoint, Prefix = Prefix, AccessKeyId = CephServer.AccessKeyId, SecretAccessKey = CephServer.SecretAccessKey };
        Api = new Member(this, "api", 0);
    }

    public Member Api { get; }

    public IReadOnlyList<Member> Workers { get; private set; } = [];

    public IReadOnlyList<Member> Members => [Api, .. Workers];

    public string Url => Api.Folder.Url;

    /// <summary>Where everything the members wrote is.</summary>
    public string LogFolder => parent;

    /// <summary>Leaves the logs on disk.</summary>
    public bool IsKept { get; set; }

    public Dependency Database => new("database", [toPostgres], postgres.CrashAsync, postgres.RunAsync);

    public Dependency Store => new("store", [toCeph], ceph.StopAsync, ceph.RunAsync);

    /// <summary>All nodes of the broker.</summary>
    public Dependency Queue => new("queue", toBrokers, () => Task.WhenAll(brokers.Select(broker => broker.StopAsync())), ct => Task.WhenAll(brokers.Select(broker => broker.RunAsync(ct))));

    /// <summary>One node of several.</summary>
    public Dependency QueueNode(int node) => new("queue node", [toBrokers[node]], brokers[node].StopAsync, brokers[node].RunAsync);

    public int QueueNodes => brokers.Count;

    public static async Task<Cluster> StartAsync(string program, int workers, int queueNodes, IReadOnlyList<(string, string)> settings, CancellationToken cancellationToken)
    {
        var (postgres, brokers, ceph) = (PostgresServer.StartAsync(cancellationToken), RabbitServer.StartAsync(queueNodes, cancellationToken), CephServer.StartAsync(cancellationToken));
        var cluster = new Cluster(program, settings, await postgres, await brokers, await ceph);
        using (var client = cluster.ceph.Client())
        {
            await client.PutBucketAsync(cluster.bucket.Bucket, cancellationToken);
        }

        cluster.databaseName = new NpgsqlConnectionStringBuilder(await cluster.postgres.CreateDatabaseAsync(cancellationToken)).Database!;
        cluster.Workers = [.. Enumerable.Range(1, workers).Select(number => new Member(cluster, "worker", number))];
        await Task.WhenAll(cluster.Members.Select(member => member.RunAsync()));
        return cluster;
    }

    /// <summary>Straight to the server, past the proxy.</summary>
    public HalftoneDatabase OpenDatabase() => new PostgresDatabase(PostgresAddress.Parse(ConnectionString(postgres.Port)), TimeProvider.System, NullLogger<PostgresDatabase>.Instance);

    /// <summary>Images of all requests whose outcome is recorded; null while the database does not answer.</summary>
    public async Task<long?> OutcomesAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await OnDatabaseAsync(connection => connection.ExecuteScalarAsync<long>("SELECT coalesce(sum(completed + failed), 0) FROM request"), cancellationToken);
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    /// <summary>Uploads of processes that died in them count as abandoned at once, and not after five minutes.</summary>
    public Task AgeUploadsAsync(CancellationToken cancellationToken) =>
        OnDatabaseAsync(connection => connection.ExecuteAsync("UPDATE request SET updated_at = 0 WHERE state = 'receiving'"), cancellationToken);

    /// <summary>Waits until nothing is open any more, requests whose uploads were never answered among them.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        while (await OnDatabaseAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM request WHERE state NOT IN ('completed', 'failed', 'cancelled')"), cancellationToken) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    public string NameOf(StoredKind kind, string key) => key;

    public async Task<byte[]?> ReadAsync(StoredKind kind, string key, CancellationToken cancellationToken)
    {
        using var store = new S3Store(bucket, TimeProvider.System);
        await using var found = await store.OpenReadAsync(key, cancellationToken);
        if (found is null)
        {
            return null;
        }

        using var body = new MemoryStream();
        await found.CopyToAsync(body, cancellationToken);
        return body.ToArray();
    }

    /// <summary>Once what dead workers left has been swept, as it is each day.</summary>
    public async Task<IReadOnlyList<string>> AllAsync(IReadOnlySet<Guid> requests, CancellationToken cancellationToken)
    {
        await using var database = OpenDatabase();
        using var store = new S3Store(bucket, TimeProvider.System);
        using var sweep = new OrphanSweep(database, store, store, new DaysAhead(), NullLogger<OrphanSweep>.Instance);
        await sweep.SweepAsync(cancellationToken);
        var all = new List<string>();
        await foreach (var request in store.RequestsAsync(cancellationToken))
        {
            await foreach (var found in store.ListAsync(request, cancellationToken))
            {
                all.Add(found.Key);
            }
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members)
        {
            await member.DisposeAsync();
        }

        foreach (var proxy in toBrokers.Append(toPostgres).Append(toCeph))
        {
            await proxy.DisposeAsync();
        }

        await postgres.DisposeAsync();
        await ceph.DisposeAsync();
        foreach (var broker in brokers.Reverse())
        {
            await broker.DisposeAsync();
        }

        if (!IsKept)
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    /// <summary>Straight to the server, past the proxy.</summary>
    private async Task<T> OnDatabaseAsync<T>(Func<NpgsqlConnection, Task<T>> ask, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(postgres.Port) + ";Pooling=false;Timeout=2;Command Timeout=5");
        await connection.OpenAsync(cancellationToken);
        return await ask(connection);
    }

    private string ConnectionString(int port) => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=app;Database={databaseName}");

    private (string, string)[] SettingsOf(string role) =>
    [
        ("Server:Role", role), ("Server:PublicUrl", Url),
        ("Database:ConnectionString", ConnectionString(toPostgres.Port)),
        ("Queue:Uri", string.Join(',', toBrokers.Select(proxy => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{proxy.Port}/")))),
        ("Store:S3:Bucket", bucket.Bucket), ("Store:S3:Prefix", Prefix), ("Store:S3:Endpoint", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{toCeph.Port}")),
        ("Store:S3:AccessKeyId", bucket.AccessKeyId), ("Store:S3:SecretAccessKey", bucket.SecretAccessKey),
        .. extraSettings,
    ];

    /// <summary>A server that the members need.</summary>
    /// <param name="Name">For people.</param>
    /// <param name="Proxies">Through which the members reach it.</param>
    /// <param name="CrashAsync">Ends it in the middle of its work.</param>
    /// <param name="RunAsync">Starts it again with what it had.</param>
    internal sealed record Dependency(string Name, IReadOnlyList<TcpProxy> Proxies, Func<Task> CrashAsync, Func<CancellationToken, Task> RunAsync);

    /// <summary>One of the product's processes, started again on the same port.</summary>
    internal sealed class Member(Cluster cluster, string role, int number) : IAsyncDisposable
    {
        public DataFolder Folder { get; } = new() { Parent = Path.Combine(cluster.parent, string.Create(CultureInfo.InvariantCulture, $"{role}{number}")) };

        public ServerProcess Process { get; private set; } = null!;

        /// <exception cref="InvalidOperationException">It ended at its start.</exception>
        public async Task RunAsync()
        {
            Process = ServerProcess.Start(cluster.program, Folder.Url, Folder.Path, cluster.SettingsOf(role));
            if (!await Process.Listening)
            {
                throw new InvalidOperationException($"The {role} ended at its start; see {Folder.Log}.");
            }
        }

        /// <summary>SIGKILL to the process and its codec children.</summary>
        public async Task KillAsync(CancellationToken cancellationToken)
        {
            Process.KillGroup();
            await Process.WaitForEndAsync(cancellationToken);
            await Process.DisposeAsync();
        }

        /// <summary>SIGTERM.</summary>
        /// <returns>The exit code.</returns>
        public async Task<int> StopAsync(CancellationToken cancellationToken)
        {
            Process.Terminate();
            return await Process.WaitForEndAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await (Process?.DisposeAsync() ?? ValueTask.CompletedTask);
            Folder.Dispose();
        }
    }

    /// <summary>The clock of the sweep that comes two days later.</summary>
    private sealed class DaysAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromDays(2);
    }
}
