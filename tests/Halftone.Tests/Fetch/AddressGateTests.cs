using System.Net;
using System.Net.Sockets;
using Halftone.Fetch;
using Halftone.Model;

namespace Halftone.Tests.Fetch;

/// <summary>The guard closed, or opened for less than the whole of loopback.</summary>
public class AddressGateTests
{
    /// <summary>PORT stands for that of a server on 127.0.0.1, PORT6 for one on ::1, so that whoever gets through is seen.</summary>
    public static TheoryData<string> Spellings =>
    [
        "http://127.0.0.1:PORT/", "http://127.0.0.1.:PORT/", "http://127.0.0.2:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/",
        "http://127.255.255.254:PORT/", "http://2130706433:PORT/", "http://2130706433.:PORT/", "http://0x7f000001:PORT/",
        "http://0X7F.1:PORT/", "http://0x7f.0.0.1:PORT/", "http://0x7f.0x0.0x0.0x1:PORT/", "http://017700000001:PORT/",
        "http://0177.0.0.1:PORT/", "http://0177.0.0.01:PORT/", "http://000000177.0.0.1:PORT/", "http://0177.1:PORT/",
        "http://127.0.0.0x1:PORT/", "http://0:PORT/", "http://0.0.0.0:PORT/", "http://0.0.0.0.:PORT/", "http://00000000:PORT/",
        "http://0x0:PORT/", "http://4294967296:PORT/", "http://6425673729:PORT/", "http://383.256.256.257:PORT/",
        "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://localhost.:PORT/", "http://localhost..:PORT/", "http://a.localhost:PORT/",
        "http://ip6-localhost:PORT6/", "http://loopback:PORT/", "http://localhost.localdomain:PORT/", "http://%6c%6f%63%61%6c%68%6f%73%74:PORT/",
        "http://①②⑦.⓪.⓪.①:PORT/", "http://⑴⑵⑺.0.0.1:PORT/", "http://１２７.０.０.１:PORT/", "http://127。0。0。1:PORT/", "http://127．0．0．1:PORT/",
        "http://127｡0｡0｡1:PORT/", "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:PORT/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/", "http://ｌｏｃａｌｈｏｓｔ:PORT/", "http://loca\u00adlhost:PORT/", "http://local\u200bhost:PORT/",
        "http://[::1]:PORT6/", "http://[0:0:0:0:0:0:0:1]:PORT6/", "http://[0000::0001]:PORT6/", "http://[::]:PORT6/", "http://[::1%25lo]:PORT6/",
        "http://[::1%lo]:PORT6/", "http://[::1%251]:PORT6/", "http://[::1%1]:PORT6/", "http://[::127.0.0.1]:PORT/", "http://[::ffff:127.0.0.1]:PORT/",
        "http://[::ffff:7f00:1]:PORT/", "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/", "http://[::ffff:0:127.0.0.1]:PORT/", "http://[64:ff9b::127.0.0.1]:PORT/",
        "http://[64:ff9b::7f00:1]:PORT/", "http://[64:ff9b:1::127.0.0.1]:PORT/", "http://[2002:7f00:1::]:PORT/", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT/",
        "http://[fe80::1]:PORT6/", "http://[fe80::1%25lo]:PORT6/", "http://[fec0::1]:PORT6/", "http://[fc00::1]:PORT6/", "http://[ff02::1]:PORT6/",
        "http://user@127.0.0.1:PORT/", "http://203.0.113.9@127.0.0.1:PORT/", "http://203.0.113.9:80@127.0.0.1:PORT/", "http://203.0.113.9%2f@127.0.0.1:PORT/",
        "http://203.0.113.9#@127.0.0.1:PORT/../", "http://127.0.0.1:PORT\\@203.0.113.9/", "http://203.0.113.9\\@127.0.0.1:PORT/", "http:\\\\127.0.0.1:PORT\\",
        "http:/127.0.0.1:PORT/", "http:127.0.0.1:PORT/", "http:///127.0.0.1:PORT/", "http:////127.0.0.1:PORT/", "hTTp://127.0.0.1:PORT/", " http://127.0.0.1:PORT/ ",
        "http://127.0.0.1:PORT?x", "http://127.0.0.1:PORT#x", "http://127.0.0.1 :PORT/", "http://127.0.0.1\t:PORT/", "http://12\n7.0.0.1:PORT/",
        "http://127.0.0.1%00.shop.invalid:PORT/", "http://127.0.0.1%0d%0a:PORT/", "http://127.0.0.1%20:PORT/", "http://127.0.0.1,203.0.113.9:PORT/",
        "https://127.0.0.1:PORT/", "https://[::1]:PORT6/", "ftp://127.0.0.1:PORT/", "file://127.0.0.1/etc/passwd", "file:///etc/passwd", "gopher://127.0.0.1:PORT/",
        "dict://127.0.0.1:PORT/", "ws://127.0.0.1:PORT/", "unix:///run/docker.sock", "javascript:alert(1)", "data:image/png;base64,AAAA", "//127.0.0.1:PORT/", "/etc/passwd", "127.0.0.1:PORT",
        "http://169.254.169.254/", "http://169.254.169.254./", "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
        "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/", "http://[::ffff:169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[fd00:ec2::254]/", "http://[fd20:ce::254]/",
        "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://172.31.255.255/",
        "http://100.64.0.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://240.0.0.1/", "http://255.255.255.255/", "http://192.88.99.1/",
        "http://", "http:", "http://.:PORT/", "http://..:PORT/", "http://[]/", "http://:PORT/", "http://@:PORT/", "",
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task No_way_of_writing_an_inner_address_reaches_it(string spelling)
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        await using var origin6 = HostileOrigin.Start(call => call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"), at: new IPEndPoint(IPAddress.IPv6Loopback, 0));
        await using var kit = FetchKit.Closed(options => options.ConnectTimeout = TimeSpan.FromMilliseconds(300));

        // A row's text becomes a Uri, or is no URL at all: then there is nothing to fetch.
        if (Uri.TryCreate(spelling.Replace("PORT6", $"{origin6.Port}", StringComparison.Ordinal).Replace("PORT", $"{origin.Port}", StringComparison.Ordinal), UriKind.RelativeOrAbsolute, out var url))
        {
            var failed = await kit.FailAsync(url);
            Assert.Contains(failed.Error, new[]
            {
                FetchError.AddressForbidden, FetchError.InvalidUrl, FetchError.SchemeForbidden, FetchError.PortForbidden,
                FetchError.NameNotResolved, FetchError.NameLookupFailed,
            });
        }

        Assert.Equal(0, origin.ConnectionCount + origin6.ConnectionCount);
    }

    [Fact]
    public async Task A_name_with_one_inner_address_among_its_answers_is_refused_whole()
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        await using var kit = FetchKit.Open(resolve: _ => [IPAddress.Loopback, IPAddress.Parse("10.0.0.1")]);

        Assert.Equal(FetchError.AddressForbidden, (await kit.FailAsync(new Uri($"http://shop.test:{origin.Port}/"))).Error);
        Assert.Equal(0, origin.ConnectionCount);
    }

