using System.Net;
using Halftone.Cli;
using Halftone.Pipeline;
using Halftone.Requests;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.EndToEnd;

/// <summary>Several of the product's servers on one PostgreSQL, one RabbitMQ and one bucket.</summary>
public sealed class ClusterTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_api_and_two_workers_do_a_request_together_and_each_image_once()
    {
        const int Images = 60;
        var settings = await SettingsAsync();
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        for (var i = 1; i <= Images; i++)
        {
            origin.Serve($"/{i}.jpg", Picture.Jpeg);
        }

        await using var api = await HalftoneServer.StartAsync(Cancelled, null, [.. settings, ("Server:Role", "api")]);
        (string, string?)[] worker = [.. settings, ("Server:Role", "worker"), ("Server:PublicUrl", api.Client.BaseAddress!.ToString().TrimEnd('/'))];
        await using var one = await HalftoneServer.StartAsync(Cancelled, null, worker);
        await using var other = await HalftoneServer.StartAsync(Cancelled, null, worker);

        var rows = Enumerable.Range(1, Images).Select(i => $"{i},Product {i},{origin.Url($"{i}.jpg")}\n");
        var id = await api.UploadAsync("S. No.,Product Name,Input Image Urls\n" + string.Concat(rows), Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));
        var status = await api.WaitForEndAsync(id, Cancelled);

        Assert.Equal((Images, 0), (status.GetProperty("progress").GetProperty("completed").GetInt32(), status.GetProperty("progress").GetProperty("failed").GetInt32()));
        Assert.All(Enumerable.Range(1, Images), i => Assert.Equal(1, origin.CountOf($"/{i}.jpg")));
        var lines = (await api.ResultAsync(id, Cancelled)).TrimEnd('\n').Split('\n');
        Assert.Equal(Images + 1, lines.Length);
        Assert.All(lines.Skip(1), line => Assert.Contains(api.Client.BaseAddress + "images/", line, StringComparison.Ordinal));
        await receiver.NextAsync(Cancelled);

        using var onWorker = await one.Client.GetAsync($"status/{id}", Cancelled);
        using var ready = await one.Client.GetAsync("health/ready", Cancelled);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (onWorker.StatusCode, ready.StatusCode));
    }

    [Fact]
    public async Task While_the_broker_is_away_uploads_are_taken_and_work_goes_on_when_it_is_back()
    {
        await using var rabbit = await ThrowAwayServers.OwnAsync(RabbitServer.StartAsync, Cancelled);
        (string, string?)[] settings = [.. await SettingsAsync(), .. rabbit.NewQueues()];
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, settings);
        var csv = $"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n";
        await server.WaitForEndAsync(await server.UploadAsync(csv, Cancelled), Cancelled);

        await rabbit.StopAsync();
        var id = await server.UploadAsync(csv, Cancelled);
        using var ready = await server.Client.GetAsync("health/ready", Cancelled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("queue", await ready.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);

        await rabbit.RunAsync(Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);
        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(0, await server.CountAsync("SELECT sum(attempt) FROM image", Cancelled));
    }

    [Fact]
    public async Task Requeue_plans_again_what_a_lost_broker_had_and_messages_of_before_change_nothing()
    {
        var settings = await SettingsAsync();
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        // Nobody works on queues that are lost with their broker.
        await using var api = await HalftoneServer.StartAsync(Cancelled, null, [.. settings, ("Server:Role", "api"), ("Queue:Name", "lost")]);
        var id = await api.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);
        await Eventually.TrueAsync(async () => await api.CountAsync("SELECT count(*) FROM outbox", Cancelled) == 0);

        await using var all = await HalftoneServer.StartAsync(Cancelled, null, settings);
        Assert.Equal(1, await all.Services.GetRequiredService<Requeue>().RunAsync(Cancelled));
        all.Services.GetRequiredService<OutboxRelay>().Wake();

        var status = await all.WaitForEndAsync(id, Cancelled);
        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(2, await all.CountAsync("SELECT max(run) FROM request", Cancelled));
    }

    [Fact]
    public async Task Settings_that_do_not_go_together_are_refused_with_a_sentence()
    {
        var settings = (await SettingsAsync()).ToDictionary(setting => setting.Name, setting => setting.Value);
        await RefusedAsync("Queue:Uri", ("Server:Role", "api"));
        await RefusedAsync("PostgreSQL", ("Queue:Uri", settings["Queue:Uri"]));
        await RefusedAsync("Data:Shared", ("Queue:Uri", settings["Queue:Uri"]), ("Database:ConnectionString", settings["Database:ConnectionString"]));
        await RefusedAsync("Server:PublicUrl", [.. settings.Select(setting => (setting.Key, setting.Value)), ("Server:Role", "worker")]);
        await RefusedAsync("all, api or worker", ("Server:Role", "boss"));
    }

    private static async Task RefusedAsync(string word, params (string, string?)[] settings)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => HalftoneServer.StartAsync(Cancelled, null, settings));
        Assert.Contains(word, ServeCommand.Explain(refused), StringComparison.Ordinal);
    }

    private static async Task<(string Name, string? Value)[]> SettingsAsync()
    {
        var (database, queues, ceph) = (PostgresServer.NewDatabaseAsync(Cancelled), RabbitServer.NewQueuesAsync(Cancelled), CephServer.CommonAsync(Cancelled));
        return [("Database:ConnectionString", await database), .. await queues, .. await (await ceph).NewBucketAsync(Cancelled)];
    }
}
