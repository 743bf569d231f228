using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>
/// What the contract says of all routes at once: their other spellings, HEAD, parts, and what is refused before it is understood.
/// </summary>
public sealed partial class SpellingTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_get_route_answers_head_as_get_without_the_body_and_alike_under_each_spelling()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = await server.UploadAsync(
            $"Product Name,Input Image Urls\nMug,\"{origin.Url("a.jpg")},{origin.Url("gone.jpg")}\"\n", Cancelled);
        var ended = await server.WaitForEndAsync(id, Cancelled);
        var image = new Uri(ended.GetProperty("products")[0].GetProperty("images")[0].GetProperty("output_url").GetString()!).AbsolutePath;
        using var registered = await server.Client.PostAsJsonAsync("webhook", new { callback_url = origin.Url("hook") }, Cancelled);
        var webhook = (await registered.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("webhook_id").GetString()!;
        foreach (var (_, template, _) in ContractFiles.Operations().Where(operation => operation.Method == "get"))
        {
            var path = template switch
            {
                "/images/{request_id}/{file}" => image,
                "/page/{file}" => "/page/page.css",
                "/docs/{page}" => "/docs/index.html",
                "/docs/errors/{code}" => "/docs/errors/unknown_request",
                _ =>
                    template
                        .Replace("{request_id}", id.ToString(), StringComparison.Ordinal)
                        .Replace("{webhook_id}", webhook, StringComparison.Ordinal),
            };
            var whole = await AskAsync(HttpMethod.Get, path);
            Assert.True(whole.Body.Length > 0, path);
            Assert.Equal(whole with { Body = "" }, await AskAsync(HttpMethod.Head, path));
            foreach (var spelling in new[]
            {
                path.TrimEnd('/') + "/", "/api/v1" + path, "/api/v1" + path.TrimEnd('/'), $"/api/v1{path.TrimEnd('/')}//",
            })
            {
                Assert.Equal(whole with { Body = "" }, await AskAsync(HttpMethod.Get, spelling) with { Body = "" });
                Assert.Equal(whole with { Body = "" }, await AskAsync(HttpMethod.Head, spelling));
            }
        }

        using var answer = await server.Client.PostAsync("status/x", null, Cancelled);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD"), (answer.StatusCode, string.Join(", ", answer.Content.Headers.Allow)));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await AskAsync(HttpMethod.Head, "upload")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(HttpMethod.Head, "uploads")).Status);

        async Task<Answer> AskAsync(HttpMethod method, string path)
        {
            using var request = new HttpRequestMessage(method, path);
            using var answer = await server.Client.SendAsync(request, Cancelled);
            // As it came: the client counts a body that came without a length.
            var length = answer.Content.Headers.NonValidated.TryGetValues("Content-Length", out var said) ? said.ToString() : null;
            var headers = answer.Content.Headers;
            return new Answer(
                length,
                answer.StatusCode,
                headers.ContentType?.ToString(),
                answer.Headers.ETag?.Tag,
                headers.ContentDisposition?.ToString(),
                await answer.Content.ReadAsStringAsync(Cancelled));
        }
    }

    private sealed record Answer(string? Length, HttpStatusCode Status, string? Type, string? Tag, string? Name, string Body);

    [Fact]
    public async Task Head_of_the_events_does_not_follow_the_request()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/slow.jpg", context => released.Task.WaitAsync(context.RequestAborted));
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("slow.jpg")}\n", Cancelled);
        using var request = new HttpRequestMessage(HttpMethod.Head, $"status/{id}/events");
        using var answer = await server.Client.SendAsync(request, Cancelled);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        // The next call on the connection finds it free: the answer to HEAD was at its end.
        Assert.False((await server.StatusAsync(id, Cancelled)).TryGetProperty("finished_at", out _));
        released.SetResult();
    }

    [Theory]
    [InlineData("api/v1")]
    [InlineData("api/v1/")]
    [InlineData("docs/")]
    [InlineData("docs//?from=here")]
    [InlineData("api/v1/docs")]
    [InlineData("api/v1/docs/")]
    [InlineData("docs/index.html/")]
    [InlineData("docs/errors/")]
    [InlineData("api/v1/docs/errors/unknown_request/")]
    public async Task A_page_finds_what_it_links_to_under_each_of_its_spellings(string path)
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var page = await server.Client.GetAsync(path, Cancelled);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        var links = Links()
            .Matches(await page.Content.ReadAsStringAsync(Cancelled))
            .Select(match => new Uri(page.RequestMessage!.RequestUri!, match.Groups[1].Value))
            .Where(link => link.Authority == server.Client.BaseAddress!.Authority)
            .ToArray();
        Assert.NotEmpty(links);
        foreach (var link in links)
        {
            using var answer = await server.Client.GetAsync(link, Cancelled);
            Assert.True(answer.IsSuccessStatusCode, link.ToString());
        }
    }

    [Fact]
    public async Task A_download_goes_on_where_it_broke_off_unless_it_is_another_file_now()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);
        var ended = await server.WaitForEndAsync(id, Cancelled);
        foreach (var path in new[]
        {
            $"results/{id}.csv", ended.GetProperty("products")[0].GetProperty("images")[0].GetProperty("output_url").GetString()!,
        })
        {
            using var first = await server.Client.GetAsync(path, Cancelled);
            var whole = await first.Content.ReadAsByteArrayAsync(Cancelled);
            Assert.Equal("bytes", first.Headers.AcceptRanges.Single());

            using var part = await RangeAsync(path, new RangeHeaderValue(10, null), first.Headers.ETag!);
            Assert.Equal(
                (HttpStatusCode.PartialContent, $"bytes 10-{whole.Length - 1}/{whole.Length}"),
                (part.StatusCode, part.Content.Headers.ContentRange!.ToString()));
            Assert.Equal(whole[10..], await part.Content.ReadAsByteArrayAsync(Cancelled));

            using var other = await RangeAsync(path, new RangeHeaderValue(10, null), new EntityTagHeaderValue("\"another\""));
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
            Assert.Equal(whole, await other.Content.ReadAsByteArrayAsync(Cancelled));

            using var beyond = await RangeAsync(path, new RangeHeaderValue(whole.Length, null), first.Headers.ETag!);
            Assert.Equal(
                (HttpStatusCode.RequestedRangeNotSatisfiable, $"bytes */{whole.Length}"),
                (beyond.StatusCode, beyond.Content.Headers.ContentRange!.ToString()));
            Assert.Equal(
                "range_not_satisfiable", (await beyond.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("code").GetString());
            Assert.Null(beyond.Headers.CacheControl?.MaxAge);
        }

        async Task<HttpResponseMessage> RangeAsync(string path, RangeHeaderValue range, EntityTagHeaderValue tag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path)
            {
                Headers = { Range = range, IfRange = new RangeConditionHeaderValue(tag) },
            };
            return await server.Client.SendAsync(request, Cancelled);
        }
    }

    [Fact]
    public async Task Images_are_listed_by_the_status_that_answers_name_them_with()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("gone.jpg")}\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        foreach (var status in new[] { "failed", "FAILED", "Failed" })
        {
            var page = await server.Client.GetFromJsonAsync<JsonElement>($"requests/{id}/images?status={status}", Cancelled);
            Assert.Equal("FAILED", Assert.Single(page.GetProperty("images").EnumerateArray()).GetProperty("status").GetString());
        }
    }

    [Fact]
    public async Task What_is_refused_before_it_is_understood_has_a_status_and_no_body()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var address = await server.Client.GetAsync("status/" + new string('a', 9_000), Cancelled);
        Assert.Equal((HttpStatusCode.RequestUriTooLong, ""), (address.StatusCode, await address.Content.ReadAsStringAsync(Cancelled)));
        using var request = new HttpRequestMessage(HttpMethod.Get, "requests") { Headers = { { "Cookie", new string('a', 40_000) } } };
        using var header = await server.Client.SendAsync(request, Cancelled);
        Assert.Equal(
            (HttpStatusCode.RequestHeaderFieldsTooLarge, ""), (header.StatusCode, await header.Content.ReadAsStringAsync(Cancelled)));
    }

    [GeneratedRegex("(?:href|src)=\"([^\"#]+)\"")]
    private static partial Regex Links();
}
