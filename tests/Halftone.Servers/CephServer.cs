using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;

namespace Halftone.Servers;

/// <summary>
/// An S3 server of this process alone: Ceph's gateway (radosgw) over one monitor and one storage daemon that keeps everything in memory,
/// without a
/// manager daemon, on free ports. Sources: https://docs.ceph.com/en/pacific/install/manual-deployment/ and the manual pages of the
/// programs.
/// </summary>
internal sealed class CephServer : IAsyncDisposable
{
    private static readonly string[] Programs = ["ceph-mon", "ceph-osd", "radosgw"];

    public const string AccessKeyId = "halftone-test", SecretAccessKey = "halftone-test-secret";

    private readonly string folder;
    private readonly int port;
    private readonly List<OwnedProcess> processes = [];
    private OwnedProcess? gateway;
    private int buckets;

    private CephServer(string folder, int port) => (this.folder, this.port) = (folder, port);

    public int Port => port;

    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private string ConfigurationFile => Path.Combine(folder, "ceph.conf");

    /// <exception cref="NotInstalledException"/>
    public static async Task<CephServer> StartAsync(CancellationToken cancellationToken)
    {
        NotInstalledException.ThrowUnless(Programs.All(IsInstalled), "Ceph", "radosgw ceph-mon ceph-osd");
        var server = new CephServer(await OwnedProcess.NewFolderAsync("ceph", cancellationToken), FreePort.Find());
        await server.BuildAsync(cancellationToken);
        await server.RunAsync(cancellationToken);
        return server;
    }

    /// <summary>Starts the gateway, or starts it again after <see cref="StopAsync"/>, on the same port with the same objects.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        gateway = await OwnedProcess.StartAsync(
            folder, "KILL",
            [
                "radosgw", "-c", ConfigurationFile, "-n", "client.admin", "-f", "--rgw-frontends",
                $"beast endpoint=127.0.0.1:{port} tcp_nodelay=1",
            ], null, cancellationToken);
        using var client = Client();
        await gateway.UntilAsync(
            async () =>
            {
                try
                {
                    await client.ListBucketsAsync(cancellationToken);
                    return true;
                }
                catch (Exception exception) when (exception is AmazonServiceException or HttpRequestException)
                {
                    return false;
                }
            },
            cancellationToken);
    }

    /// <summary>Ends the gateway; the objects stay.</summary>
    public async Task StopAsync()
    {
        await gateway!.DisposeAsync();
        gateway = null;
    }

    /// <summary>An empty bucket, as settings of the product.</summary>
    public async Task<(string Name, string? Value)[]> NewBucketAsync(CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref buckets)}");
        using var client = Client();
        await client.PutBucketAsync(name, cancellationToken);
        return
        [
            ("Store:S3:Bucket", name), ("Store:S3:Endpoint", Endpoint), ("Store:S3:Prefix", "shop/"),
            ("Store:S3:AccessKeyId", AccessKeyId), ("Store:S3:SecretAccessKey", SecretAccessKey),
        ];
    }

    /// <summary>The SDK itself, to look at what was stored.</summary>
    public AmazonS3Client Client() => new(new BasicAWSCredentials(AccessKeyId, SecretAccessKey), new AmazonS3Config
    {
        ServiceURL = Endpoint,
        ForcePathStyle = true,
        AuthenticationRegion = "us-east-1",
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        MaxErrorRetry = 0,
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes.Prepend(gateway).OfType<OwnedProcess>())
        {
            await process.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private async Task BuildAsync(CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        var (cluster, daemon, monitorPort) = (Guid.CreateVersion7(now), Guid.CreateVersion7(now), FreePort.Find());
        await File.WriteAllTextAsync(
            ConfigurationFile, FormattableString.Invariant(Configuration(cluster, monitorPort)), cancellationToken);
        // One shell for the programs that prepare and end: each start of one takes longer than its work.
        const string Prepare = """
            set -e
            cd "$1"
            ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *'
            ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
            monmaptool --create --addv a "[v2:127.0.0.1:$2]" --fsid "$3" monmap
            mkdir mon osd rgw
            ceph-mon -c ceph.conf --mkfs -i a --monmap monmap --keyring keyring
            """;
        string[] arguments = [folder, monitorPort.ToString(CultureInfo.InvariantCulture), cluster.ToString()];
        await OwnedProcess.RunAsUserAsync(["sh", "-c", Prepare, "sh", .. arguments], cancellationToken);
        processes.Add(
            await OwnedProcess.StartAsync(folder, "KILL", ["ceph-mon", "-c", ConfigurationFile, "-i", "a", "-f"], null, cancellationToken));
        const string AddDaemon = """
            set -e
            cd "$1"
            ceph -c ceph.conf osd new "$2"
            ceph -c ceph.conf auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' >> keyring
            ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$2"
            """;
        await OwnedProcess.RunAsUserAsync(["sh", "-c", AddDaemon, "sh", folder, daemon.ToString()], cancellationToken);
        processes.Add(
            await OwnedProcess.StartAsync(folder, "KILL", ["ceph-osd", "-c", ConfigurationFile, "-i", "0", "-f"], null, cancellationToken));
        await OwnedProcess.RunAsUserAsync(
            [
                "radosgw-admin", "-c", ConfigurationFile, "-n", "client.admin", "user", "create", "--uid", "test", "--display-name", "test",
                "--access-key", AccessKeyId, "--secret", SecretAccessKey,
            ],
            cancellationToken);
    }

    private FormattableString Configuration(Guid cluster, int monitorPort) => $"""
        [global]
        fsid = {cluster}
        mon host = v2:127.0.0.1:{monitorPort}
        mon initial members = a
        auth cluster required = cephx
        auth service required = cephx
        auth client required = cephx
        ms bind msgr1 = false
        public addr = 127.0.0.1
        cluster addr = 127.0.0.1
        run dir = {folder}
        admin socket = {folder}/$name.asok
        pid file = {folder}/$name.pid
        log file = {folder}/$name.log
        keyring = {folder}/keyring
        mon data = {folder}/mon
        osd data = {folder}/osd
        rgw data = {folder}/rgw
        osd pool default size = 1
        osd pool default min size = 1
        osd pool default pg num = 8
        osd pool default pg autoscale mode = off
        osd crush chooseleaf type = 0
        mon allow pool size one = true
        mon max pg per osd = 1000
        mon data avail crit = 1
        [osd]
        osd objectstore = memstore
        memstore device bytes = 4294967296

        """;

    private static bool IsInstalled(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
