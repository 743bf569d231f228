using System.Runtime.InteropServices;
using Halftone.Codec;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Compress;

public sealed class CodecPoolTests
{
    // As AVIF it takes seconds: long enough to be caught at work.
    private static readonly Lazy<byte[]> Slow = new(() => PngFile.Noise(1500, 1500));
    private static readonly byte[] Quick = PngFile.Noise(40, 30);

    [Fact]
    public async Task An_image_goes_through_a_child_and_comes_back_smaller()
    {
        await using var harness = await PoolHarness.StartAsync(options => options.Children = 2);

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => harness.CompressAsync(Quick)));

        Assert.All(results, result =>
        {
            var output = Assert.IsType<CodecResult.Compressed>(result);
            Assert.Equal((ImageFormat.Png, 40, 30), (output.Format, output.WidthPixels, output.HeightPixels));
            Assert.InRange(output.Body.Length, 1, Quick.Length - 1);
        });
        Assert.Equal((2, 0), (harness.Pool.Children.Count, harness.Pool.Restarts));
    }

    [Fact]
    public async Task The_effort_of_the_settings_and_the_way_of_an_output_pass_through_the_pipes()
    {
        await using var quick = await PoolHarness.StartAsync(options => options.WebpEffort = 0);
        await using var thorough = await PoolHarness.StartAsync(options => options.WebpEffort = 6);

        var outputs = await Task.WhenAll(
            quick.CompressAsync(Quick, ImageFormat.Webp), thorough.CompressAsync(Quick, ImageFormat.Webp), quick.CompressAsync(Quick));

        var (large, small, png) =
            ((CodecResult.Compressed)outputs[0], (CodecResult.Compressed)outputs[1], (CodecResult.Compressed)outputs[2]);
        Assert.NotEqual(large.Body.Length, small.Body.Length);
        Assert.Equal((CodecWay.LibVips, CodecWay.LibVips, CodecWay.Palette), (large.Way, small.Way, png.Way));
    }

    [Fact]
    public async Task The_style_of_the_settings_reaches_the_children()
    {
        await using var optimised = await PoolHarness.StartAsync();
        await using var classic = await PoolHarness.StartAsync(options => options.Jpeg = JpegStyle.Classic);
        var photo = Picture.Sample("mug-front.jpg");

        var outputs = await Task.WhenAll(optimised.CompressAsync(photo), classic.CompressAsync(photo));

        Assert.InRange(((CodecResult.Compressed)outputs[0]).Body.Length, 1, ((CodecResult.Compressed)outputs[1]).Body.Length - 1);
    }

    [Fact]
    public async Task A_child_shrinks_to_the_size_that_was_asked_for()
    {
        await using var harness = await PoolHarness.StartAsync();

        var result = await harness.Pool.CompressAsync(Quick, new CodecRequest { MaxHeight = 15 }, TestContext.Current.CancellationToken);

        var output = Assert.IsType<CodecResult.Compressed>(result);
        Assert.Equal((ImageFormat.Png, 20, 15, false), (output.Format, output.WidthPixels, output.HeightPixels, output.KeptOriginal));
    }

    [Fact]
    public async Task What_is_no_image_is_refused_by_the_child_which_lives_on()
    {
        await using var harness = await PoolHarness.StartAsync();
        var child = Assert.Single(harness.Pool.Children);

        var refused = Assert.IsType<CodecResult.Refused>(await harness.CompressAsync("<!DOCTYPE html><title>404</title>"u8.ToArray()));

        Assert.Equal(new CodecResult.Refused(CodecError.NotAnImage, "an HTML page"), refused);
        Assert.Equal(child, Assert.Single(harness.Pool.Children));
    }

    [Fact]
    public async Task A_killed_child_costs_nothing_but_a_second_attempt()
    {
        await using var harness = await PoolHarness.StartAsync();
        var child = Assert.Single(harness.Pool.Children);
        PoolHarness.Freeze(child);
        var result = harness.CompressAsync(Quick);

        PoolHarness.Kill(child);

        Assert.IsType<CodecResult.Compressed>(await result);
        Assert.NotEqual(child, Assert.Single(harness.Pool.Children));
        Assert.Equal(1, harness.Pool.Restarts);
    }

    [Fact]
    public async Task An_image_whose_child_dies_twice_is_refused_and_the_next_one_is_served()
    {
        await using var harness = await PoolHarness.StartAsync();
        var first = Assert.Single(harness.Pool.Children);
        var result = harness.CompressAsync(Slow.Value, ImageFormat.Avif);
        PoolHarness.Kill(first);
        var second = await harness.NextChildAsync(after: first);
        PoolHarness.Kill(second);

        var refused = Assert.IsType<CodecResult.Refused>(await result);

        Assert.Equal((CodecError.CodecCrashed, 2), (refused.Error, harness.Pool.Restarts));
        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));
    }

    [Fact]
    public async Task An_image_that_takes_too_much_processor_time_is_refused()
    {
        await using var harness = await PoolHarness.StartAsync(options => (options.CpuSeconds, options.BudgetOfPixels) = (1, 0));

        var refused = Assert.IsType<CodecResult.Refused>(await harness.CompressAsync(PngFile.Noise(3000, 3000), ImageFormat.Avif));

        Assert.Equal(new CodecResult.Refused(CodecError.CodecTimedOut, "more than 1 s of processor time"), refused);
        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));
    }

    [Fact]
    public async Task A_child_that_hangs_is_ended_by_the_clock_and_the_image_tried_again()
    {
        var clock = new TestClock();
        await using var harness = await PoolHarness.StartAsync(time: clock);
        var child = Assert.Single(harness.Pool.Children);
        PoolHarness.Freeze(child);
        var result = harness.CompressAsync(Quick);
        await Eventually.TrueAsync(() => clock.IsArmed(TimeSpan.FromMinutes(2)));

        clock.Advance(TimeSpan.FromMinutes(2));

        Assert.IsType<CodecResult.Compressed>(await result);
        Assert.False(PoolHarness.IsAlive(child));
    }

    [Fact]
    public async Task An_image_that_needs_too_much_memory_is_refused_and_the_next_one_is_served()
    {
        await using var harness = await PoolHarness.StartAsync(options => options.MaxChildBytes = 256 << 20);

        var refused = Assert.IsType<CodecResult.Refused>(await harness.CompressAsync(PngFile.Interlaced(9_500, 9_500)));

        Assert.Equal(CodecError.CodecOutOfMemory, refused.Error);
        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));
    }

    [Fact]
    public async Task A_child_that_has_grown_is_replaced()
    {
        await using var harness = await PoolHarness.StartAsync(options => options.RecycleBytes = 1);
        var child = Assert.Single(harness.Pool.Children);

        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));

        Assert.NotEqual(child, await harness.NextChildAsync(after: child));
        Assert.False(PoolHarness.IsAlive(child));
        Assert.Equal((1, 0), (harness.Pool.Recycled, harness.Pool.Restarts));
    }

    [Fact]
    public async Task Cancelling_ends_the_work_on_the_image_and_takes_waiting_ones_out_of_the_queue()
    {
        await using var harness = await PoolHarness.StartAsync();
        using var cancelled = new CancellationTokenSource();
        var atWork = harness.Pool.CompressAsync(Slow.Value, new CodecRequest { Format = ImageFormat.Avif }, cancelled.Token);
        await harness.QueueEmptyAsync();
        var waiting = harness.Pool.CompressAsync(Slow.Value, new CodecRequest { Format = ImageFormat.Avif }, cancelled.Token);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => atWork);
        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));
        Assert.Equal(1, harness.Pool.Restarts);
    }

    [Fact]
    public async Task Ctrl_C_and_a_polite_kill_do_not_end_a_child()
    {
        await using var harness = await PoolHarness.StartAsync();
        var child = Assert.Single(harness.Pool.Children);

        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            PoolHarness.Signal(child, signal);
            Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(Quick));
        }

        Assert.Equal(child, Assert.Single(harness.Pool.Children));
    }

    [Fact]
    public async Task Disposing_ends_every_child_in_the_middle_of_its_image_and_what_waits_is_cancelled()
    {
        await using var harness = await PoolHarness.StartAsync(options => options.Children = 2);
        var children = harness.Pool.Children;
        var images = Enumerable.Range(0, 4).Select(_ => harness.CompressAsync(Slow.Value, ImageFormat.Avif)).ToArray();

        harness.Pool.Dispose();

        Assert.All(children, child => Assert.False(PoolHarness.IsAlive(child)));
        Assert.Empty(harness.Pool.Children);
        foreach (var image in images)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => image);
        }
    }
}
