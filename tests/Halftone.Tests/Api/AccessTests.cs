using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Api;

public abstract class AccessTests(Engine engine) : OnEachEngine(engine)
{
    private const string Csv = "Product Name,Input Image Urls\nMug,\n";

    [Fact]
    public async Task From_the_first_key_on_every_caller_is_asked_for_one()
    {
        await using var server = await StartAsync();
        var key = await AddKeyAsync(server, "team");
        foreach (var (path, status) in new[] { ("requests", HttpStatusCode.Unauthorized), ($"status/{Guid.Empty}", HttpStatusCode.Unauthorized), ("webhook", HttpStatusCode.Unauthorized), ("health/live", HttpStatusCode.OK), ("", HttpStatusCode.OK), ("api/v1/health/live", HttpStatusCode.OK) })
        {
            Assert.Equal(status, await CallAsync(server, path, null));
        }

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "requests", ("Authorization", $"Bearer {key}")));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "requests", ("X-API-Key", key)));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, "requests", ("X-API-Key", key[..^1] + (key[^1] == '0' ? '1' : '0'))));
        Assert.Equal(0, await server.CountAsync($"SELECT count(*) FROM api_key WHERE key_hash LIKE '%{key[ApiKeys.Prefix.Length..]}%'", Cancelled));
    }

    [Fact]
    public async Task Owners_see_only_their_own()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var server = await StartAsync();
        var (mine, other) = (("X-API-Key", await AddKeyAsync(server, "mine")), ("X-API-Key", await AddKeyAsync(server, "other")));
        server.Client.DefaultRequestHeaders.Add(mine.Item1, mine.Item2);
        var id = await server.UploadAsync(Csv, Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        using var registered = await server.Client.PostAsJsonAsync("webhook", new { callback_url = receiver.Url().AbsoluteUri }, Cancelled);
        var webhook = (await registered.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("webhook_id").GetString();
        server.Client.DefaultRequestHeaders.Clear();

        foreach (var path in new[] { $"status/{id}", $"status/{id}/events", $"results/{id}.csv", $"results/{id}.ndjson", $"results/{id}/failed.csv", $"requests/{id}/images", $"requests/{id}/deliveries", $"webhook/{webhook}/deliveries" })
        {
            Assert.True(await CallAsync(server, path, mine) == HttpStatusCode.OK, path);
            Assert.True(await CallAsync(server, path, other) == HttpStatusCode.NotFound, path);
        }

        foreach (var (method, path) in new[] { (HttpMethod.Post, $"requests/{id}/cancel"), (HttpMethod.Post, $"requests/{id}/retry"), (HttpMethod.Delete, $"requests/{id}"), (HttpMethod.Post, $"webhook/{webhook}/ping"), (HttpMethod.Delete, $"webhook/{webhook}") })
        {
            Assert.True(await CallAsync(server, path, other, method) == HttpStatusCode.NotFound, path);
        }

        server.Client.DefaultRequestHeaders.Add(other.Item1, other.Item2);
        Assert.Empty((await server.Client.GetFromJsonAsync<JsonElement>("requests", Cancelled)).GetProperty("requests").EnumerateArray());
        Assert.Empty((await server.Client.GetFromJsonAsync<JsonElement>("webhook", Cancelled)).GetProperty("webhooks").EnumerateArray());
        await server.WaitForEndAsync(await server.UploadAsync(Csv, Cancelled), Cancelled);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM delivery", Cancelled));
    }

    [Fact]
    public async Task A_revoked_key_opens_nothing_and_the_server_stays_closed()
    {
        await using var server = await StartAsync();
        var keys = server.Services.GetRequiredService<ApiKeys>();
        var key = await AddKeyAsync(server, "team");
        var id = (await keys.ListAsync(Cancelled)).Single().KeyId;
        Assert.True(await keys.RevokeAsync(id, Cancelled));
        Assert.False(await keys.RevokeAsync(id, Cancelled));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, "requests", ("X-API-Key", key)));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, "requests", null));
    }

    [Fact]
    public async Task A_stream_that_is_open_ends_when_its_key_is_revoked_and_one_without_a_key_when_there_is_the_first()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/held.jpg", context => released.Task.WaitAsync(context.RequestAborted));
        await using var server = await StartAsync();
        var csv = $"Product Name,Input Image Urls\nMug,{origin.Url("held.jpg")}\n";
        using var unasked = await OpenEventsAsync(server, await server.UploadAsync(csv, Cancelled));
        server.Client.DefaultRequestHeaders.Add("X-API-Key", await AddKeyAsync(server, "team"));
        await EndsUnfinishedAsync(unasked);

        using var revoked = await OpenEventsAsync(server, await server.UploadAsync(csv, Cancelled));
        var keys = server.Services.GetRequiredService<ApiKeys>();
        Assert.True(await keys.RevokeAsync((await keys.ListAsync(Cancelled)).Single().KeyId, Cancelled));
        await EndsUnfinishedAsync(revoked);
        released.SetResult();

        static async Task EndsUnfinishedAsync(StreamReader events) =>
            Assert.DoesNotContain("event: end", await events.ReadToEndAsync(Cancelled).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_calls_too_often_is_told_to_wait_and_another_is_not()
    {
        await using var server = await StartAsync(null, ("Access:CallsPerMinute", "3"));
        var (often, seldom) = (("X-API-Key", await AddKeyAsync(server, "often")), ("X-API-Key", await AddKeyAsync(server, "seldom")));
        for (var call = 0; call < 3; call++)
        {
            Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "requests", often));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await CallAsync(server, "requests", often));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, "requests", seldom));
    }

    [Theory]
    [InlineData("Host", "evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("Host", "127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("Origin", "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("Host", "localhost", HttpStatusCode.OK)]
    public async Task A_server_without_keys_answers_neither_a_foreign_name_nor_a_foreign_page(string header, string value, HttpStatusCode status)
    {
        await using var server = await StartAsync();
        Assert.Equal(status, await CallAsync(server, "requests", (header, value)));
        using var own = new HttpRequestMessage(HttpMethod.Get, "requests") { Headers = { { "Origin", server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) } } };
        using var answer = await server.Client.SendAsync(own, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private static Task<string> AddKeyAsync(HalftoneServer server, string name) => server.Services.GetRequiredService<ApiKeys>().AddAsync(name, Cancelled);

    /// <summary>The stream of a request that goes on, of which the first event has come.</summary>
    private static async Task<StreamReader> OpenEventsAsync(HalftoneServer server, Guid id)
    {
        var events = new StreamReader(await server.Client.GetStreamAsync($"status/{id}/events", Cancelled));
        Assert.Equal("event: status", await events.ReadLineAsync(Cancelled));
        return events;
    }

    private static async Task<HttpStatusCode> CallAsync(HalftoneServer server, string path, (string Name, string Value)? header, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (header is { } given)
        {
            request.Headers.TryAddWithoutValidation(given.Name, given.Value);
        }

        using var answer = await server.Client.SendAsync(request, Cancelled);
        return answer.StatusCode;
    }
}

public sealed class AccessOnSqlite() : AccessTests(Engine.Sqlite);

public sealed class AccessOnPostgres() : AccessTests(Engine.Postgres);
