using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Halftone.Database;
using Halftone.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Servers;

/// <summary>The product's server in this process, on a free loopback port with a data folder of its own; codec children are real.</summary>
internal sealed class HalftoneServer : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly bool ownsFolder;

    private HalftoneServer(WebApplication application, string dataFolder, bool ownsFolder)
    {
        this.application = application;
        this.ownsFolder = ownsFolder;
        DataFolder = dataFolder;
        Client = new HttpClient { BaseAddress = new Uri(application.Urls.First() + "/"), Timeout = TimeSpan.FromMinutes(2) };
    }

    public HttpClient Client { get; }

    public string DataFolder { get; }

    public IServiceProvider Services => application.Services;

    /// <param name="settings">As in appsettings.json, such as <c>("Queue:Prefetch", "4")</c>; they win over what tests need by default.</param>
    /// <param name="dataFolder">An existing folder to go on with; else a fresh one that is removed at the end.</param>
    public static async Task<HalftoneServer> StartAsync(CancellationToken cancellationToken, string? dataFolder = null, params (string Name, string? Value)[] settings)
    {
        var folder = dataFolder ?? Directory.CreateTempSubdirectory("halftone-test-").FullName;
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Urls"] = "http://127.0.0.1:0",
            ["Data:Folder"] = folder,
            ["Fetch:AllowNetworks:0"] = "127.0.0.1",
            ["Logging:LogLevel:Default"] = "Error",
            ["Compress:Children"] = "1",
        };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        var application = ServerBuilder.Build(ServerBuilder.Create(all));
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new HalftoneServer(application, folder, ownsFolder: dataFolder is null);
    }

    /// <summary>Posts a CSV as the part <c>file</c>, with form fields behind it.</summary>
    public Task<HttpResponseMessage> PostCsvAsync(string csv, CancellationToken cancellationToken, params (string Name, string Value)[] fields) =>
        PostCsvAsync(Encoding.UTF8.GetBytes(csv), cancellationToken, fields);

    public async Task<HttpResponseMessage> PostCsvAsync(byte[] csv, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
#pragma warning disable CA2000 // Disposed with the form.
        form.Add(new ByteArrayContent(csv) { Headers = { ContentType = new("text/csv") } }, "file", "products.csv");
        foreach (var (name, value) in fields)
        {
            form.Add(new StringContent(value), name);
        }
#pragma warning restore CA2000
        return await Client.PostAsync("upload", form, cancellationToken);
    }

    /// <summary>Uploads what must be accepted, and gives its request_id.</summary>
    public async Task<Guid> UploadAsync(string csv, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        using var answer = await PostCsvAsync(csv, cancellationToken, fields);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("request_id").GetGuid();
    }

    public async Task<JsonElement> StatusAsync(Guid requestId, CancellationToken cancellationToken, string query = "") =>
        await Client.GetFromJsonAsync<JsonElement>($"status/{requestId}{query}", cancellationToken);

    /// <summary>Asks for the status until the request has ended.</summary>
    public Task<JsonElement> WaitForEndAsync(Guid requestId, CancellationToken cancellationToken) =>
        WaitForAsync(requestId, status => status.TryGetProperty("finished_at", out _), cancellationToken);

    /// <summary>Asks for the status until it is as wanted; two minutes at most.</summary>
    public async Task<JsonElement> WaitForAsync(Guid requestId, Func<JsonElement, bool> isWanted, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        var status = default(JsonElement);
        try
        {
            while (!isWanted(status = await StatusAsync(requestId, deadline.Token)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"The request did not get where it should within two minutes: {status}");
        }

        return status;
    }

    public Task<string> ResultAsync(Guid requestId, CancellationToken cancellationToken) => Client.GetStringAsync($"results/{requestId}.csv", cancellationToken);

    /// <summary>A number straight from the database.</summary>
    public Task<long> CountAsync(string sql, CancellationToken cancellationToken) =>
        Services.GetRequiredService<HalftoneDatabase>().ReadAsync(connection => connection.ExecuteScalarAsync<long>(sql), cancellationToken);

    /// <summary>Stops the server and keeps its data folder for the next.</summary>
    public async Task<string> StopAsync(CancellationToken cancellationToken)
    {
        await application.StopAsync(cancellationToken);
        await application.DisposeAsync();
        return DataFolder;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await application.DisposeAsync();
        if (ownsFolder)
        {
            // What was cut off in its work may still write a last file.
            await Eventually.TrueAsync(() =>
            {
                try
                {
                    Directory.Delete(DataFolder, recursive: true);
                    return true;
                }
                catch (IOException)
                {
                    return !Directory.Exists(DataFolder);
                }
            });
        }
    }
}
