using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Fetch;

/// <summary>
/// The guard with nothing opened, in a network of its own (a Linux network namespace) where private, metadata and public
/// addresses all answer and the system's resolver asks a name server of ours. Each test starts itself again in there.
/// </summary>
public class InnerNetworkTests
{
    private const string InsideVariable = "HALFTONE_TEST_INNER_NETWORK";
    private const string Secret = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";

    private static readonly IPAddress Public = IPAddress.Parse("93.184.216.34");
    private static readonly IPAddress PublicIPv6 = IPAddress.Parse("2606:4700::1111");

    private static readonly string[] InnerIPv4 =
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.1.1",
        "169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1",
    ];

    private static readonly string[] InnerIPv6 =
    [
        "::1", "fd00:ec2::254", "fd20:ce::254", "fc00::1", "fd12:3456::1", "fec0::1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "2001:db8::1", "2001:2::1", "100::1", "5f00::1", "3fff::1",
    ];

    [Fact]
    public Task No_url_of_many_reaches_an_inner_address() => InsideAsync(nameof(No_url_of_many_reaches_an_inner_address), async () =>
    {
        await using var names = NameServer.Start(new IPEndPoint(IPAddress.Loopback, 53), (name, _) => AddressesIn(name));
        await using var http = HostileOrigin.Start(AnswerAsync, at: new IPEndPoint(IPAddress.IPv6Any, 80));
        await using var https = HostileOrigin.Start(AnswerAsync, at: new IPEndPoint(IPAddress.IPv6Any, 443));
        await using var other = HostileOrigin.Start(AnswerAsync, at: new IPEndPoint(IPAddress.IPv6Any, 8080));
        await EachAnswersAsync(http);
        var before = http.ConnectionCount;
        await using var kit = FetchKit.Closed(options => options.BreakerThreshold = 1000);
        using var webhooks = new HttpMessageInvoker(kit.Http.CreateHandler());

        var urls = InnerIPv4.SelectMany(address => SpellingsOf(IPAddress.Parse(address))).Concat(InnerIPv6.SelectMany(SpellingsOf)).Concat(["http://0/", "http://0.0.0.0/", "http://[::]/", "http://localhost/"])
            .SelectMany(url => new[] { url, url.Replace("http://", "https://", StringComparison.Ordinal), At8080(url) })
            .SelectMany(url => new[] { url, $"http://{Public}/to?{Uri.EscapeDataString(url)}" })
            .Distinct().ToArray();
        var got = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(urls, TestContext.Current.CancellationToken, async (text, token) =>
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            {
                return;
            }

            // A redirect to http:10.0.0.1/ is a relative one and stays outside (RFC 3986 section 5.2.2).
            var result = await kit.Fetcher.FetchAsync(url, token);
            var body = result is FetchResult.Fetched fetched ? Encoding.ASCII.GetString(fetched.Body.Bytes.Span) : "";
            (result as FetchResult.Fetched)?.Body.Dispose();
            if (result is FetchResult.Failed { HttpStatus: not null } || $"{body}{(result as FetchResult.Failed)?.Detail}".Contains("secret", StringComparison.Ordinal))
            {
                got.Add($"{text}: {result}");
            }

            if (FetchTarget.Refuse(url) is null && !text.Contains("/to?", StringComparison.Ordinal))
            {
                using var call = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent("{}") };
                await Assert.ThrowsAsync<HttpRequestException>(() => webhooks.SendAsync(call, token));
            }
        });

        Assert.Empty(got);
        var inner = http.CalledAddresses.Skip(before).Concat(https.CalledAddresses).Concat(other.CalledAddresses).Where(address => !address.Equals(Public) && !address.Equals(PublicIPv6)).ToArray();
        Assert.Empty(inner);
        Assert.InRange(http.CalledAddresses.Skip(before).Count(), 500, int.MaxValue);
        Assert.InRange(urls.Length, 1500, int.MaxValue);
        TestContext.Current.TestOutputHelper!.WriteLine($"inner connections: {inner.Length} of {urls.Length} URLs");
    });

    [Fact]
    public Task A_name_that_turns_inward_between_two_answers_is_not_followed() => InsideAsync(nameof(A_name_that_turns_inward_between_two_answers_is_not_followed), async () =>
    {
        // "turn" leads outside the first time and inside from then on; "sway" changes with every question.
        await using var names = NameServer.Start(new IPEndPoint(IPAddress.Loopback, 53), (name, time) => name switch
        {
            _ when name.StartsWith("turn", StringComparison.Ordinal) => [time == 1 ? Public : IPAddress.Parse("10.0.0.1")],
            _ when name.StartsWith("sway", StringComparison.Ordinal) => [time % 2 == 1 ? Public : IPAddress.Parse("169.254.169.254")],
            _ => null,
        });
        await using var http = HostileOrigin.Start(AnswerAsync, at: new IPEndPoint(IPAddress.IPv6Any, 80));
        await using var kit = FetchKit.Closed();

        for (var number = 0; number < 50; number++)
        {
            var url = new Uri($"http://turn{number}.test/");
            Assert.Equal("public"u8.ToArray(), await kit.BodyAsync(url));
            Assert.Equal(FetchError.AddressForbidden, (await kit.FailAsync(url)).Error);
        }

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(number => kit.Fetcher.FetchAsync(new Uri($"http://sway{number % 7}.test/"), TestContext.Current.CancellationToken)));
        foreach (var result in results)
        {
            if (result is FetchResult.Fetched fetched)
            {
                Assert.Equal("public"u8.ToArray(), fetched.Body.Bytes.ToArray());
                fetched.Body.Dispose();
            }
            else
            {
                Assert.Equal(FetchError.AddressForbidden, Assert.IsType<FetchResult.Failed>(result).Error);
            }
        }

        Assert.All(http.CalledAddresses, address => Assert.Equal(Public, address));
    });

    [Fact]
    public Task A_name_nobody_knows_and_a_name_server_that_is_silent_have_their_own_codes() => InsideAsync(nameof(A_name_nobody_knows_and_a_name_server_that_is_silent_have_their_own_codes), async () =>
    {
        await using var kit = FetchKit.Closed(options => options.ConnectTimeout = TimeSpan.FromSeconds(20));
        await using (NameServer.Start(new IPEndPoint(IPAddress.Loopback, 53), (_, _) => null))
        {
            Assert.Equal(FetchError.NameNotResolved, (await kit.FailAsync(new Uri("http://nobody.test/"))).Error);
        }

        var silent = await kit.FailAsync(new Uri("http://somebody.test/"));
        Assert.Equal((FetchError.NameLookupFailed, true), (silent.Error, silent.Retryable));
    });

    /// <summary>Runs the test's body where the inner network is, which is here the second time round.</summary>
    private static async Task InsideAsync(string test, Func<Task> body)
    {
        if (Environment.GetEnvironmentVariable(InsideVariable) is not null)
        {
            await body();
            return;
        }

        var resolver = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(resolver, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", TestContext.Current.CancellationToken);
            var (exitCode, output) = await StartInsideAsync(test, resolver);
            Assert.SkipWhen(exitCode == 97, $"needs the right to make a network namespace, and ip (Debian package iproute2): {output}");
            TestContext.Current.TestOutputHelper!.WriteLine(output);
            Assert.True(exitCode == 0, output);
            Assert.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0, Not Run: 0", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(resolver);
        }
    }

    private static async Task<(int ExitCode, string Output)> StartInsideAsync(string test, string resolver)
    {
        var addresses = InnerIPv4.Where(address => !address.StartsWith("127.", StringComparison.Ordinal)).Append(Public.ToString()).Select(address => $"{address}/32")
            .Concat(InnerIPv6.Skip(1).Append(PublicIPv6.ToString()).Select(address => $"{address}/128"));
        var setUp = string.Join(" && ", addresses.Select(address => $"ip address add {address} dev lo").Prepend("ip link set lo up").Append($"mount --bind {resolver} /etc/resolv.conf"));
        var start = new ProcessStartInfo("unshare") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["--user", "--map-root-user", "--net", "--mount", "sh", "-c", $"{{ {setUp}; }} || exit 97; exec \"$0\" \"$@\"", Environment.ProcessPath!, "-noLogo", "-noColor", "-showLiveOutput", "-method", $"{typeof(InnerNetworkTests).FullName}.{test}"];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("TESTINGPLATFORM", StringComparison.Ordinal) || name.StartsWith("XUNIT", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment[InsideVariable] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>A secret from an inner address; from the public one a picture, or a redirect to what the query names.</summary>
    private static Task AnswerAsync(HostileCall call)
    {
        var called = call.Address.IsIPv4MappedToIPv6 ? call.Address.MapToIPv4() : call.Address;
        if (!called.Equals(Public) && !called.Equals(PublicIPv6))
        {
            return call.WriteAsync(Secret);
        }

        return call.WriteAsync(call.Path.StartsWith("/to?", StringComparison.Ordinal)
            ? $"HTTP/1.1 302 Go\r\nLocation: {Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(call.Path[4..])))}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npublic");
    }

    /// <summary>That nothing was reached means something only where everything can be.</summary>
    private static async Task EachAnswersAsync(HostileOrigin http)
    {
        foreach (var address in InnerIPv4.Concat(InnerIPv6).Select(IPAddress.Parse).Append(Public).Append(PublicIPv6))
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(address, 80), TestContext.Current.CancellationToken);
            await socket.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            var buffer = new byte[1024];
            Assert.True(await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) > 0);
            await Eventually.TrueAsync(() => http.CalledAddresses.Contains(address));
        }
    }

    /// <summary>Names that say what they lead to: a-0a000001 is 10.0.0.1, m- the same as IPv4-mapped IPv6, n- with NAT64, b- beside a public one.</summary>
    private static IPAddress[]? AddressesIn(string name)
    {
        var parts = name.Split('.')[0].Split('-');
        if (parts.Length != 2 || name.Split('.') is not [_, "test"])
        {
            return null;
        }

        var address = new IPAddress(Convert.FromHexString(parts[1]));
        return parts[0] switch
        {
            "a" => [address],
            "m" => [address.MapToIPv6()],
            "n" => [IPAddress.Parse($"64:ff9b::{address}")],
            "b" => [Public, address],
            "c" => [address, Public],
            "d" => [PublicIPv6, address],
            _ => null,
        };
    }

    private static IEnumerable<string> SpellingsOf(IPAddress address)
    {
        var octets = address.GetAddressBytes();
        var number = ((uint)octets[0] << 24) | ((uint)octets[1] << 16) | ((uint)octets[2] << 8) | octets[3];
        var hex = number.ToString("x8", CultureInfo.InvariantCulture);
        var octal = octets.Select(octet => "0" + Convert.ToString(octet, 8)).ToArray();
        var pairs = $"{hex[..4]}:{hex[4..]}";
        string[] hosts =
        [
            $"{address}", $"{address}.", $"{number}", $"{number}.", $"0x{hex}", $"0X{hex.ToUpperInvariant()}", $"0{Convert.ToString(number, 8)}",
            string.Join('.', octets.Select(octet => $"0x{octet:x}")), string.Join('.', octal), $"{octal[0]}.{octets[1]}.0x{octets[2]:x}.{octets[3]}",
            string.Join('.', octets.Select(octet => $"{octet:d3}")), $"{octets[0]}.{octets[1]}.{(octets[2] << 8) | octets[3]}", $"{octets[0]}.{number & 0xffffff}", $"{octets[0]}.0x{number & 0xffffff:x}",
            Digits(address, '①', '⓪'), Digits(address, '１', '０'), $"{address}".Replace('.', '。'), $"{address}".Replace('.', '．'), $"{address}".Replace('.', '｡'),
            $"user@{address}", $"{Public}@{address}", $"{Public}:80@{address}", $"{Public}%2f@{address}", $"a%00@{address}",
            $"[::ffff:{address}]", $"[::ffff:{pairs}]", $"[0:0:0:0:0:FFFF:{pairs}]", $"[::ffff:0:{address}]", $"[::{address}]", $"[64:ff9b::{address}]", $"[64:ff9b:1::{address}]",
            $"[2002:{pairs}::1]", $"[2001:0:4136:e378:8000:63bf:{~number >> 16:x}:{~number & 0xffff:x}]", $"[fe80::5efe:{address}]", $"[::ffff:{address}%25lo]",
            $"a-{hex}.test", $"A-{hex.ToUpperInvariant()}.TEST", $"a-{hex}.test.", $"m-{hex}.test", $"n-{hex}.test", $"b-{hex}.test", $"c-{hex}.test", $"d-{hex}.test", $"ａ-{hex}.test",
        ];
        return hosts.Select(host => $"http://{host}/latest/meta-data/").Append($"http:\\\\{address}\\").Append($"HTTP://{address}").Append($"http:{address}/").Append($"http:///{address}/");
    }

    private static IEnumerable<string> SpellingsOf(string address)
    {
        var bytes = IPAddress.Parse(address).GetAddressBytes();
        var groups = Convert.ToHexString(bytes).Chunk(4).Select(group => new string(group)).ToArray();
        string[] hosts = [$"[{address}]", $"[{string.Join(':', groups)}]", $"[{string.Join(':', groups.Take(6))}:{bytes[12]}.{bytes[13]}.{bytes[14]}.{bytes[15]}]", $"[{address}%25lo]", $"[{address}%251]", $"user@[{address}]", $"a-{Convert.ToHexStringLower(bytes)}.test", $"b-{Convert.ToHexStringLower(bytes)}.test"];
        return hosts.Select(host => $"http://{host}/");
    }

    private static string Digits(IPAddress address, char one, char zero) =>
        string.Concat(address.ToString().Select(letter => letter is >= '1' and <= '9' ? (char)(one + letter - '1') : letter == '0' ? zero : letter));

    private static string At8080(string url)
    {
        var slash = url.IndexOfAny(['/', '\\'], "http://".Length);
        return slash < 0 ? url + ":8080" : url.Insert(slash, ":8080");
    }
}
