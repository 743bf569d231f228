using System.Globalization;

namespace Halftone.Servers;

/// <summary>
/// A RabbitMQ of this process alone, on free ports, with a port mapper of its own. Source:
/// https://www.rabbitmq.com/docs/configure#environment-variables
/// </summary>
internal sealed class RabbitServer : IAsyncDisposable
{
    // Debian's own wrapper insists on root or the user rabbitmq; the program behind it does not.
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private const string Control = "/usr/lib/rabbitmq/bin/rabbitmqctl";

    private static int names;

    private readonly string folder;
    private readonly string settings;
    private readonly RabbitServer? first;
    private readonly int port = FreePort.Find();
    private readonly int distributionPort = FreePort.Find();
    private readonly int mapperPort;
    private OwnedProcess? mapper;
    private OwnedProcess? node;

    private RabbitServer(string folder, string settings, RabbitServer? first) =>
        (this.folder, this.settings, this.first, mapperPort) = (folder, settings, first, first?.mapperPort ?? FreePort.Find());

    /// <summary>For <c>Queue:Uri</c>.</summary>
    public string Uri => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{port}/");

    public int Port => port;

    private string Name => string.Create(CultureInfo.InvariantCulture, $"node{distributionPort}@localhost");

    /// <summary>Nodes of one cluster share the secret in it.</summary>
    private string Home => Path.Combine((first ?? this).folder, "home");

    /// <exception cref="NotInstalledException"/>
    public static Task<RabbitServer> StartAsync(CancellationToken cancellationToken) => StartAsync("", cancellationToken);

    /// <param name="settings">Those that its configuration file does not know, as <c>-rabbit NAME VALUE</c>.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="NotInstalledException"/>
    public static Task<RabbitServer> StartAsync(string settings, CancellationToken cancellationToken) =>
        StartAsync(settings, null, cancellationToken);

    /// <summary>Nodes of one cluster; the first of them ends last.</summary>
    /// <exception cref="NotInstalledException"/>
    public static async Task<IReadOnlyList<RabbitServer>> StartAsync(int nodes, CancellationToken cancellationToken)
    {
        var started = new List<RabbitServer> { await StartAsync(cancellationToken) };
        while (started.Count < nodes)
        {
            var node = await StartAsync("", started[0], cancellationToken);
            started.Add(node);
            string[] environment = [$"HOME={node.Home}", $"ERL_EPMD_PORT={node.mapperPort}", "RABBITMQ_CONF_ENV_FILE=/dev/null"];
            await OwnedProcess.RunAsUserAsync(
                [
                    "env", .. environment, Control, "-n", node.Name, "eval",
                    $"rabbit:stop(), ok = rabbit_mnesia:join_cluster('{started[0].Name}', disc), rabbit:start().",
                ], cancellationToken);
        }

        return started;
    }

    private static async Task<RabbitServer> StartAsync(string settings, RabbitServer? first, CancellationToken cancellationToken)
    {
        NotInstalledException.ThrowUnless(File.Exists(Program), "RabbitMQ", "rabbitmq-server");
        var server = new RabbitServer(await OwnedProcess.NewFolderAsync("rabbitmq", cancellationToken), settings, first);
        await File.WriteAllTextAsync(Path.Combine(server.folder, "enabled_plugins"), "[].\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(server.folder, "rabbitmq.conf"), "loopback_users = none\n", cancellationToken);
        foreach (var name in new[] { "home", "mnesia", "log" })
        {
            await OwnedProcess.RunAsUserAsync(["mkdir", Path.Combine(server.folder, name)], cancellationToken);
        }

        await server.RunAsync(cancellationToken);
        return server;
    }

    /// <summary>Queues of their own.</summary>
    public (string Name, string? Value)[] NewQueues() =>
        [("Queue:Uri", Uri), ("Queue:Name", string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref names)}"))];

    /// <summary>Starts it, or starts it again after <see cref="StopAsync"/>, on the same ports with the same queues.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = Home,
            ["ERL_EPMD_PORT"] = mapperPort.ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
            ["RABBITMQ_NODENAME"] = Name,
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODE_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["RABBITMQ_DIST_PORT"] = distributionPort.ToString(CultureInfo.InvariantCulture),
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(folder, "mnesia"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(folder, "log"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(folder, "pid"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(folder, "rabbitmq.conf"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(folder, "enabled_plugins"),
            ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(folder, "generated"),
            ["RABBITMQ_SCHEMA_DIR"] = Path.Combine(folder, "schema"),
            // One scheduler that sleeps when it has nothing to do: on a small machine the default ones spin for half of the start.
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] =
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} " + settings,
        };
        mapper ??= first is not null ? null : await OwnedProcess.StartAsync(folder, "KILL", ["epmd"], environment, cancellationToken);
        foreach (var log in Directory.EnumerateFiles(Path.Combine(folder, "log")))
        {
            File.Delete(log);
        }

        node = await OwnedProcess.StartAsync(folder, "TERM", [Program], environment, cancellationToken);
        await node.UntilAsync(
            () => Task.FromResult(Directory.EnumerateFiles(Path.Combine(folder, "log"), "*.log").Any(
                log => File.ReadAllText(log).Contains("Server startup complete", StringComparison.Ordinal))),
            cancellationToken);
    }

    /// <summary>Kills it in the middle of its work; what it confirmed is on disk.</summary>
    public async Task StopAsync()
    {
        await OwnedProcess.RunAsUserAsync(
            ["kill", "-KILL", (await File.ReadAllTextAsync(Path.Combine(folder, "pid"))).Trim()], CancellationToken.None);
        await node!.DisposeAsync();
        node = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (node is not null)
        {
            await StopAsync();
        }

        if (mapper is not null)
        {
            await mapper.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }
}