    [Fact]
    public async Task A_name_that_changes_its_address_is_judged_at_each_connection_and_asked_once_for_it()
    {
        const string answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nimg";
        await using var open = HostileOrigin.Start(call => call.WriteAsync(answer), at: new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        await using var inner = HostileOrigin.Start(call => call.WriteAsync(answer), at: new IPEndPoint(IPAddress.Loopback, open.Port));
        var questions = 0;
        await using var kit = FetchKit.Closed(
            options => options.AllowNetworks = ["127.0.0.2"],
            _ => [++questions == 1 ? IPAddress.Parse("127.0.0.2") : IPAddress.Loopback]);
        var url = new Uri($"http://rebinds.test:{open.Port}/");

        Assert.Equal("img"u8.ToArray(), await kit.BodyAsync(url));
        Assert.Equal(1, questions);
        Assert.Equal(FetchError.AddressForbidden, (await kit.FailAsync(url)).Error);
        Assert.Equal(0, inner.ConnectionCount);
    }

    [Fact]
    public async Task The_next_address_is_tried_where_the_first_does_not_answer()
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        await using var kit = FetchKit.Closed(
            options => options.AllowNetworks = ["127.0.0.0/8"],
            _ => [IPAddress.Parse("127.0.0.9"), IPAddress.Parse("::ffff:127.0.0.1")]);

        Assert.Equal("img"u8.ToArray(), await kit.BodyAsync(new Uri($"http://shop.test:{origin.Port}/")));
    }

