using Halftone.Fetch;
using Halftone.Model;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Halftone.Tests.Fetch;

public sealed class ConditionalFetchTests
{
    private static readonly DateTimeOffset Date = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset LongBefore = Date.AddDays(-1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string?, DateTimeOffset?, DateTimeOffset?, string?, DateTimeOffset?> SaidAndKept => new()
    {
        { "\"a\"", null, Date, "\"a\"", null },
        { "W/\"a\"", null, Date, "W/\"a\"", null },
        { "\"\"", null, Date, null, null },
        { "\"a\"", LongBefore, Date, "\"a\"", LongBefore },
        { null, LongBefore, Date, null, LongBefore },
        { null, Date.AddSeconds(-60), Date, null, Date.AddSeconds(-60) },
        // It may change once more within that second.
        { null, Date.AddSeconds(-59), Date, null, null },
        { null, Date, Date, null, null },
        { null, Date.AddDays(1), Date, null, null },
        { null, LongBefore, null, null, null },
        // Every body there will ever be matches this one.
        { "*", null, Date, null, null },
        { "a", null, Date, null, null },
        { "\"a", null, Date, null, null },
        { "\"a\"b\"", null, Date, null, null },
        { "w/\"a\"", null, Date, null, null },
        { "\"a b\"", null, Date, null, null },
        { "\"é\"", null, Date, null, null },
        { "\"a\", \"b\"", null, Date, null, null },
        { null, null, Date, null, null },
    };

    [Theory]
    [MemberData(nameof(SaidAndKept))]
    public void A_body_is_known_again_by_what_is_good_for_it_and_nothing_else(string? tag, DateTimeOffset? modified, DateTimeOffset? date, string? keptTag, DateTimeOffset? keptModified)
    {
        using var response = Response(tag);
        response.Headers.Date = date;
        response.Content.Headers.LastModified = modified;
        Assert.Equal(keptTag is null && keptModified is null ? null : new Validators(keptTag, keptModified, null), Validators.Of(response, null));
    }

    [Fact]
    public void A_tag_longer_than_256_characters_and_one_of_two_are_not_kept()
    {
        using var most = Response($"\"{new string('a', 254)}\"");
        using var longer = Response($"\"{new string('a', 255)}\"");
        using var two = Response("\"a\"");
        two.Headers.TryAddWithoutValidation("ETag", "\"b\"");
        Assert.NotNull(Validators.Of(most, null));
        Assert.Null(Validators.Of(longer, null));
        Assert.Null(Validators.Of(two, null));
    }

    [Fact]
    public async Task What_the_host_said_of_a_body_goes_back_to_it_word_for_word_and_a_304_is_believed()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        var asked = new List<string>();
        origin.Serve("/a.jpg", context =>
        {
            asked.Add($"{context.Request.Headers.IfNoneMatch}|{context.Request.Headers.IfModifiedSince}");
            context.Response.Headers.ETag = "W/\"5f-1\"";
            context.Response.Headers.LastModified = "Wed, 21 Oct 2015 07:28:00 GMT";
            context.Response.StatusCode = context.Request.Headers.IfNoneMatch == "W/\"5f-1\"" ? 304 : 200;
            return context.Response.StatusCode == 304 ? Task.CompletedTask : context.Response.Body.WriteAsync(Picture.Jpeg, Cancelled).AsTask();
        });
        await using var kit = FetchKit.Open();

        var known = await KnownAsync(kit, origin.Url("a.jpg"));
        Assert.IsType<FetchResult.NotModified>(await kit.Fetcher.FetchAsync(origin.Url("a.jpg"), known, null, Cancelled));
        Assert.Equal(["|", "W/\"5f-1\"|Wed, 21 Oct 2015 07:28:00 GMT"], asked);
    }

    [Fact]
    public async Task A_304_that_nobody_asked_for_is_an_error()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", context =>
        {
            context.Response.StatusCode = 304;
            return Task.CompletedTask;
        });
        await using var kit = FetchKit.Open();
        Assert.Equal((FetchError.HttpStatus, 304), await FailedAsync(kit, origin.Url("a.jpg")));

        static async Task<(FetchError, int?)> FailedAsync(FetchKit kit, Uri url)
        {
            var failed = await kit.FailAsync(url);
            return (failed.Error, failed.HttpStatus);
        }
    }

    [Fact]
    public async Task A_304_of_another_tag_is_not_believed_and_the_body_is_fetched()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", context =>
        {
            context.Response.Headers.ETag = "\"new\"";
            context.Response.StatusCode = context.Request.Headers.IfNoneMatch.Count > 0 ? 304 : 200;
            return context.Response.StatusCode == 304 ? Task.CompletedTask : context.Response.Body.WriteAsync(Picture.Jpeg, Cancelled).AsTask();
        });
        await using var kit = FetchKit.Open();

        var fetched = Assert.IsType<FetchResult.Fetched>(await kit.Fetcher.FetchAsync(origin.Url("a.jpg"), new Validators("\"old\"", null, null), null, Cancelled));

        Assert.Equal("\"new\"", fetched.Validators!.ETag);
        fetched.Body.Dispose();
    }

    [Fact]
    public async Task After_a_redirect_only_the_url_that_gave_a_tag_is_asked_by_it()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        var (target, conditional) = ("/one.jpg", new List<string>());
        origin.Serve("/a.jpg", context =>
        {
            Note(context);
            context.Response.Redirect(target);
            return Task.CompletedTask;
        });
        foreach (var path in new[] { "/one.jpg", "/two.jpg" })
        {
            // Both count their versions.
            origin.Serve(path, context =>
            {
                Note(context);
                context.Response.Headers.ETag = "\"1\"";
                context.Response.StatusCode = context.Request.Headers.IfNoneMatch == "\"1\"" ? 304 : 200;
                return context.Response.StatusCode == 304 ? Task.CompletedTask : context.Response.Body.WriteAsync(Picture.Jpeg, Cancelled).AsTask();
            });
        }

        await using var kit = FetchKit.Open();
        var known = await KnownAsync(kit, origin.Url("a.jpg"));
        Assert.IsType<FetchResult.NotModified>(await kit.Fetcher.FetchAsync(origin.Url("a.jpg"), known, null, Cancelled));
        target = "/two.jpg";
        var moved = Assert.IsType<FetchResult.Fetched>(await kit.Fetcher.FetchAsync(origin.Url("a.jpg"), known, null, Cancelled));
        moved.Body.Dispose();
        Assert.Equal(["/one.jpg"], conditional);

        void Note(HttpContext context)
        {
            if (context.Request.Headers.IfNoneMatch.Count > 0)
            {
                conditional.Add(context.Request.Path);
            }
        }
    }

    private static async Task<Validators> KnownAsync(FetchKit kit, Uri url)
    {
        var fetched = Assert.IsType<FetchResult.Fetched>(await kit.Fetcher.FetchAsync(url, Cancelled));
        fetched.Body.Dispose();
        return Assert.IsType<Validators>(fetched.Validators);
    }

    private static HttpResponseMessage Response(string? tag)
    {
        var response = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        if (tag is not null)
        {
            response.Headers.TryAddWithoutValidation("ETag", tag);
        }

        return response;
    }
}
