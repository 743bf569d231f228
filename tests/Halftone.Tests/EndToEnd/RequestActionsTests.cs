using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

public abstract class RequestActionsTests(Engine engine) : OnEachEngine(engine)
{
    [Fact]
    public async Task Cancel_writes_the_result_of_what_is_done_without_waiting_for_a_host()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/done.jpg", Picture.Jpeg).Serve("/stuck.jpg", _ => released.Task);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(
            $"Product Name,Input Image Urls\nA,{origin.Url("done.jpg")}\nB,{origin.Url("stuck.jpg")}\n", Cancelled);
        await server.WaitForAsync(id, status => Completed(status) == 1, Cancelled);

        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, $"requests/{id}/cancel"));
        var status = await server.WaitForEndAsync(id, Cancelled);
        released.SetResult();

        Assert.Equal("CANCELLED", status.GetProperty("status").GetString());
        var lines = (await server.ResultAsync(id, Cancelled)).Split('\n');
        Assert.Contains("/images/", lines[1]);
        Assert.EndsWith(",,", lines[2]);
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(server, $"requests/{id}/cancel"));
    }

    [Fact]
    public async Task Images_are_listed_from_any_place_of_the_file_and_by_status()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(
            "Product Name,Input Image Urls\n"
                + string.Concat(Enumerable.Range(1, 5).Select(
                    row => $"P{row},\"{origin.Url("a.jpg")},{origin.Url($"gone-{row}.jpg")}\"\n")), Cancelled);
        await server.WaitForEndAsync(id, Cancelled);

        async Task<string> ListAsync(string query)
        {
            var answer = await server.Client.GetFromJsonAsync<JsonElement>($"requests/{id}/images{query}", Cancelled);
            var images = answer
                .GetProperty("images")
                .EnumerateArray()
                .Select(image =>
                    $"{image.GetProperty("product_name").GetString()}.{image.GetProperty("number").GetInt32()} "
                        + $"{image.GetProperty("status").GetString()}");
            return string.Join(", ", images) + (answer.TryGetProperty("next_cursor", out var next) ? $" → {next.GetString()}" : "");
        }

        Assert.Equal("P1.1 COMPLETED, P1.2 FAILED, P2.1 COMPLETED → 3", await ListAsync("?limit=3"));
        Assert.Equal("P4.2 FAILED, P5.1 COMPLETED, P5.2 FAILED → 10", await ListAsync("?limit=3&cursor=7"));
        Assert.Equal("P5.2 FAILED", await ListAsync("?limit=3&cursor=9"));
        Assert.Equal("", await ListAsync("?limit=3&cursor=10"));
        Assert.Equal("", await ListAsync("?cursor=2000000000"));
        Assert.Equal("P3.2 FAILED, P4.2 FAILED → 4", await ListAsync("?status=failed&limit=2&cursor=2"));
        Assert.Equal("P5.1 COMPLETED", await ListAsync("?status=completed&limit=2&cursor=4"));
        Assert.Equal("", await ListAsync("?status=pending"));
    }

    [Fact]
    public async Task Retry_does_again_what_is_not_completed_and_serves_the_old_result_until_the_new_one_is_there()
    {
        var isUp = false;
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/good.jpg", Picture.Jpeg).Serve("/late.jpg", async context =>
        {
            if (!isUp)
            {
                context.Response.StatusCode = 404;
                return;
            }

            await released.Task;
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await StartAsync();
        var id = await server.UploadAsync(
            $"Product Name,Input Image Urls\nA,{origin.Url("good.jpg")}\nB,{origin.Url("late.jpg")}\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        var first = await server.ResultAsync(id, Cancelled);
        Assert.Contains("1: http_404", first);

        isUp = true;
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, $"requests/{id}/retry"));
        Assert.Equal(first, await server.ResultAsync(id, Cancelled));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(server, $"requests/{id}/retry"));
        released.SetResult();
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal(2, Completed(status));
        Assert.Equal(0, status.GetProperty("progress").GetProperty("failed").GetInt32());
        Assert.Empty(status.GetProperty("errors").EnumerateArray());
        Assert.Equal(1, origin.CountOf("/good.jpg"));
        Assert.DoesNotContain("http_404", await server.ResultAsync(id, Cancelled));
        // The old one is removed when the request names the new one.
        await Eventually.TrueAsync(
            () => Directory.EnumerateFiles(Path.Combine(server.DataFolder, "files", id.ToString()), "result-*").Count() == 1);
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(server, $"requests/{id}/retry"));
    }

    [Fact]
    public async Task Delete_leaves_no_row_and_no_file()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nA,{origin.Url("a.jpg")}\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);

        using var answer = await server.Client.DeleteAsync($"requests/{id}", Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        using var status = await server.Client.GetAsync($"status/{id}", Cancelled);
        Assert.Equal(HttpStatusCode.NotFound, status.StatusCode);
        await Eventually.TrueAsync(async () =>
            (await server.CountAsync(
                "SELECT (SELECT count(*) FROM request) + (SELECT count(*) FROM product) + (SELECT count(*) FROM image)", Cancelled)) == 0);
        foreach (var folder in new[] { "files", "images" })
        {
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, folder), "*", SearchOption.AllDirectories));
        }

        using var again = await server.Client.DeleteAsync($"requests/{id}", Cancelled);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task Requests_are_listed_newest_first_page_by_page()
    {
        await using var server = await StartAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await server.UploadAsync("Product Name,Input Image Urls\nA,\n", Cancelled));
        }

        var first = await server.Client.GetFromJsonAsync<JsonElement>("requests?limit=2", Cancelled);
        var second = await server.Client.GetFromJsonAsync<JsonElement>(
            $"requests?limit=2&cursor={first.GetProperty("next_cursor").GetString()}", Cancelled);
        var listed = first
            .GetProperty("requests")
            .EnumerateArray()
            .Concat(second.GetProperty("requests").EnumerateArray())
            .Select(r => r.GetProperty("request_id").GetGuid());
        Assert.Equal(Enumerable.Reverse(ids), listed);
        Assert.False(second.TryGetProperty("next_cursor", out _));
    }

    [Fact]
    public async Task One_idempotency_key_is_one_request()
    {
        await using var server = await StartAsync();
        server.Client.DefaultRequestHeaders.Add("Idempotency-Key", "catalogue-7");
        const string Csv = "Product Name,Input Image Urls\nA,\n";
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.PostCsvAsync(Csv, Cancelled)));
        Assert.All(answers, a => Assert.Contains(a.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        var id = await server.UploadAsync(Csv, Cancelled);
        foreach (var answer in answers.Where(a => a.StatusCode == HttpStatusCode.OK))
        {
            Assert.Equal(id, (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("request_id").GetGuid());
        }

        using var other = await server.PostCsvAsync(Csv + "B,\n", Cancelled);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        using var otherOptions = await server.PostCsvAsync(Csv, Cancelled, ("quality", "60"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, otherOptions.StatusCode);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM request", Cancelled));
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(server.DataFolder, "files")));
    }

    private static int Completed(JsonElement status) => status.GetProperty("progress").GetProperty("completed").GetInt32();

    private static async Task<HttpStatusCode> PostAsync(HalftoneServer server, string path)
    {
        using var answer = await server.Client.PostAsync(path, null, Cancelled);
        return answer.StatusCode;
    }
}

public sealed class RequestActionsOnSqlite() : RequestActionsTests(Engine.Sqlite);

public sealed class RequestActionsOnPostgres() : RequestActionsTests(Engine.Postgres);
