using System.Net;
using System.Text.Json;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

/// <summary>A PostgreSQL that is stopped and started again under a running server.</summary>
public sealed class DatabaseOutageTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_outage_of_the_database_costs_no_attempt_and_the_work_goes_on_by_itself()
    {
        await using var postgres = await ThrowAwayServers.OwnAsync(PostgresServer.StartAsync, Cancelled);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        foreach (var i in Enumerable.Range(0, 4))
        {
            origin.Serve($"/{i}.jpg", async context =>
            {
                await released.Task.WaitAsync(context.RequestAborted);
                await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
            });
        }

        await using var server = await HalftoneServer.StartAsync(
            Cancelled,
            null,
            ("Database:ConnectionString", await postgres.CreateDatabaseAsync(Cancelled)),
            ("Logging:LogLevel:Default", "None"));
        var id = await server.UploadAsync(
            "Product Name,Input Image Urls\n" + string.Concat(Enumerable.Range(0, 4).Select(i => $"P{i},{origin.Url($"{i}.jpg")}\n")),
            Cancelled);
        await Eventually.TrueAsync(() => Enumerable.Range(0, 4).All(i => origin.CountOf($"/{i}.jpg") == 1));

        await postgres.StopAsync();
        released.SetResult();
        await ExpectAsync(server.Client.GetAsync("health/ready", Cancelled), "not_ready", "database");
        await ExpectAsync(server.Client.GetAsync($"status/{id}", Cancelled), "database_down", "ry again");
        await ExpectAsync(server.PostCsvAsync("Product Name,Input Image Urls\nA,\n", Cancelled), "database_down", "ry again");
        await Eventually.TrueAsync(() => Stored(server) == 4);
        await postgres.RunAsync(Cancelled);

        var status = await server.WaitForEndAsync(id, Cancelled);
        Assert.Equal(
            ("COMPLETED", 4),
            (status.GetProperty("status").GetString(), status.GetProperty("progress").GetProperty("completed").GetInt32()));
        Assert.Equal(0, await server.CountAsync("SELECT sum(attempt) FROM image", Cancelled));
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(1, origin.CountOf($"/{i}.jpg")));
        Assert.Equal(4, Stored(server));
        using var ready = await server.Client.GetAsync("health/ready", Cancelled);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await server.WaitForEndAsync(await server.UploadAsync("Product Name,Input Image Urls\nA,\n", Cancelled), Cancelled);
    }

    [Fact]
    public async Task A_server_that_starts_before_its_database_waits_for_it()
    {
        await using var postgres = await ThrowAwayServers.OwnAsync(PostgresServer.StartAsync, Cancelled);
        var address = await postgres.CreateDatabaseAsync(Cancelled);
        await postgres.StopAsync();
        var starting = HalftoneServer.StartAsync(Cancelled, null, ("Database:ConnectionString", address));
        await postgres.RunAsync(Cancelled);
        await using var server = await starting;
        await server.WaitForEndAsync(await server.UploadAsync("Product Name,Input Image Urls\nA,\n", Cancelled), Cancelled);
    }

    private static int Stored(HalftoneServer server)
    {
        var folder = Path.Combine(server.DataFolder, "images");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories).Count() : 0;
    }

    private static async Task ExpectAsync(Task<HttpResponseMessage> call, string code, string detail)
    {
        using var answer = await call;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled)).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Contains(detail, problem.GetProperty("detail").GetString());
    }
}
