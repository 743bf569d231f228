using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Halftone.Fetch;
using Halftone.Model;

namespace Halftone.Tests.Fetch;

/// <summary>Each way in which an origin may misbehave ends with its own code, in time and within the memory allowed.</summary>
public class HostileOriginTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    private static readonly byte[] Chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string('x', 0x10000)}\r\n");

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", FetchError.BodyCut, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this", FetchError.BodyCut, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\nabc\r\n0\r\n\r\n", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\nabc", FetchError.TooLarge, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\nabc", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FetchError.EmptyBody, false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", FetchError.EmptyBody, false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", FetchError.EmptyBody, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 9\r\n\r\nnot br!!!", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 3\r\n\r\nabc", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc", FetchError.BadResponse, false)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 secret banner\r\n", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 20x OK\r\n\r\n", FetchError.BadResponse, false)]
    [InlineData("HTTP/1.1 200 OK\r\nno colon secret here\r\n\r\n", FetchError.BadResponse, false)]
    [InlineData("", FetchError.ConnectionReset, true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", FetchError.ConnectionReset, true)]
    public async Task A_broken_answer_has_its_own_code_and_is_not_quoted(string answer, object error, bool retryable)
    {
        await using var origin = HostileOrigin.Start(answer);
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(origin.Url());

        Assert.Equal((FetchError)error, failed.Error);
        Assert.Equal(retryable, failed.Retryable);
        Assert.DoesNotContain("secret", failed.Detail, StringComparison.Ordinal);
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    [Fact]
    public async Task More_bytes_than_stated_are_not_read_and_not_taken_for_the_next_answer()
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        await using var kit = FetchKit.Open();

        Assert.Equal("abc"u8.ToArray(), await kit.BodyAsync(origin.Url()));
        Assert.Equal("abc"u8.ToArray(), await kit.BodyAsync(origin.Url()));
    }

    [Fact]
    public async Task Chunks_count_and_not_a_length_that_is_stated_beside_them()
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n");
        await using var kit = FetchKit.Open();

        Assert.Equal("abcdef"u8.ToArray(), await kit.BodyAsync(origin.Url()));
    }

    [Fact]
    public async Task A_reset_before_the_headers_can_be_retried()
    {
        await using var origin = HostileOrigin.Start(call =>
        {
            call.Reset();
            return Task.CompletedTask;
        });
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.ConnectionReset, (await kit.FailAsync(origin.Url())).Error);
    }

    [Fact]
    public async Task A_host_that_hangs_up_is_asked_once_an_attempt_on_a_new_connection_and_on_a_used_one()
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            if (call.Path == "/good")
            {
                // The next request comes over the same connection, and gets no answer either.
                await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
                await call.ReadAsync();
            }
        });
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.ConnectionReset, (await kit.FailAsync(origin.Url("/new"))).Error);
        Assert.Equal(1, origin.ConnectionCount);
        Assert.Equal("img"u8.ToArray(), await kit.BodyAsync(origin.Url("/good")));
        Assert.Equal(FetchError.ConnectionReset, (await kit.FailAsync(origin.Url("/used"))).Error);
        Assert.Equal(2, origin.ConnectionCount);
    }

    [Fact]
    public async Task A_reset_within_the_body_can_be_retried()
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync("Content-Length: 100000\r\n");
            await call.WriteAsync("some");
            call.Reset();
        });
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(origin.Url());

        // The reset may overtake the headers on its way.
        Assert.Contains(failed.Error, new[] { FetchError.BodyCut, FetchError.ConnectionReset });
        Assert.True(failed.Retryable);
    }

    [Theory]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(206)]
    [InlineData(300)]
    [InlineData(304)]
    [InlineData(305)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(501)]
    public async Task A_status_that_will_stay_is_not_retried(int status)
    {
        await using var origin = HostileOrigin.Start($"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(origin.Url());

        Assert.False(failed.Retryable);
        Assert.Equal(status == 201 ? (FetchError.EmptyBody, null) : (FetchError.HttpStatus, status), (failed.Error, failed.HttpStatus));
    }

    [Theory]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(522)]
    public async Task A_status_that_may_pass_is_retried_when_the_host_says(int status)
    {
        await using var origin = HostileOrigin.Start($"HTTP/1.1 {status} So\r\nRetry-After: 7\r\nContent-Length: 6\r\n\r\nsecret");
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(origin.Url());

        Assert.Equal((FetchError.HttpStatus, true, status, TimeSpan.FromSeconds(7)), (failed.Error, failed.Retryable, failed.HttpStatus, failed.RetryAfter));
        Assert.DoesNotContain("secret", failed.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("59", 59)]
    [InlineData("61", 60)]
    [InlineData("2147483647", 60)]
    [InlineData("Thu, 01 Jan 2026 00:00:30 GMT", 30)]
    [InlineData("Thu, 01 Jan 2026 05:00:00 GMT", 60)]
    [InlineData("Wed, 31 Dec 2025 00:00:00 GMT", 0)]
    [InlineData("soon", null)]
    [InlineData("-5", null)]
    public async Task Retry_After_is_read_as_seconds_or_date_and_obeyed_for_a_minute_at_most(string retryAfter, int? seconds)
    {
        await using var origin = HostileOrigin.Start($"HTTP/1.1 503 Busy\r\nRetry-After: {retryAfter}\r\nContent-Length: 0\r\n\r\n");
        await using var kit = FetchKit.Open(time: new ManualTimeProvider());

        Assert.Equal(seconds, (int?)(await kit.FailAsync(origin.Url())).RetryAfter?.TotalSeconds);
    }

    [Fact]
    public async Task Headers_that_never_come_end_with_the_time_for_one_attempt()
    {
        await using var origin = HostileOrigin.Start(call => call.StallAsync());
        await using var kit = FetchKit.Open(Quick);

        Assert.Equal(FetchError.HeadersTimedOut, (await kit.FailAsync(origin.Url())).Error);
    }

    [Fact]
    public async Task Headers_that_trickle_in_end_with_the_time_for_one_attempt()
    {
        await using var origin = HostileOrigin.Start(call => call.TrickleAsync("HTTP/1.1 200 OK\r\nX-Slow: " + new string('a', 1 << 20), Moment));
        await using var kit = FetchKit.Open(Quick);

        Assert.Equal(FetchError.HeadersTimedOut, (await kit.FailAsync(origin.Url())).Error);
    }

    [Fact]
    public async Task A_body_that_trickles_in_ends_as_too_slow_before_its_time_is_up()
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync("Content-Length: 1000000\r\n");
            await call.TrickleAsync(new string('a', 1_000_000), Moment);
        });
        await using var kit = FetchKit.Open(options =>
        {
            options.SpeedGrace = 5 * Moment;
            options.SpeedWindow = 10 * Moment;
        });

        var failed = await kit.FailAsync(origin.Url());

        Assert.Equal((FetchError.TooSlow, true), (failed.Error, failed.Retryable));
    }

    [Fact]
    public async Task A_body_that_stalls_ends_as_too_slow()
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync("Content-Length: 1000000\r\n");
            await call.WriteAsync("a beginning");
            await call.StallAsync();
        });
        await using var kit = FetchKit.Open(options =>
        {
            options.SpeedGrace = Moment;
            options.SpeedWindow = Moment;
        });

        Assert.Equal(FetchError.TooSlow, (await kit.FailAsync(origin.Url())).Error);
    }

    [Fact]
    public async Task A_body_fast_enough_but_never_done_ends_with_the_time_for_one_attempt()
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync();
            await call.TrickleAsync(new string('a', 1_000_000), Moment);
        });
        await using var kit = FetchKit.Open(options =>
        {
            Quick(options);
            options.MinBytesPerSecond = 0;
        });

        Assert.Equal(FetchError.BodyTimedOut, (await kit.FailAsync(origin.Url())).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    public async Task An_endless_body_is_left_at_the_limit(string headers)
    {
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync(headers);
            await call.RepeatAsync(Chunk);
        });
        await using var kit = FetchKit.Open(options => options.MaxBytes = 3_000_000);

        Assert.Equal(FetchError.TooLarge, (await kit.FailAsync(origin.Url())).Error);
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    [Fact]
    public async Task Endless_headers_are_left_at_the_limit()
    {
        var sent = 0;
        var line = Encoding.ASCII.GetBytes($"X-Header: {new string('a', 1000)}\r\n");
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteAsync("HTTP/1.1 200 OK\r\n");
            while (!call.Stopped.IsCancellationRequested)
            {
                await call.WriteAsync(line);
                sent += line.Length;
            }
        });
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.BadResponse, (await kit.FailAsync(origin.Url())).Error);
        // What was not taken stands in the buffers of the two sockets.
        Assert.InRange(sent, 32 << 10, 16 << 20);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task A_coding_whose_window_is_memory_that_nobody_counts_is_neither_asked_for_nor_undone(string coding)
    {
        await using var origin = HostileOrigin.Start($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 3\r\n\r\nabc");
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.BadResponse, (await kit.FailAsync(origin.Url())).Error);
        Assert.Contains("Accept-Encoding: gzip, deflate\r\n", Assert.Single(origin.Heads));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_decompression_bomb_is_left_at_the_limit(string coding)
    {
        var bomb = Compress(coding, new byte[200 << 20]);
        Assert.True(bomb.Length < 1 << 20);
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync($"Content-Encoding: {coding}\r\nContent-Length: {bomb.Length}\r\n");
            await call.WriteAsync(bomb);
        });
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.TooLarge, (await kit.FailAsync(origin.Url())).Error);
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_compressed_body_is_unpacked_and_a_cut_one_is_never_taken_for_whole(string coding)
    {
        var packed = Compress(coding, Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 50_000))));
        await using var origin = HostileOrigin.Start(async call =>
        {
            var sent = call.Path == "/cut" ? packed[..(packed.Length / 2)] : packed;
            await call.WriteOkAsync($"Content-Encoding: {coding}\r\nContent-Length: {sent.Length}\r\n");
            await call.WriteAsync(sent);
        });
        await using var kit = FetchKit.Open();

        Assert.EndsWith(" 49999", Encoding.ASCII.GetString(await kit.BodyAsync(origin.Url("/whole"))), StringComparison.Ordinal);
        Assert.Equal(FetchError.BadResponse, (await kit.FailAsync(origin.Url("/cut"))).Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(int more)
    {
        var body = new byte[(1 << 20) + more];
        await using var origin = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync(call.Path == "/stated" ? $"Content-Length: {body.Length}\r\n" : "");
            await call.WriteAsync(body);
        });
        await using var kit = FetchKit.Open(options => options.MaxBytes = 1 << 20);

        foreach (var path in new[] { "/stated", "/unstated" })
        {
            if (more > 0)
            {
                Assert.Equal(FetchError.TooLarge, (await kit.FailAsync(origin.Url(path))).Error);
            }
            else
            {
                Assert.Equal(body, await kit.BodyAsync(origin.Url(path)));
            }
        }
    }

    [Fact]
    public async Task A_refused_connection_can_be_retried()
    {
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(new Uri($"http://127.0.0.1:{HostileOrigin.ClosedPort()}/"));

        Assert.Equal((FetchError.ConnectRefused, true), (failed.Error, failed.Retryable));
    }

    [Fact]
    public async Task A_host_that_lets_connections_wait_ends_with_the_time_to_connect()
    {
        // A full backlog: the kernel drops further SYNs, as a black hole would.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var endPoint = (IPEndPoint)full.LocalEndPoint!;
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(endPoint, TestContext.Current.CancellationToken);
        await using var kit = FetchKit.Open(options => options.ConnectTimeout = TimeSpan.FromMilliseconds(200));

        var failed = await kit.FailAsync(new Uri($"http://127.0.0.1:{endPoint.Port}/"));

        Assert.Equal((FetchError.ConnectTimedOut, true), (failed.Error, failed.Retryable));
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_not_retried()
    {
        await using var kit = FetchKit.Open(resolve: _ => throw new SocketException((int)SocketError.HostNotFound));

        var failed = await kit.FailAsync(new Uri("http://no-such-shop.invalid/a.jpg"));

        Assert.Equal((FetchError.NameNotResolved, false), (failed.Error, failed.Retryable));
    }

    [Fact]
    public async Task A_name_under_invalid_fails_at_the_name_with_the_real_resolver()
    {
        await using var kit = FetchKit.Open(options => options.ConnectTimeout = TimeSpan.FromSeconds(2));

        var failed = await kit.FailAsync(new Uri("http://no-such-shop.invalid/a.jpg"));

        // Without any name server at hand the resolver cannot know that the name does not exist.
        Assert.Contains(failed.Error, new[] { FetchError.NameNotResolved, FetchError.NameLookupFailed });
    }

    [Fact]
    public async Task A_resolver_that_hangs_ends_with_the_time_to_connect()
    {
        using var hang = new ManualResetEventSlim();
        await using var kit = FetchKit.Open(options => options.ConnectTimeout = TimeSpan.FromMilliseconds(100), _ =>
        {
            hang.Wait(TestContext.Current.CancellationToken);
            return [];
        });

        var failed = await kit.FailAsync(new Uri("http://shop.test/a.jpg"));

        Assert.Equal((FetchError.NameLookupFailed, true), (failed.Error, failed.Retryable));
        hang.Set();
    }

    [Fact]
    public async Task Stopping_the_caller_stops_the_attempt_as_a_cancellation()
    {
        using var stop = new CancellationTokenSource();
        await using var origin = HostileOrigin.Start(async call =>
        {
            await stop.CancelAsync();
            await call.StallAsync();
        });
        await using var kit = FetchKit.Open();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => kit.Fetcher.FetchAsync(origin.Url(), stop.Token));
    }

    private static void Quick(FetchOptions options)
    {
        options.AttemptTimeout = TimeSpan.FromSeconds(1);
        options.ConnectTimeout = TimeSpan.FromSeconds(1);
    }

    private static byte[] Compress(string coding, byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (Stream packer = coding == "gzip" ? new GZipStream(packed, CompressionLevel.Optimal) : new ZLibStream(packed, CompressionLevel.Optimal))
        {
            packer.Write(bytes);
        }

        return packed.ToArray();
    }
}
