using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Halftone.Crash;

namespace Halftone.Hostile;

/// <summary>
/// The real <c>halftone serve</c> with its codec children, as it is built, on a data folder of its own, and a watch over the memory of all
/// of them.
/// </summary>
internal sealed class ServerUnderAttack : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks at the memory of the processes between two looks for new ones: those read all of /proc.</summary>
    private const int LooksPerList = 10;

    private readonly DataFolder folder;
    private readonly ServerProcess process;
    private readonly CancellationTokenSource stop = new();
    private readonly Task watching;
    private long treePeak;
    private long serverPeak;

    private ServerUnderAttack(DataFolder folder, ServerProcess process)
    {
        this.folder = folder;
        this.process = process;
        Client = new HttpClient { BaseAddress = new Uri(folder.Url + "/"), Timeout = TimeSpan.FromMinutes(5) };
        watching = WatchAsync();
    }

    public HttpClient Client { get; }

    public string Url => folder.Url;

    public int Port => new Uri(folder.Url).Port;

    /// <summary>What the server wrote to its log so far.</summary>
    public string Log => File.Exists(folder.Log) ? File.ReadAllText(folder.Log) : "";

    /// <summary>False once the server process has ended, which nothing from outside may bring about.</summary>
    public bool IsAlive => !process.HasExited;

    /// <summary>
    /// Most resident memory of the server and its codec children together since <see cref="ForgetPeaks"/>, in MiB; looked at every 20 ms. A
    /// new child is found within 200 ms.
    /// </summary>
    public long TreePeakMiB => Interlocked.Read(ref treePeak) >> 20;

    /// <summary>The same of the server process alone.</summary>
    public long ServerPeakMiB => Interlocked.Read(ref serverPeak) >> 20;

    /// <summary>Resident memory of the server and its codec children now, in MiB.</summary>
    public long TreeMiB => process.Alive().Sum(ResidentBytes) >> 20;

    public static async Task<ServerUnderAttack> StartAsync(string program, params IEnumerable<(string Name, string Value)> settings)
    {
        var folder = new DataFolder();
        var process = ServerProcess.Start(program, folder.Url, folder.Path, [("Logging:LogLevel:Default", "Warning"), .. settings]);
        if (await process.Listening)
        {
            var server = new ServerUnderAttack(folder, process);
            // What is loaded and compiled only once is not what is looked at.
            (await server.Client.GetAsync("requests")).Dispose();
            return server;
        }

        await process.DisposeAsync();
        throw new InvalidOperationException($"The server did not start: {File.ReadAllText(folder.Log)}");
    }

    public void ForgetPeaks()
    {
        Interlocked.Exchange(ref treePeak, 0);
        Interlocked.Exchange(ref serverPeak, 0);
    }

    /// <summary>Uploads a CSV with a row for each URL, and gives the request_id.</summary>
    public async Task<Guid> UploadAsync(IEnumerable<string> urls, CancellationToken cancellationToken)
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        var row = 0;
        foreach (var url in urls)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{++row},Product {row},{url}\n");
        }

        using var content = new StringContent(csv.ToString(), Encoding.UTF8, "text/csv");
        using var answer = await Client.PostAsync("upload", content, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode
            ? JsonDocument.Parse(body).RootElement.GetProperty("request_id").GetGuid()
            : throw new InvalidOperationException($"The upload was answered with {answer.StatusCode}: {body}");
    }

    /// <summary>Waits until the request has ended, and gives its status with its first 1000 products.</summary>
    public async Task<JsonElement> WaitForEndAsync(Guid requestId, CancellationToken cancellationToken)
    {
        while (true)
        {
            var status = await Client.GetFromJsonAsync<JsonElement>($"status/{requestId}?limit=1", cancellationToken);
            if (status.TryGetProperty("finished_at", out _))
            {
                return await Client.GetFromJsonAsync<JsonElement>($"status/{requestId}?limit=1000", cancellationToken);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        Client.Dispose();
        await process.DisposeAsync();
        folder.Dispose();
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            IReadOnlyList<int> processes = [];
            for (var look = 0; ; look++)
            {
                processes = look % LooksPerList == 0 ? process.Alive() : processes;
                var sizes = processes.Select(id => (Id: id, Bytes: ResidentBytes(id))).ToArray();
                treePeak = Math.Max(treePeak, sizes.Sum(size => size.Bytes));
                serverPeak = Math.Max(serverPeak, sizes.FirstOrDefault(size => size.Id == process.Id).Bytes);
                await timer.WaitForNextTickAsync(stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Enough seen.
        }
    }

    /// <summary>The second field of /proc/PID/statm: resident pages (proc(5)). Pages that processes share are counted in each.</summary>
    private static long ResidentBytes(int processId)
    {
        try
        {
            return long.Parse(
                File.ReadAllText($"/proc/{processId}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }
}
