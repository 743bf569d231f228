using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Halftone.Api;
using Halftone.Api.Access;
using Halftone.Database;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Contract;

/// <summary>
/// Every route is called until it has given every answer that the contract has, on servers that run; and it has no other.
/// </summary>
public sealed class AnswerTableTests
{
    private const string Header = "S. No.,Product Name,Input Image Urls\n";
    private const string Nowhere = "0192f0c1-7a3e-7bbb-8c4d-0123456789ab";

    private readonly AnswerTable table = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_documented_answer_is_given_and_every_answer_that_is_given_is_documented()
    {
        await Task.WhenAll(
            FromUploadToDeleteAsync(),
            UploadsThatAreRefusedAsync(),
            FilesThatAreRefusedAsync(),
            UploadsSideBySideAsync(),
            WebhooksAsync(),
            PagesAsync(),
            CallersThatAreRefusedAsync(),
            BrokenServerAsync(),
            FullDiskAsync(),
            WithoutDatabaseAsync(),
            WithoutStoreAsync());

        // The table itself, to look at: artifacts/bin/Halftone.Tests/release/answers.txt.
        await File.WriteAllLinesAsync(
            Path.Combine(AppContext.BaseDirectory, "answers.txt"), table.Given.Order(StringComparer.Ordinal), Cancelled);
        AssertNone(table.Documented.Except(table.Given), "in the contract and never given");
        AssertNone(table.Given.Except(table.Documented), "given and not in the contract");
        AssertNone(table.MissingHeaders, "headers");
        var described = ErrorPageTests.Problems.Select(problem => ErrorPage.Of(problem.Code).Answer(problem.Title));
        Assert.All(described, answer => Assert.Contains(AnswerTable.Alike(answer), table.Problems));
        AssertNone(await Script.NodeAsync("check-answers.mjs", string.Join('\n', table.Bodies), Cancelled), "bodies");
    }

    private static void AssertNone(IEnumerable<string> rows, string what) =>
        Assert.True(!rows.Any(), $"{what}:\n{string.Join('\n', rows)}");

