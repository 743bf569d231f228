using System.Security.Cryptography;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Fetch;

public class ImageFetcherTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(200_000)]
    [InlineData(5_000_000)]
    public async Task A_body_arrives_as_it_was_sent(int bytes)
    {
        var sent = RandomNumberGenerator.GetBytes(bytes);
        await using var origin = await ImageOrigin.StartAsync(TestContext.Current.CancellationToken);
        origin.Serve("/a.jpg", sent);
        await using var kit = FetchKit.Open();

        Assert.Equal(sent, await kit.BodyAsync(origin.Url("/a.jpg")));
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    [Fact]
    public async Task Nothing_but_the_public_internet_is_called_unless_the_operator_opened_it()
    {
        await using var origin = await ImageOrigin.StartAsync(TestContext.Current.CancellationToken);
        await using var kit = FetchKit.Closed();

        var failed = await kit.FailAsync(origin.Url("/a.jpg"));

        Assert.Equal(FetchError.AddressForbidden, failed.Error);
        Assert.False(failed.Retryable);
        Assert.Equal(0, origin.RequestCount);
    }

    [Fact]
    public async Task Waiting_for_memory_does_not_count_against_the_origin()
    {
        var time = new ManualTimeProvider();
        await using var origin = ImageOriginOf(new byte[1 << 20], await ImageOrigin.StartAsync(TestContext.Current.CancellationToken));
        await using var kit = FetchKit.Open(options => (options.MaxBytes, options.BudgetBytes) = (1 << 20, 4 << 20), time: time);
        var held = await kit.Budget.RentAsync(1 << 20, TestContext.Current.CancellationToken);

        var timers = time.RunningTimers;
        var fetching = kit.Fetcher.FetchAsync(origin.Url("/a.jpg"), TestContext.Current.CancellationToken);
        // It waits, and has stopped the clock of the attempt; what is left is the timer that tells when the host is slow.
        await Eventually.TrueAsync(() => kit.Budget.WaitingCount == 1 && time.RunningTimers == timers + 1);
        time.Advance(TimeSpan.FromMinutes(10));
        held.Dispose();

        Assert.IsType<FetchResult.Fetched>(await fetching).Body.Dispose();
    }

    [Fact]
    public async Task Waiting_for_the_hosts_turn_does_not_count_and_gives_the_worker_slot_to_another_image()
    {
        var time = new ManualTimeProvider();
        await using var origin = ImageOriginOf([1], await ImageOrigin.StartAsync(TestContext.Current.CancellationToken));
        await using var kit = FetchKit.Open(options => options.MinPerHost = 1, time: time);
        var slot = new OneSlot();
        Assert.True(kit.Hosts.TryEnter($"127.0.0.1:{origin.Address.Port}", out var busy));

        var fetching = kit.Fetcher.FetchAsync(origin.Url("/a.jpg"), null, slot, TestContext.Current.CancellationToken);
        Assert.True(slot.IsHeld);
        time.Advance(new FetchOptions().HoldPlace);
        await Eventually.TrueAsync(() => !slot.IsHeld);
        time.Advance(TimeSpan.FromMinutes(10));
        busy.Lease!.Dispose();

        Assert.IsType<FetchResult.Fetched>(await fetching).Body.Dispose();
        Assert.True(slot.IsHeld);
    }

    [Theory]
    [InlineData("http://\u0644\u0647a.example/a.jpg")]
    [InlineData("http://xn--bcher-kv\ufffd\ufffd/")]
    [InlineData("http://\u202e.example/")]
    public async Task A_host_that_no_name_server_could_be_asked_for_is_no_url(string url)
    {
        await using var kit = FetchKit.Open();

        Assert.Equal((FetchError.InvalidUrl, false), await kit.FailAsync(new Uri(url)) is { } failed ? (failed.Error, failed.Retryable) : default);
    }

    [Fact]
    public async Task A_host_that_takes_its_time_gives_the_worker_slot_to_another_image()
    {
        var time = new ManualTimeProvider();
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = HostileOrigin.Start(async call =>
        {
            await answer.Task;
            await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg");
        });
        await using var kit = FetchKit.Open(time: time);
        var slot = new OneSlot();

        var fetching = kit.Fetcher.FetchAsync(origin.Url(), null, slot, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => origin.Heads.Count == 1);
        Assert.True(slot.IsHeld);
        time.Advance(new FetchOptions().HoldPlace);
        await Eventually.TrueAsync(() => !slot.IsHeld);
        answer.SetResult();

        Assert.IsType<FetchResult.Fetched>(await fetching).Body.Dispose();
        Assert.True(slot.IsHeld);
    }

    [Fact]
    public async Task A_host_is_not_asked_for_more_at_once_than_it_has_shown_to_bear()
    {
        var token = TestContext.Current.CancellationToken;
        await using var origin = await ImageOrigin.StartAsync(token);
        using var gate = new SemaphoreSlim(0);
        origin.Serve("/a.jpg", async context =>
        {
            await gate.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(new byte[1], context.RequestAborted);
        });
        await using var kit = FetchKit.Open();

        var fetching = Enumerable.Range(0, 100).Select(_ => kit.BodyAsync(origin.Url("/a.jpg"))).ToArray();
        await Eventually.TrueAsync(() => origin.MostAtOnce == 4);
        gate.Release(4);
        await Eventually.TrueAsync(() => origin.MostAtOnce == 8);
        gate.Release(96);
        await Task.WhenAll(fetching);

        Assert.InRange(origin.MostAtOnce, 8, 64);
    }

    [Fact]
    public async Task Ten_thousand_rows_of_a_dead_host_end_in_seconds_and_hardly_call_it()
    {
        var questions = 0;
        await using var kit = FetchKit.Open(options => options.OutageGrace = TimeSpan.Zero, _ =>
        {
            Interlocked.Increment(ref questions);
            throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound);
        });
        var url = new Uri("http://dead.test/a.jpg");

        var failures = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => kit.FailAsync(url)))
            .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.InRange(failures.Count(failed => failed is { Error: FetchError.HostUnavailable, Retryable: false }), 9_900, 10_000);
        Assert.InRange(questions, 1, 100);
    }

    [Fact]
    public async Task A_host_that_answers_badly_is_still_asked_for_every_row()
    {
        await using var origin = HostileOrigin.Start("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using var kit = FetchKit.Open();

        var failures = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => kit.FailAsync(origin.Url())));

        Assert.All(failures, failed => Assert.Equal(503, failed.HttpStatus));
    }

    [Fact]
    public async Task Good_images_come_through_beside_sixty_origins_that_misbehave()
    {
        await using var good = ImageOriginOf(new byte[200_000], await ImageOrigin.StartAsync(TestContext.Current.CancellationToken));
        var endless = new byte[64 << 10];
        await using var bad = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync();
            await call.RepeatAsync(endless);
        });
        await using var stalled = HostileOrigin.Start(async call =>
        {
            await call.WriteOkAsync("Content-Length: 60000000\r\n");
            await call.StallAsync();
        });
        await using var kit = FetchKit.Open(options =>
        {
            (options.MaxBytes, options.BudgetBytes) = (8 << 20, 32 << 20);
            (options.SpeedGrace, options.SpeedWindow) = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
            options.MinPerHost = 30;
        });

        var hostile = Enumerable.Range(0, 60).Select(number => kit.FailAsync((number % 2 == 0 ? bad : stalled).Url())).ToArray();
        for (var image = 0; image < 200; image++)
        {
            Assert.Equal(200_000, (await kit.BodyAsync(good.Url("/a.jpg"))).Length);
        }

        Assert.All(await Task.WhenAll(hostile), failed => Assert.Contains(failed.Error, new[] { FetchError.TooLarge, FetchError.TooSlow }));
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    private static ImageOrigin ImageOriginOf(byte[] body, ImageOrigin origin) => origin.Serve("/a.jpg", body);

    private sealed class OneSlot : IWorkSlot
    {
        public bool IsHeld { get; private set; } = true;

        public void GiveBack() => IsHeld = false;

        public ValueTask TakeAgainAsync(CancellationToken cancellationToken)
        {
            IsHeld = true;
            return ValueTask.CompletedTask;
        }
    }
}
