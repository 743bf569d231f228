using System.IO.Compression;
using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Cli;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Cli;

/// <summary>The verbs that talk to a server, against the real one.</summary>
public sealed class ClientVerbTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("halftone-client-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public async Task An_upload_that_waits_ends_with_the_result_in_its_file()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}");
        var result = Path.Combine(scratch, "result.csv");
        var waited = await Verb.RunAsync("upload", csv, "--out", result, "--quality", "30", "--format", "JPG", "--max-width", "700", "--max-height", "600", "--variants", "thumb:max_width=90", "--no-reuse", "--server", AddressOf(server));

        Assert.True(waited.ExitCode == 0, waited.Errors);
        Assert.Matches(@"^Request [0-9a-f-]{36} \(products\.csv\)$", waited.Lines[0]);
        Assert.StartsWith("COMPLETED: 1 of 1 images, ", waited.Lines[1]);
        Assert.Equal($"Result: {result}", waited.Lines[2]);
        Assert.Matches(@"/images/[^,]+\.jpg", await File.ReadAllTextAsync(result, Cancelled));
        Assert.Equal(["products.csv", "result.csv"], Directory.EnumerateFiles(scratch).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM request WHERE quality = 30 AND format = 'jpeg' AND max_width = 700 AND max_height = 600 AND variants = 'thumb:max_width=90' AND NOT reuse", Cancelled));
    }

    [Fact]
    public async Task An_upload_that_does_not_wait_prints_the_request_id_and_status_tells_the_rest()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}", $"2,B,{origin.Url("b.jpg")}");
        var uploaded = await Verb.RunAsync("upload", csv, "--server", AddressOf(server));
        Assert.Equal((0, $"2 products, 2 images: {AddressOf(server)}status/{uploaded.Lines[0]}"), (uploaded.ExitCode, uploaded.Lines[1]));

        var waited = await Verb.RunAsync("status", uploaded.Lines[0], "--wait", "--server", AddressOf(server));
        Assert.Equal((2, $"Result: {AddressOf(server)}results/{uploaded.Lines[0]}.csv"), (waited.ExitCode, waited.Lines[^1]));
        Assert.StartsWith("COMPLETED: 1 of 2 images, ", waited.Lines[1]);
        Assert.StartsWith("1 failed, http_status (127.0.0.1): The host answered with an error", waited.Lines[2]);
        var json = JsonDocument.Parse((await Verb.RunAsync("status", uploaded.Lines[0], "--json", "--server", AddressOf(server))).Output).RootElement;
        Assert.Equal(("COMPLETED", 2), (json.GetProperty("status").GetString(), json.GetProperty("products").GetArrayLength()));
    }

    [Fact]
    public async Task A_result_that_would_find_no_place_is_refused_before_anything_is_sent()
    {
        await using var stub = await ImageOrigin.StartAsync(Cancelled);
        string[] at = ["--json", "--server", stub.Address.AbsoluteUri];
        foreach (var verb in new string[][] { ["upload", WriteCsv("1,A,")], ["status", "x"], ["retry", "x"] })
        {
            var missing = Path.Combine(scratch, "none", "result.csv");
            var refused = await Verb.RunAsync([.. verb, "--out", missing, .. at]);
            Assert.Equal((1, $"'{missing}' cannot be written because its folder does not exist. Create the folder, or name another file with --out.\n"), (refused.ExitCode, refused.Errors));
            Assert.Equal("file_unwritable", JsonDocument.Parse(refused.Output).RootElement.GetProperty("code").GetString());

            var folder = await Verb.RunAsync([.. verb, "--out", scratch, .. at]);
            Assert.Equal((1, $"'{scratch}' cannot be written because it is a folder. Name a file in it with --out.\n"), (folder.ExitCode, folder.Errors));
        }

        Assert.Equal(0, stub.RequestCount);
    }

    [Fact]
    public async Task A_folder_that_goes_away_while_the_result_is_awaited_is_named()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = await server.UploadAsync("Product Name,Input Image Urls\nMug,\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        using var client = new ServerClient(server.Client.BaseAddress!, null);
        var path = Path.Combine(scratch, "gone", "result.csv");
        var failed = await Assert.ThrowsAsync<CommandFailedException>(() => client.DownloadResultAsync(id.ToString("D"), path, Cancelled));
        Assert.StartsWith($"'{path}' could not be written (", failed.Message);
        Assert.EndsWith($"). Get the result with 'halftone status {id} --out FILE'.", failed.Message);
    }

    [Fact]
    public async Task A_refused_file_is_told_line_by_line()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var csv = WriteCsv("1,A,no address", "2,B,none either");
        var refused = await Verb.RunAsync("upload", csv, "--json", "--server", AddressOf(server));
        Assert.Equal(1, refused.ExitCode);
        var lines = refused.Errors.TrimEnd('\n').Split('\n')[^2..];
        Assert.StartsWith("line 2: column Input Image Urls: ", lines[0]);
        Assert.StartsWith("line 3: column Input Image Urls: ", lines[1]);
        var problem = JsonDocument.Parse(refused.Output).RootElement;
        Assert.Equal(("invalid_url", 400, 2), (problem.GetProperty("code").GetString(), problem.GetProperty("status").GetInt32(), problem.GetProperty("errors").GetArrayLength()));
    }

    [Fact]
    public async Task A_server_that_restarts_is_waited_for()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/late.jpg", async context =>
        {
            await gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        var data = Path.Combine(scratch, "data");
        var first = await HalftoneServer.StartAsync(Cancelled, data);
        var address = AddressOf(first);
        var waiting = Verb.RunAsync("upload", WriteCsv($"1,A,{origin.Url("late.jpg")}"), "--wait", "--json", "--server", address);
        await Eventually.TrueAsync(() => origin.CountOf("/late.jpg") == 1);
        await first.StopAsync(Cancelled);
        await first.DisposeAsync();
        gate.SetResult();

        await using var second = await HalftoneServer.StartAsync(Cancelled, data, ("Urls", address));
        var waited = await waiting;
        Assert.True(waited.ExitCode == 0, waited.Errors);
        Assert.Equal("COMPLETED", JsonDocument.Parse(waited.Output).RootElement.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Who_stops_waiting_is_told_that_the_request_goes_on()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/late.jpg", context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var waiting = Verb.RunUntilAsync(stop.Token, "upload", WriteCsv($"1,A,{origin.Url("late.jpg")}"), "--wait", "--server", AddressOf(server));
        await Eventually.TrueAsync(() => origin.CountOf("/late.jpg") == 1);
        await stop.CancelAsync();
        var stopped = await waiting;
        Assert.Equal((130, ""), (stopped.ExitCode, stopped.Output));
        Assert.Matches(@"Stopped waiting\. The request continues on the server; follow it with 'halftone status [0-9a-f-]{36} --wait'\.\n$", stopped.Errors);
    }

    [Fact]
    public async Task Where_no_events_come_through_the_status_is_asked_for()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = (await server.UploadAsync("Product Name,Input Image Urls\nMug,\n", Cancelled)).ToString();
        await server.WaitForEndAsync(Guid.Parse(id), Cancelled);
        await using var proxy = await ImageOrigin.StartAsync(Cancelled);
        proxy.Serve($"/status/{id}/events", context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        proxy.Serve($"/status/{id}", async context =>
        {
            // It ends when it is asked for a second time.
            var json = await server.Client.GetStringAsync($"status/{id}?limit=1", context.RequestAborted);
            await context.Response.WriteAsync(proxy.CountOf($"/status/{id}") == 1 ? json.Replace("finished_at", "begun_at") : json, context.RequestAborted);
        });
        using var client = new ServerClient(proxy.Address, null);
        var status = await new RequestFollower(client, TimeProvider.System, new Watcher()) { FirstEvent = TimeSpan.FromMilliseconds(100) }.FollowAsync(id, Cancelled);
        Assert.Equal(("COMPLETED", 1, 2), (status.Status, proxy.CountOf($"/status/{id}/events"), proxy.CountOf($"/status/{id}")));
    }

    [Fact]
    public async Task An_upload_that_the_server_has_no_room_for_is_sent_again_with_the_same_key()
    {
        var keys = new List<string>();
        await using var stub = await ImageOrigin.StartAsync(Cancelled);
        stub.Serve("/upload", async context =>
        {
            keys.Add(context.Request.Headers["Idempotency-Key"].ToString());
            using var reader = new StreamReader(context.Request.Body);
            Assert.Contains("1,A,", await reader.ReadToEndAsync(context.RequestAborted));
            if (keys.Count == 1)
            {
                context.Response.StatusCode = 503;
                context.Response.Headers.RetryAfter = "0";
                context.Response.ContentType = "application/problem+json";
                await context.Response.WriteAsync("""{"code":"too_many_uploads","detail":"Wait."}""", context.RequestAborted);
            }
            else
            {
                await context.Response.WriteAsync("""{"request_id":"0192f0c1-7a3e-7bbb-8c4d-0123456789ab","status":"PENDING","status_url":"x","products":1,"images":1}""", context.RequestAborted);
            }
        });
        var uploaded = await Verb.RunAsync("upload", WriteCsv("1,A,"), "--server", stub.Address.AbsoluteUri);
        Assert.Equal((0, "0192f0c1-7a3e-7bbb-8c4d-0123456789ab"), (uploaded.ExitCode, uploaded.Lines[0]));
        Assert.Contains("Wait. Retrying the upload in 0 s.", uploaded.Errors);
        Assert.Equal(2, keys.Count);
        Assert.Single(keys.Distinct());
    }

    [Theory]
    [InlineData("http://127.0.0.1:9", "No Halftone server answers at http://127.0.0.1:9/ (Connection refused (127.0.0.1:9)). Check that it is running, or name another with --server.")]
    [InlineData("ftp://127.0.0.1", "'ftp://127.0.0.1' is not a valid server URL. Example: http://127.0.0.1:4300")]
    public async Task A_server_that_is_none_is_named(string server, string sentence)
    {
        foreach (var verb in new string[][] { ["requests"], ["upload", WriteCsv("1,A,")], ["status", "x", "--wait"] })
        {
            var failed = await Verb.RunAsync([.. verb, "--server", server]);
            Assert.Equal((1, "", sentence), (failed.ExitCode, failed.Output, failed.Errors.TrimEnd('\n').Split('\n')[^1]));
        }
    }

    [Fact]
    public async Task What_is_not_a_halftone_is_told_apart()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/requests", "<!doctype html>"u8.ToArray(), "text/html");
        Assert.EndsWith("could not be understood ('<' is an invalid start of a value. Path: $ | LineNumber: 0 | BytePositionInLine: 0.). Check that --server names a Halftone server of this version.\n", (await Verb.RunAsync("requests", "--server", origin.Address.AbsoluteUri)).Errors);
        Assert.Equal($"{origin.Address} answered 404 Not Found, which is not an answer of a Halftone server. Check --server.\n", (await Verb.RunAsync("status", "x", "--server", origin.Address.AbsoluteUri)).Errors);
        origin.Serve("/upload", context => Task.Run(() => context.Response.Redirect("https://halftone.example/upload")));
        Assert.StartsWith($"{origin.Address} answered 302 Found to https://halftone.example/upload, which", (await Verb.RunAsync("upload", WriteCsv("1,A,"), "--server", origin.Address.AbsoluteUri)).Errors.Split('\n')[^2]);
    }

    [Fact]
    public async Task Who_calls_too_often_is_told_so_in_the_servers_words_and_not_made_to_wait_for_long()
    {
        const string Problem = """{"code":"too_many_calls","detail":"Wait as long as Retry-After says."}""";
        await using var stub = await ImageOrigin.StartAsync(Cancelled);
        foreach (var path in new[] { "/requests", "/upload" })
        {
            stub.Serve(path, async context =>
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = "3600";
                context.Response.ContentType = "application/problem+json";
                await context.Response.WriteAsync(Problem, context.RequestAborted);
            });
        }

        foreach (var verb in new string[][] { ["requests"], ["upload", WriteCsv("1,A,")] })
        {
            var refused = await Verb.RunAsync([.. verb, "--json", "--server", stub.Address.AbsoluteUri]);
            Assert.Equal((1, Problem + "\n", "Wait as long as Retry-After says."), (refused.ExitCode, refused.Output, refused.Errors.TrimEnd('\n').Split('\n')[^1]));
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        var failed = await Verb.RunAsync("upload", Path.Combine(scratch, "none.csv"), "--server", origin.Address.AbsoluteUri);
        Assert.Equal((1, ""), (failed.ExitCode, failed.Output));
        Assert.StartsWith($"'{Path.Combine(scratch, "none.csv")}' cannot be read: ", failed.Errors);
    }

    [Fact]
    public async Task A_gzipped_file_is_taken_as_it_is()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var path = Path.Combine(scratch, "products.csv.gz");
        await using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            await gzip.WriteAsync("Product Name,Input Image Urls\nMug,\n"u8.ToArray(), Cancelled);
        }

        Assert.StartsWith("1 products, 0 images: ", (await Verb.RunAsync("upload", path, "--server", AddressOf(server))).Lines[1]);
    }

    [Fact]
    public async Task A_key_opens_a_server_that_asks_for_one()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var key = await server.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled);
        // The server finds the first key within a second.
        await Eventually.TrueAsync(async () => (await Verb.RunAsync("requests", "--server", AddressOf(server))).ExitCode == 1);
        var refused = await Verb.RunAsync("upload", WriteCsv("1,A,"), "--server", AddressOf(server));
        Assert.EndsWith("\nThe server requires an API key. Pass one with --api-key or set HALFTONE_API_KEY.\n", "\n" + refused.Errors);
        var unknown = await Verb.RunAsync("requests", "--json", "--server", AddressOf(server), "--api-key", "halftone_00");
        Assert.Equal("The API key is not valid or was revoked. Check --api-key or HALFTONE_API_KEY.\n", unknown.Errors);
        Assert.Equal("unauthorized", JsonDocument.Parse(unknown.Output).RootElement.GetProperty("code").GetString());
        Assert.Equal(0, (await Verb.RunAsync("requests", "--server", AddressOf(server), "--api-key", key)).ExitCode);
    }

    [Fact]
    public async Task Requests_are_listed_cancelled_retried_and_deleted()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/late.jpg", async context =>
        {
            await gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        string[] at = ["--server", AddressOf(server)];
        var id = (await Verb.RunAsync(["upload", WriteCsv($"1,A,{origin.Url("late.jpg")}"), .. at])).Lines[0];
        await Eventually.TrueAsync(() => origin.CountOf("/late.jpg") == 1);
        Assert.Equal(0, (await Verb.RunAsync(["cancel", id, .. at])).ExitCode);
        Assert.Equal(2, (await Verb.RunAsync(["status", id, "--wait", .. at])).ExitCode);
        var again = await Verb.RunAsync(["cancel", id, "--json", .. at]);
        Assert.Equal((1, "already_finished"), (again.ExitCode, JsonDocument.Parse(again.Output).RootElement.GetProperty("code").GetString()));

        gate.SetResult();
        var retried = await Verb.RunAsync(["retry", id, "--wait", .. at]);
        Assert.Equal((0, true), (retried.ExitCode, retried.Lines[1].StartsWith("COMPLETED: 1 of 1 images", StringComparison.Ordinal)));

        var list = await Verb.RunAsync(["requests", .. at]);
        Assert.Equal(["REQUEST", "STATUS", "DONE", "FAILED", "IMAGES", "SAVED", "UPLOADED", "FILE"], list.Lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches($@"^{id}  COMPLETED  1 +0 +1 +[\d.]+%  \d\d\d\d-\d\d-\d\d \d\d:\d\dZ  products\.csv$", Assert.Single(list.Lines[1..]));

        Assert.Equal(new VerbResult(0, $"Deleted {id}.\n", ""), await Verb.RunAsync(["delete", id, .. at]));
        Assert.Single((await Verb.RunAsync(["requests", .. at])).Lines);
        Assert.Equal(1, (await Verb.RunAsync(["status", id, .. at])).ExitCode);
    }

    [Fact]
    public async Task Webhooks_are_added_listed_replayed_and_removed()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        string[] at = ["--server", AddressOf(server)];
        var added = (await Verb.RunAsync(["webhooks", "add", receiver.Url().AbsoluteUri, .. at])).Lines[0].Split("  ");
        Assert.StartsWith("whsec_", added[1]);
        Assert.Matches($"^{added[0]}  every request  .*  on +{receiver.Url()}$", (await Verb.RunAsync(["webhooks", "list", .. at])).Lines[1]);

        var id = (await Verb.RunAsync(["upload", WriteCsv("1,A,"), .. at])).Lines[0];
        await receiver.NextAsync(Cancelled);
        Assert.Equal("The event is being sent again.", (await Verb.RunAsync(["webhooks", "replay", id, .. at])).Lines[0]);
        await receiver.NextAsync(Cancelled);
        foreach (var which in new string[][] { [added[0]], ["--request", id] })
        {
            await Eventually.TrueAsync(async () => (await Verb.RunAsync(["webhooks", "deliveries", .. which, .. at])).Lines[1].Contains($"{id}  DELIVERED  2         HTTP 204", StringComparison.Ordinal));
        }

        Assert.Equal("The test event is being sent.", (await Verb.RunAsync(["webhooks", "ping", added[0], .. at])).Lines[0]);
        Assert.Contains("webhook.ping", System.Text.Encoding.UTF8.GetString((await receiver.NextAsync(Cancelled)).Body), StringComparison.Ordinal);
        Assert.Equal(1, (await Verb.RunAsync(["webhooks", "ping", "wh_none", .. at])).ExitCode);
        Assert.StartsWith("Give the ID of a webhook, or name a request with --request.", (await Verb.RunAsync(["webhooks", "deliveries", .. at])).Errors);
        Assert.Equal(0, (await Verb.RunAsync(["webhooks", "remove", added[0], .. at])).ExitCode);
        Assert.Single((await Verb.RunAsync(["webhooks", "list", .. at])).Lines);
    }

    private static string AddressOf(HalftoneServer server) => server.Client.BaseAddress!.AbsoluteUri;

    private string WriteCsv(params string[] rows)
    {
        var path = Path.Combine(scratch, "products.csv");
        File.WriteAllText(path, "S. No.,Product Name,Input Image Urls\n" + string.Join('\n', rows) + "\n");
        return path;
    }
}
