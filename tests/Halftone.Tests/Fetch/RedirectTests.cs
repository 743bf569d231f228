using System.Net;
using System.Text;
using Halftone.Fetch;
using Halftone.Model;

namespace Halftone.Tests.Fetch;

public class RedirectTests
{
    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_followed_to_where_it_leads_relative_or_not(int status)
    {
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(call.Path switch
        {
            "/a/first" => Redirect(status, "../second?x=1"),
            "/second?x=1" => Redirect(status, $"http://127.0.0.1:{call.Port}/third#part"),
            "/third" => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg",
            _ => "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        }));
        await using var kit = FetchKit.Open();

        var fetched = Assert.IsType<FetchResult.Fetched>(await kit.Fetcher.FetchAsync(origin.Url("/a/first"), TestContext.Current.CancellationToken));

        Assert.Equal(origin.Url("/third"), fetched.FinalUrl);
        fetched.Body.Dispose();
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Five_redirects_are_followed_and_no_more(int redirects, bool arrives)
    {
        await using var origin = HostileOrigin.Start(call =>
        {
            var left = int.Parse(call.Path[1..], System.Globalization.CultureInfo.InvariantCulture);
            return call.WriteAsync(left > 0 ? Redirect(302, $"/{left - 1}") : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        });
        await using var kit = FetchKit.Open();

        var result = await kit.Fetcher.FetchAsync(origin.Url($"/{redirects}"), TestContext.Current.CancellationToken);

        if (arrives)
        {
            Assert.IsType<FetchResult.Fetched>(result).Body.Dispose();
        }
        else
        {
            Assert.Equal(FetchError.TooManyRedirects, Assert.IsType<FetchResult.Failed>(result).Error);
            Assert.Equal(6, origin.Heads.Count);
        }
    }

    [Fact]
    public async Task A_redirect_in_a_circle_ends_and_no_url_is_asked_for_twice()
    {
        await using var itself = HostileOrigin.Start(Redirect(302, "/again"));
        await using var round = HostileOrigin.Start(call => call.WriteAsync(Redirect(302, call.Path == "/a" ? "/b" : "/a")));
        await using var kit = FetchKit.Open();

        foreach (var url in new[] { itself.Url("/again"), round.Url("/a") })
        {
            var failed = await kit.FailAsync(url);
            Assert.Equal((FetchError.TooManyRedirects, false), (failed.Error, failed.Retryable));
        }

        Assert.Single(itself.Heads);
        Assert.Equal(2, round.Heads.Count);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/", FetchError.AddressForbidden)]
    [InlineData("http://10.0.0.1/", FetchError.AddressForbidden)]
    [InlineData("http://[::ffff:169.254.169.254]/", FetchError.AddressForbidden)]
    [InlineData("//0x7f.2/", FetchError.AddressForbidden)]
    [InlineData("http://8.8.8.8:25/", FetchError.PortForbidden)]
    [InlineData("file:///etc/passwd", FetchError.SchemeForbidden)]
    [InlineData("gopher://8.8.8.8/", FetchError.SchemeForbidden)]
    [InlineData("data:image/png;base64,AAAA", FetchError.SchemeForbidden)]
    [InlineData("http://", FetchError.RedirectInvalid)]
    [InlineData("http://[::1", FetchError.RedirectInvalid)]
    [InlineData("file://\u00e2\u0080\u00ae/etc/passwd", FetchError.RedirectInvalid)] // U+202E in UTF-8: the platform's reader throws for it
    [InlineData("http://\u00d9\u0084\u00d9\u0087a.example/", FetchError.RedirectInvalid)] // two directions in a name: it has no punycode
    [InlineData("http://\u00e2\u0080\u00ae.example/", FetchError.RedirectInvalid)]
    [InlineData("", FetchError.RedirectInvalid)]
    public async Task A_redirect_is_judged_like_a_first_url(string location, object error)
    {
        await using var origin = HostileOrigin.Start(Redirect(302, location));
        await using var kit = FetchKit.Open();

        Assert.Equal((FetchError)error, (await kit.FailAsync(origin.Url())).Error);
        Assert.Single(origin.Heads);
    }

    [Fact]
    public async Task A_redirect_without_or_with_two_addresses_is_invalid()
    {
        await using var none = HostileOrigin.Start("HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n");
        await using var two = HostileOrigin.Start("HTTP/1.1 302 Go\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.RedirectInvalid, (await kit.FailAsync(none.Url())).Error);
        Assert.Equal(FetchError.RedirectInvalid, (await kit.FailAsync(two.Url())).Error);
    }

    [Theory]
    [InlineData(20 << 10, FetchError.RedirectInvalid)]
    [InlineData(1 << 20, FetchError.BadResponse)]
    public async Task A_huge_redirect_address_is_not_followed(int length, object error)
    {
        await using var origin = HostileOrigin.Start(Redirect(302, "/" + new string('a', length)));
        await using var kit = FetchKit.Open();

        Assert.Equal((FetchError)error, (await kit.FailAsync(origin.Url())).Error);
        Assert.Single(origin.Heads);
    }

    [Fact]
    public async Task An_address_in_raw_utf8_is_read_as_that()
    {
        await using var origin = HostileOrigin.Start(call => call.Path == "/"
            ? call.WriteAsync(Encoding.UTF8.GetBytes(Redirect(302, "/größe.jpg")))
            : call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg"));
        await using var kit = FetchKit.Open();

        await kit.BodyAsync(origin.Url());

        Assert.StartsWith("GET /gr%C3%B6%C3%9Fe.jpg ", origin.Heads.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_and_headers_of_a_host_stay_with_that_host()
    {
        await using var other = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Redirect(302, call.Path == "/" ? "/here" : $"http://other.test:{other.Port}/")));
        await using var kit = FetchKit.Open(
            options => options.HostHeaders = new() { ["first.test"] = new() { ["X-Shop-Key"] = "k1" } },
            _ => [IPAddress.Loopback]);

        await kit.BodyAsync(new Uri($"http://us%65r:p%40ss@first.test:{origin.Port}/"));

        var basic = Convert.ToBase64String("user:p@ss"u8);
        Assert.Equal(2, origin.Heads.Count);
        Assert.All(origin.Heads, head => Assert.Contains($"Authorization: Basic {basic}\r\n", head, StringComparison.Ordinal));
        Assert.All(origin.Heads, head => Assert.Contains("X-Shop-Key: k1\r\n", head, StringComparison.Ordinal));
        var there = Assert.Single(other.Heads);
        Assert.DoesNotContain("Authorization", there, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("X-Shop-Key", there, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Credentials_do_not_go_to_another_port_of_the_same_host()
    {
        await using var other = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        await using var origin = HostileOrigin.Start(Redirect(302, other.Url().AbsoluteUri));
        await using var kit = FetchKit.Open();

        await kit.BodyAsync(new Uri($"http://user:secret@127.0.0.1:{origin.Port}/"));

        Assert.Contains("Authorization: Basic", Assert.Single(origin.Heads), StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization", Assert.Single(other.Heads), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_cookie_from_one_answer_is_not_sent_with_the_next_request_and_nothing_traces_us()
    {
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(call.Path == "/"
            ? "HTTP/1.1 302 Go\r\nSet-Cookie: id=1\r\nLocation: /next\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg"));
        await using var kit = FetchKit.Open(options => options.Contact = "https://shop.example/bot");
        using var activity = new System.Diagnostics.Activity("upload") { TraceStateString = "shop=1" }.AddBaggage("customer", "7").Start();

        await kit.BodyAsync(origin.Url());

        var last = origin.Heads.Last();
        Assert.DoesNotContain("Cookie", last, StringComparison.OrdinalIgnoreCase);
        Assert.All(new[] { "traceparent", "tracestate", "baggage", "Request-Id", "Correlation-Context" }, name => Assert.DoesNotContain(name, last, StringComparison.OrdinalIgnoreCase));
        Assert.Matches(@"User-Agent: Halftone/[0-9.]+ \(\+https://shop\.example/bot\)\r\n", last);
        Assert.Contains("Accept: image/*, */*;q=0.1\r\n", last, StringComparison.Ordinal);
        Assert.Equal(1, last.Split("User-Agent").Length - 1);
    }

    [Fact]
    public async Task A_proxy_in_the_environment_is_not_asked_for_it_would_resolve_names_by_itself()
    {
        await using var kit = FetchKit.Closed();
        using var handler = kit.Http.CreateHandler();

        Assert.False(handler.UseProxy);
    }

    private static string Redirect(int status, string location) =>
        $"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}