    private async Task FromUploadToDeleteAsync()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg).Serve("/slow.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, ("Database:IntakeChunkRows", "1000"));
        using var client = ClientOf(server);

        // Everything that an upload may say, in each of its three bodies.
        await SendAsync(
            client,
            "POST",
            "api/v1/upload/",
            JsonContent.Create(new
            {
                csv = $"{Header}1,Mug,{origin.Url("a.jpg")}\n",
                file_name = "p.csv",
                webhook_url = receiver.Url().AbsoluteUri,
                quality = 60,
                format = "keep",
                max_width = 1600,
                max_height = 1200,
                variants = "thumb:max_width=200",
                escape_formulas = true,
                reuse = true,
                validate_only = true,
            }));
        await SendAsync(
            client,
            "POST",
            "upload",
            Form(
                ("file", Header),
                ("webhook_url", receiver.Url().AbsoluteUri),
                ("quality", "60"),
                ("format", "webp"),
                ("max_width", "1600"),
                ("max_height", "1600"),
                ("variants", "thumb:max_width=200"),
                ("escape_formulas", "false"),
                ("reuse", "false"),
                ("validate_only", "true")));
        var running = IdOf(await SendAsync(
            client,
            "POST",
            "upload?file_name=p.csv&max_width=1000&max_height=1000&variants=thumb:max_width=200",
            Text(
                $"{Header}1,Mug,\"{origin.Url("a.jpg")},{origin.Url("gone.jpg")},{origin.Url("slow.jpg")}\"\n2,Cup,"
                    + $"{origin.Url("a.jpg")}\n")));
        await server.WaitForAsync(running, status => status.GetProperty("progress").GetProperty("completed").GetInt32() == 2, Cancelled);
        await SendAsync(client, "GET", $"status/{running}?limit=1");
        foreach (var path in new[] { "csv", "ndjson" })
        {
            await SendAsync(client, "GET", $"results/{running}.{path}");
        }

        await SendAsync(client, "GET", $"results/{running}/failed.csv");
        await SendAsync(client, "POST", $"requests/{running}/retry");
        await SendAsync(client, "POST", $"requests/{running}/cancel");
        await server.WaitForEndAsync(running, Cancelled);
        released.SetResult();
        await SendAsync(client, "POST", $"requests/{running}/cancel");
        foreach (var path in new[]
        {
            $"status/{running}", $"results/{running}.csv", $"results/{running}.ndjson", $"results/{running}/failed.csv",
        })
        {
            var first = await SendAsync(client, "GET", path);
            await SendAsync(client, "GET", path, null, ("If-None-Match", first.Header("ETag")));
        }

        await SendAsync(client, "GET", $"results/{running}.csv", null, ("If-Match", "\"another\""));
        await SendAsync(client, "GET", $"results/{running}.csv", null, ("Range", "bytes=0-9"));
        await SendAsync(client, "GET", $"results/{running}.csv", null, ("Range", "bytes=1000000-"));
        await SendAsync(client, "POST", $"requests/{running}/retry");
        var ended = await EventsAsync(client, running);
        Assert.Equal("COMPLETED", (string)ended["status"]!);
        await SendAsync(client, "GET", "requests?limit=1");
        await SendAsync(client, "GET", "requests");

        // An output of each format, and a request with nothing left to retry.
        foreach (var format in new[] { "keep", "png", "webp", "gif", "avif" })
        {
            var id = IdOf(await SendAsync(client, "POST", $"upload?format={format}", Text($"{Header}1,Mug,{origin.Url("a.jpg")}\n")));
            var status = await server.WaitForEndAsync(id, Cancelled);
            var image = status.GetProperty("products")[0].GetProperty("images")[0].GetProperty("output_url").GetString()!;
            var whole = await SendAsync(client, "GET", image);
            await SendAsync(client, "GET", image, null, ("If-None-Match", whole.Header("ETag")));
            await SendAsync(client, "GET", image, null, ("If-Match", "\"another\""));
            await SendAsync(client, "GET", image, null, ("Range", "bytes=0-9"));
            await SendAsync(client, "GET", image, null, ("Range", "bytes=1000000-"));
            await SendAsync(client, "POST", $"requests/{id}/retry");
        }

        foreach (var (method, path) in new[]
        {
            ("GET", "status/?"), ("GET", "status/?/events"), ("GET", "requests/?/images"), ("GET", "results/?.csv"),
            ("GET", "results/?.ndjson"), ("GET", "results/?/failed.csv"), ("GET", "requests/?/deliveries"),
            ("POST", "requests/?/cancel"), ("POST", "requests/?/retry"), ("DELETE", "requests/?"),
            ("GET", "images/?/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg"),
        })
        {
            await SendAsync(client, method, path.Replace("?", Nowhere, StringComparison.Ordinal));
        }

        await SendAsync(client, "GET", $"requests/{running}/images?status=failed&limit=1&cursor=0");
        await SendAsync(client, "GET", $"requests/{running}/images?status=done");
        foreach (var path in new[] { $"status/{running}", "requests", $"requests/{running}/images" })
        {
            await SendAsync(client, "GET", path + "?limit=many");
            await SendAsync(client, "GET", path + "?cursor=page-2");
        }

        await SendAsync(client, "DELETE", $"requests/{running}");
    }

    private async Task UploadsThatAreRefusedAsync()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, ("Intake:MaxBodyBytes", "100000"));
        using var client = ClientOf(server);
        const string Csv = Header + "1,Mug,\n";
        foreach (var (name, value) in new[]
        {
            ("qualty", "60"), ("webhook_url", "shop.example/hook"), ("quality", "200"), ("format", "bmp"), ("max_width", "0"),
            ("max_height", "12cm"), ("variants", "thumb:width=200"), ("escape_formulas", "yes"), ("reuse", "never"), ("validate_only", "1"),
            ("webhook_url", new string('x', 9_000)),
        })
        {
            await SendAsync(client, "POST", "upload", Form((name, value), ("file", Csv)));
        }

        await SendAsync(client, "POST", "upload", Form(("quality", "50")));
        await SendAsync(client, "POST", "upload", Form(("file", Csv), ("file", Csv)));
        await SendAsync(client, "POST", "upload?quality=60", Form(("quality", "70"), ("file", Csv)));
        await SendAsync(client, "POST", "upload", Body("a,b", "multipart/form-data"));
        await SendAsync(client, "POST", "upload", Body("<products/>", "application/xml"));
        await SendAsync(client, "POST", "upload", Body("{\"csv\": \"Input Image Urls", "application/json"));
        await SendAsync(client, "POST", "upload", Body([0x1F, 0x8B, 8, 0, 1, 2, 3], "text/csv"));
        await SendAsync(client, "POST", "upload", Text(new string('a', 200_000)));
        await SendAsync(client, "POST", "upload", Text(Csv), ("Idempotency-Key", new string('k', 300)));
        await SendAsync(client, "POST", "upload", Text(Csv), ("Idempotency-Key", "catalogue-7"));
        await SendAsync(client, "POST", "upload", Text(Csv + "2,Cup,\n"), ("Idempotency-Key", "catalogue-7"));
    }

    private async Task FilesThatAreRefusedAsync()
    {
        await using var server = await HalftoneServer.StartAsync(
            Cancelled, null, ("Intake:MaxRecordBytes", "2000"), ("Intake:MaxColumns", "8"), ("Intake:MaxRows", "4"),
            ("Intake:MaxImages", "5"), ("Intake:MaxUrlsPerRow", "3"), ("Intake:MaxUrlChars", "200"));
        using var client = ClientOf(server);
        var urls = (int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"https://a.example/{i}.jpg"));
        var beyondLimits = new Dictionary<string, byte[]>
        {
            ["bad_encoding"] = [.. Encoding.UTF8.GetBytes(Header), 0, 0, (byte)'\n'],
            ["too_many_columns"] = Encoding.UTF8.GetBytes(new string(',', 20)),
            ["too_many_rows"] = Encoding.UTF8.GetBytes(Header + string.Concat(Enumerable.Repeat("1,Mug,\n", 5))),
            ["too_many_images"] = Encoding.UTF8.GetBytes(Header + string.Concat(Enumerable.Repeat($"1,Mug,{urls(3)}\n", 3))),
            ["record_too_long"] = Encoding.UTF8.GetBytes(Header + "1,\"Mug" + new string('g', 3_000)),
            ["url_too_long"] = Encoding.UTF8.GetBytes(Header + "1,Mug,https://a.example/" + new string('g', 300) + "\n"),
            ["too_many_urls"] = Encoding.UTF8.GetBytes(Header + $"1,Mug,{urls(4)}\n"),
        };
        foreach (var code in ProblemType.OfFiles.Select(problem => problem.Code))
        {
            var file = ErrorPage.Of(code).Block("csv") is { } example ? Encoding.UTF8.GetBytes(example) : beyondLimits[code];
            var answer = await SendAsync(client, "POST", "upload", Body(file, "text/csv"));
            Assert.Equal(code, (string)answer.Json["code"]!);
        }

        // The same told without a refusal.
        await SendAsync(client, "POST", "upload?validate_only=true", Text(ErrorPage.Of("invalid_url").Block("csv")!));
    }

    private async Task UploadsSideBySideAsync()
    {
        await using var server = await HalftoneServer.StartAsync(
            Cancelled, null, ("Database:IntakeChunkRows", "1"), ("Intake:MaxUploads", "2"));
        using var client = ClientOf(server);
        using var given = new CancellationTokenSource();

        // A transaction for each row: it takes until nobody waits for it any more.
        using var slow = new HttpRequestMessage(HttpMethod.Post, "upload")
        {
            Content = Text(Header + string.Concat(Enumerable.Repeat("1,Mug,\n", 50_000))),
            Headers = { { "Idempotency-Key", "slow" } },
        };
        var first = server.Client.SendAsync(slow, given.Token);
        await Eventually.TrueAsync(
            async () => await server.CountAsync("SELECT count(*) FROM request WHERE state = 'receiving'", Cancelled) == 1);
        await SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n"), ("Idempotency-Key", "slow"));

        using var held = new HttpRequestMessage(HttpMethod.Post, "upload")
        {
            Content = Text(Header + string.Concat(Enumerable.Repeat("1,Mug,\n", 50_000))),
        };
        var second = server.Client.SendAsync(held, given.Token);
        await Eventually.TrueAsync(
            async () => await server.CountAsync("SELECT count(*) FROM request WHERE state = 'receiving'", Cancelled) == 2);
        await SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n"));
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await server.StopAsync(Cancelled);
    }

    private async Task WebhooksAsync()
    {
        await using var gone = await WebhookReceiver.AnsweringAsync(410, Cancelled);
        await using var busy = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Response.StatusCode = 307;
                context.Response.Headers.Location = "https://shop.example/new-hook";
                return Task.CompletedTask;
            },
            Cancelled);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/slow.jpg", context => released.Task.WaitAsync(context.RequestAborted));
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var client = ClientOf(server);
        var plain = IdOf(await SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n")));
        await server.WaitForEndAsync(plain, Cancelled);
        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { request_id = plain }));

        var running = IdOf(await SendAsync(
            client,
            "POST",
            $"upload?webhook_url={Uri.EscapeDataString(busy.Url().AbsoluteUri)}",
            Text($"{Header}1,Mug,{origin.Url("slow.jpg")}\n")));
        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { request_id = running }));
        var registered = await SendAsync(
            client, "POST", "webhook", JsonContent.Create(new { callback_url = gone.Url().AbsoluteUri, request_id = running }));
        var webhook = (string)registered.Json["webhook_id"]!;
        released.SetResult();
        await server.WaitForEndAsync(running, Cancelled);
        var (_, body) = await gone.NextAsync(Cancelled);
        table.AddBody("the event of a webhook", new JsonObject { ["$ref"] = "#/components/schemas/WebhookEvent" }, JsonNode.Parse(body)!);
        await Eventually.TrueAsync(async () =>
            await server.CountAsync(
                "SELECT (SELECT count(*) FROM delivery_attempt) + (SELECT count(*) FROM webhook WHERE disabled_at IS NOT NULL)",
                Cancelled) == 3);
        await SendAsync(client, "GET", "webhook");
        await SendAsync(client, "GET", $"webhook/{webhook}/deliveries");
        await SendAsync(client, "GET", $"requests/{running}/deliveries");
        var status = (await SendAsync(client, "GET", $"status/{running}")).Json;
        await SendAsync(
            client,
            "POST",
            "webhook",
            JsonContent.Create(
                new { request_id = running, status = (string)status["status"]!, result_url = (string)status["result_url"]! }));
        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { request_id = running, status = "CANCELLED" }));

        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { request_id = Nowhere }));
        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { callback_url = "shop.example/hook" }));
        await SendAsync(client, "POST", "webhook", Body("{}", "application/json"));
        await SendAsync(client, "POST", "webhook", Body(new string(' ', 100_000), "application/json"));
        await SendAsync(client, "POST", "webhook", Text("a,b"));
        await SendBrokenChunkAsync(server, "/webhook");
        await using var deaf = await WebhookReceiver.AnsweringAsync(410, Cancelled);
        var tested = (string)(await SendAsync(
            client, "POST", "webhook", JsonContent.Create(new { callback_url = deaf.Url().AbsoluteUri }))).Json["webhook_id"]!;
        await SendAsync(client, "POST", $"webhook/{tested}/ping");
        var (_, ping) = await deaf.NextAsync(Cancelled);
        table.AddBody("a test event", new JsonObject { ["$ref"] = "#/components/schemas/WebhookPing" }, JsonNode.Parse(ping)!);
        await Eventually.TrueAsync(
            async () => await server.CountAsync("SELECT count(*) FROM webhook WHERE disabled_at IS NOT NULL", Cancelled) == 2);
        await SendAsync(client, "POST", $"webhook/{tested}/ping");
        await SendAsync(client, "POST", $"webhook/{Nowhere}/ping");
        await SendAsync(client, "GET", $"webhook/{tested}/deliveries");
        await SendAsync(client, "DELETE", $"webhook/{webhook}");
        await SendAsync(client, "DELETE", $"webhook/{webhook}");
        await SendAsync(client, "GET", $"webhook/{webhook}/deliveries");
    }

    private async Task PagesAsync()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var client = ClientOf(server);
        foreach (var path in new[]
        {
            "", "page/page.css", "page/app.js", "page/mark.svg", "page/nothing.js", "docs", "docs/index.html", "docs/swagger-ui.css",
            "docs/index.js", "docs/swagger-ui-bundle.js", "docs/favicon-32x32.png", "docs/csv", "docs/nothing", "docs/errors/api",
            "docs/errors/unknown_request", "docs/errors/nothing",
            "api/v1", "docs/", "docs/csv/", "docs/errors/unknown_request/", "openapi/v1.json", "health/live", "health/ready", "uploads",
            "upload",
        })
        {
            await SendAsync(client, "GET", path);
        }

        foreach (var path in new[] { "", "page/page.css" })
        {
            await SendAsync(client, "GET", path, null, ("If-None-Match", (await SendAsync(client, "GET", path)).Header("ETag")));
        }
    }

    private async Task CallersThatAreRefusedAsync()
    {
        await using var open = await HalftoneServer.StartAsync(Cancelled);
        await using var closed = await HalftoneServer.StartAsync(Cancelled, null, ("Access:CallsPerMinute", "1"));
        var key = ("X-API-Key", await closed.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled));
        using var client = ClientOf(open);
        using var stranger = ClientOf(closed);
        await SendAsync(stranger, "GET", "requests", null, key);
        await OnEveryGuardedRouteAsync(async (method, path) =>
        {
            await SendAsync(client, method, path, null, ("Host", "halftone.example"));
            await SendAsync(client, method, path, null, ("Origin", "https://elsewhere.example"));
            await SendAsync(stranger, method, path);
            await SendAsync(stranger, method, path, null, key);
        });
    }

    /// <summary>Tables and files that are not as they should be.</summary>
    private async Task BrokenServerAsync()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, ("Logging:LogLevel:Default", "None"));
        using var client = ClientOf(server);
        await server.Services.GetRequiredService<HalftoneDatabase>().WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync(
                "ALTER TABLE request RENAME TO request_gone; ALTER TABLE webhook RENAME TO webhook_gone"), Cancelled);
        await OnEveryGuardedRouteAsync((method, path) => (method, path) switch
        {
            ("post", "/upload") => SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n")),
            ("post", "/webhook") => SendAsync(client, "POST", "webhook", JsonContent.Create(new { request_id = Nowhere })),
            _ => SendAsync(client, method, path),
        });
        const string Image = $"images/{Nowhere}/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg";
        Directory.CreateDirectory(Path.Combine(server.DataFolder, Image));
        await SendAsync(client, "GET", Image);
    }

    /// <summary>A database that may not grow, and wants to at every write.</summary>
    private async Task FullDiskAsync()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, ("Logging:LogLevel:Default", "None"));
        using var client = ClientOf(server);
        var ended = IdOf(await SendAsync(client, "POST", "upload", Text($"{Header}1,Mug,{origin.Url("gone.jpg")}\n")));
        await server.WaitForEndAsync(ended, Cancelled);
        var webhook = (string)(await SendAsync(
            client, "POST", "webhook", JsonContent.Create(new { callback_url = origin.Url("hook") }))).Json["webhook_id"]!;
        var stopped = IdOf(await SendAsync(client, "POST", "upload", Text($"{Header}1,Mug,{origin.Url("gone.jpg")}\n")));
        await server.WaitForEndAsync(stopped, Cancelled);
        await server.Services.GetRequiredService<HalftoneDatabase>().WriteAsync(
            async transaction =>
            {
                var pages = await transaction.Connection!.ExecuteScalarAsync<long>("PRAGMA page_count");
                await transaction.Connection!.ExecuteAsync($"""
                    UPDATE request SET state = 'pending', finished_at = NULL WHERE request_id = '{stopped}';
                    CREATE TABLE filling (bytes BLOB);
                    {string.Concat(new[]
                    {
                        "INSERT ON request", "UPDATE ON request", "INSERT ON webhook", "UPDATE ON webhook", "DELETE ON webhook",
                    }.Select(
                        (when, i) => $"CREATE TRIGGER fill_{i} AFTER {when} BEGIN INSERT INTO filling VALUES (zeroblob(10000000)); END;"))}
                    PRAGMA max_page_count = {pages + 100};
                    """);
            },
            Cancelled);
        await SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n"));
        await SendAsync(client, "POST", $"requests/{stopped}/cancel");
        await SendAsync(client, "POST", $"requests/{ended}/retry");
        await SendAsync(client, "DELETE", $"requests/{ended}");
        await SendAsync(client, "POST", "webhook", JsonContent.Create(new { callback_url = origin.Url("another-hook") }));
        await SendAsync(client, "POST", $"webhook/{webhook}/ping");
        await SendAsync(client, "DELETE", $"webhook/{webhook}");
    }

    private async Task WithoutDatabaseAsync()
    {
        await using var postgres = await ThrowAwayServers.OwnAsync(PostgresServer.StartAsync, Cancelled);
        await using var server = await HalftoneServer.StartAsync(
            Cancelled,
            null,
            ("Database:ConnectionString", await postgres.CreateDatabaseAsync(Cancelled)),
            ("Logging:LogLevel:Default", "None"));
        using var client = ClientOf(server);
        await postgres.StopAsync();
        await OnEveryGuardedRouteAsync((method, path) => SendAsync(client, method, path));
        await SendAsync(client, "GET", "health/ready");
        await postgres.RunAsync(Cancelled);
    }

    /// <summary>A request that ended with its files in the folder, and then a bucket that does not answer.</summary>
    private async Task WithoutStoreAsync()
    {
        var folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
        Guid ended;
        await using (var server = await HalftoneServer.StartAsync(Cancelled, folder))
        {
            ended = await server.UploadAsync(Header + "1,Mug,\n", Cancelled);
            await server.WaitForEndAsync(ended, Cancelled);
            await server.StopAsync(Cancelled);
        }

        await using (var server = await HalftoneServer.StartAsync(
            Cancelled, folder, ("Store:S3:Bucket", "away"), ("Store:S3:Endpoint", $"http://127.0.0.1:{ClosedPort()}"),
            ("Store:S3:AccessKeyId", "a"), ("Store:S3:SecretAccessKey", "b"), ("Logging:LogLevel:Default", "None")))
        {
            using var client = ClientOf(server);
            await Task.WhenAll(
                SendAsync(client, "POST", "upload", Text(Header + "1,Mug,\n")),
                SendAsync(client, "GET", $"results/{ended}.csv"),
                SendAsync(client, "GET", $"results/{ended}/failed.csv"),
                SendAsync(client, "GET", $"images/{ended}/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg"));
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task OnEveryGuardedRouteAsync(Func<string, string, Task> call)
    {
        foreach (var (method, path, _) in ContractFiles.Operations().Where(operation => operation.Operation["security"] is null))
        {
            await call(
                method,
                path.Replace("{request_id}", Nowhere, StringComparison.Ordinal).Replace("{webhook_id}", Nowhere, StringComparison.Ordinal));
        }
    }

    private HttpClient ClientOf(HalftoneServer server) => new(new NotedAnswers(table)) { BaseAddress = server.Client.BaseAddress };

    private sealed record Answer(HttpResponseMessage Message, string Body)
    {
        public JsonNode Json => JsonNode.Parse(Body)!;

        public string Header(string name) => Message.Headers.GetValues(name).Single();
    }

    private static async Task<Answer> SendAsync(
        HttpClient client, string method, string path, HttpContent? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Parse(method), path) { Content = body };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await client.SendAsync(request, Cancelled);
        return new Answer(answer, await answer.Content.ReadAsStringAsync(Cancelled));
    }

    private static Guid IdOf(Answer answer) => Guid.Parse((string)answer.Json["request_id"]!);

    /// <summary>Follows a request to its end.</summary>
    private async Task<JsonNode> EventsAsync(HttpClient client, Guid requestId)
    {
        var events = (await SendAsync(client, "GET", $"status/{requestId}/events")).Body.Split(
            "\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("event: end\ndata: {}", events[^1]);
        var statuses = events[..^1].Select(one => JsonNode.Parse(one["event: status\ndata: ".Length..])!).ToArray();
        foreach (var status in statuses)
        {
            table.AddBody("a status event", new JsonObject { ["$ref"] = "#/components/schemas/RequestStatus" }, status);
        }

        return statuses[^1];
    }

    /// <summary>A body whose length of a chunk is no number; no client library sends one.</summary>
    private async Task SendBrokenChunkAsync(HalftoneServer server, string path)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port, Cancelled);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: "
                    + $"close\r\n\r\nxyz\r\n"),
            Cancelled);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(Cancelled);
        var status = int.Parse(answer.Split(' ')[1], CultureInfo.InvariantCulture);
        var json = answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)];
        table.AddAnswer("POST", path, status, "application/problem+json", json, _ => true);
    }

    private static MultipartFormDataContent Form(params (string Name, string Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
        {
#pragma warning disable CA2000 // Disposed with the form.
            form.Add(new StringContent(value), name);
#pragma warning restore CA2000
        }

        return form;
    }

    private static ByteArrayContent Text(string csv) => Body(csv, "text/csv");

    private static ByteArrayContent Body(string text, string type) => Body(Encoding.UTF8.GetBytes(text), type);

    private static ByteArrayContent Body(byte[] bytes, string type) =>
        new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