    [Theory]
    [InlineData("169.254.0.0/16", "169.254.169.254", AddressVerdict.Refused)]
    [InlineData("169.254.0.0/16", "169.254.1.1", AddressVerdict.Opened)]
    [InlineData("169.254.169.254", "169.254.169.254", AddressVerdict.Opened)]
    [InlineData("169.254.169.254/32", "169.254.169.254", AddressVerdict.Opened)]
    [InlineData("169.254.169.254/31", "169.254.169.254", AddressVerdict.Refused)]
    [InlineData("0.0.0.0/0", "10.1.2.3", AddressVerdict.Opened)]
    [InlineData("0.0.0.0/0", "169.254.169.254", AddressVerdict.Refused)]
    [InlineData("0.0.0.0/0", "168.63.129.16", AddressVerdict.Refused)]
    [InlineData("0.0.0.0/0", "::ffff:10.1.2.3", AddressVerdict.Opened)]
    [InlineData("0.0.0.0/0", "fd00::1", AddressVerdict.Refused)]
    [InlineData("::/0", "fd00::1", AddressVerdict.Opened)]
    [InlineData("::/0", "fd00:ec2::254", AddressVerdict.Refused)]
    [InlineData("::/0", "64:ff9b::a9fe:a9fe", AddressVerdict.Refused)]
    [InlineData("::/0", "2002:a9fe:a9fe::1", AddressVerdict.Refused)]
    [InlineData("::/0", "10.1.2.3", AddressVerdict.Refused)]
    [InlineData("fd00:ec2::254/128", "fd00:ec2::254", AddressVerdict.Opened)]
    [InlineData("10.0.0.0/8", "9.255.255.255", AddressVerdict.Public)]
    [InlineData("10.0.0.0/8", "10.0.0.0", AddressVerdict.Opened)]
    [InlineData("10.0.0.0/8", "10.255.255.255", AddressVerdict.Opened)]
    [InlineData("10.0.0.0/8", "64:ff9b::10.0.0.1", AddressVerdict.Refused)]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.1", AddressVerdict.Opened)]
    public void An_opened_network_opens_what_it_names_and_metadata_only_by_its_own_name(string network, string address, object verdict)
    {
        var gate = new AddressGate(Microsoft.Extensions.Options.Options.Create(new FetchOptions { AllowNetworks = [network] }));

        Assert.Equal((AddressVerdict)verdict, gate.Judge(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("https://shop.test/hook", null)]
    [InlineData("https://shop.test:8443/hook", null)]
    [InlineData("https://shop.test:6379/hook", FetchError.PortForbidden)]
    [InlineData("https://inner.test/hook", FetchError.AddressForbidden)]
    [InlineData("https://gone.test/hook", FetchError.NameNotResolved)]
    [InlineData("https://127.0.0.1/hook", FetchError.AddressForbidden)]
    [InlineData("ftp://shop.test/hook", FetchError.SchemeForbidden)]
    [InlineData("/hook", FetchError.InvalidUrl)]
    public async Task A_webhooks_url_can_be_judged_before_it_is_called(string url, object? refused)
    {
        await using var kit = FetchKit.Closed(resolve: host => host switch
        {
            "shop.test" => [IPAddress.Parse("8.8.8.8"), IPAddress.Parse("2606:4700::1111")],
            "inner.test" => [IPAddress.Parse("fd12::1")],
            _ => throw new SocketException((int)SocketError.HostNotFound),
        });

        Assert.Equal((FetchError?)refused, await kit.Connect.CheckAsync(new Uri(url, UriKind.RelativeOrAbsolute), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Callers_who_want_a_name_at_the_same_time_share_one_question_and_later_ones_ask_again()
    {
        using var answer = new ManualResetEventSlim();
        var questions = 0;
        using var names = new NameLookup(_ =>
        {
            Interlocked.Increment(ref questions);
            answer.Wait(TestContext.Current.CancellationToken);
            return [IPAddress.Loopback];
        });

        var first = Enumerable.Range(0, 10).Select(_ => names.ResolveAsync("shop.test", TestContext.Current.CancellationToken)).ToArray();
        answer.Set();
        await Task.WhenAll(first);
        Assert.Equal(1, questions);
        await names.ResolveAsync("shop.test", TestContext.Current.CancellationToken);
        Assert.Equal(2, questions);
    }
}
