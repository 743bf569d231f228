using System.Net;
using System.Text.Json;
using Halftone.Database;
using Halftone.Pipeline;
using Halftone.Store;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Halftone.Tests.EndToEnd;

/// <summary>The whole way of a CSV with a bucket or Cloudinary in place of the folder.</summary>
public sealed class OtherStoresTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_a_bucket_nothing_of_a_request_is_kept_in_the_folder_and_nothing_in_the_bucket_outlives_it()
    {
        var ceph = await CephServer.CommonAsync(Cancelled);
        var settings = await ceph.NewBucketAsync(Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, settings);

        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled, ("variants", "thumb:max_width=100"));
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(100, Picture.SizeOf(await server.Client.GetByteArrayAsync(ThumbUrl(status), Cancelled)).Width);
        var url = OutputUrl(status);
        Assert.StartsWith($"{server.Client.BaseAddress}images/{id}/", url, StringComparison.Ordinal);
        Assert.Contains(url, await server.ResultAsync(id, Cancelled), StringComparison.Ordinal);
        Assert.InRange((await server.Client.GetByteArrayAsync(url, Cancelled)).Length, 1, Picture.Jpeg.Length - 1);
        Assert.DoesNotContain(Directory.EnumerateFiles(server.DataFolder, "*", SearchOption.AllDirectories), file => file.Contains(id.ToString(), StringComparison.Ordinal));
        Assert.Equal(4, await CountAsync(ceph, settings));   // upload, image, its variant, result

        using var deleted = await server.Client.DeleteAsync($"requests/{id}", Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await Eventually.TrueAsync(async () => await CountAsync(ceph, settings) == 0);
    }

    [Fact]
    public async Task A_sweep_leaves_alone_what_another_database_keeps_in_the_same_bucket()
    {
        var ceph = await CephServer.CommonAsync(Cancelled);
        var settings = await ceph.NewBucketAsync(Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var first = await HalftoneServer.StartAsync(Cancelled, null, settings);
        await first.WaitForEndAsync(await first.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled), Cancelled);
        await using var second = await HalftoneServer.StartAsync(Cancelled, null, settings);
        var services = second.Services;
        using var sweep = new OrphanSweep(
            services.GetRequiredService<HalftoneDatabase>(), services.GetRequiredService<IImageStore>(), services.GetRequiredService<IFileStore>(), new DaysAhead(), NullLogger<OrphanSweep>.Instance);

        await first.Services.GetRequiredService<OrphanSweep>().MarkAsync(Cancelled);
        await sweep.MarkAsync(Cancelled);
        await sweep.SweepAsync(Cancelled);

        Assert.Equal(3, await CountAsync(ceph, settings));   // upload, image, result

        var bucket = services.GetRequiredService<IFileStore>();
        await bucket.DeleteAllAsync(OrphanSweep.Marks, Cancelled);
        await sweep.SweepAsync(Cancelled);
        Assert.Equal(0, await CountAsync(ceph, settings));
    }

    [Fact]
    public async Task With_cloudinary_the_result_names_its_addresses()
    {
        await using var cloudinary = await CloudinaryServer.StartAsync(pageSize: 500, Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, cloudinary.Settings());

        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled, ("variants", "thumb:max_width=100"));
        var status = await server.WaitForEndAsync(id, Cancelled);
        var url = OutputUrl(status);

        Assert.StartsWith($"{cloudinary.Url}/shop-cloud/image/upload/shop/halftone/{id}/", url, StringComparison.Ordinal);
        Assert.Contains(url, await server.ResultAsync(id, Cancelled), StringComparison.Ordinal);
        using var anybody = new HttpClient();
        Assert.InRange((await anybody.GetByteArrayAsync(url, Cancelled)).Length, 1, Picture.Jpeg.Length - 1);
        Assert.Equal(100, Picture.SizeOf(await anybody.GetByteArrayAsync(ThumbUrl(status), Cancelled)).Width);

        using var deleted = await server.Client.DeleteAsync($"requests/{id}", Cancelled);
        await Eventually.TrueAsync(async () =>
        {
            using var gone = await anybody.GetAsync(url, Cancelled);
            using var thumbGone = await anybody.GetAsync(ThumbUrl(status), Cancelled);
            return (gone.StatusCode, thumbGone.StatusCode) == (HttpStatusCode.NotFound, HttpStatusCode.NotFound);
        });
    }

    [Fact]
    public async Task An_image_that_the_store_will_not_take_fails_alone()
    {
        await using var cloudinary = await CloudinaryServer.StartAsync(pageSize: 500, Cancelled, largestBytes: 33_918);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/large.jpg", Picture.Sample("board-lemons.jpg"));
        origin.Serve("/small.webp", Picture.Sample("lamp-day.webp"));
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, cloudinary.Settings());

        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,\"{origin.Url("large.jpg")},{origin.Url("small.webp")}\"\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        var images = status.GetProperty("products")[0].GetProperty("images");
        Assert.Equal(["FAILED", "COMPLETED"], images.EnumerateArray().Select(image => image.GetProperty("status").GetString()));
        Assert.Equal("store_refused", images[0].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(1, origin.CountOf("/large.jpg"));
    }

    [Fact]
    public async Task A_server_starts_while_its_bucket_is_away_whatever_the_last_one_left()
    {
        await using var server = await HalftoneServer.StartAsync(
            Cancelled, null, ("Store:S3:Bucket", "away"), ("Store:S3:Endpoint", $"http://127.0.0.1:{HostileOrigin.ClosedPort()}"), ("Store:S3:AccessKeyId", "a"), ("Store:S3:SecretAccessKey", "s"));

        using var live = await server.Client.GetAsync("health/live", Cancelled);
        using var ready = await server.Client.GetAsync("health/ready", Cancelled);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (live.StatusCode, ready.StatusCode));
    }

    [Fact]
    public async Task While_the_bucket_is_away_work_waits_and_costs_no_attempt_and_uploads_are_told_to_come_again()
    {
        await using var ceph = await ThrowAwayServers.OwnAsync(CephServer.StartAsync, Cancelled);
        var settings = await ceph.NewBucketAsync(Cancelled);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await HalftoneServer.StartAsync(Cancelled, null, settings);
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);
        await Eventually.TrueAsync(() => origin.CountOf("/a.jpg") == 1);

        await ceph.StopAsync();
        released.SetResult();
        using var upload = await server.PostCsvAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);
        using var ready = await server.Client.GetAsync("health/ready", Cancelled);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, upload.StatusCode);
        Assert.Equal("10", upload.Headers.GetValues("Retry-After").Single());
        Assert.Equal("store_down", JsonDocument.Parse(await upload.Content.ReadAsStringAsync(Cancelled)).RootElement.GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("store", await ready.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);

        await ceph.RunAsync(Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);
        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(1, origin.CountOf("/a.jpg"));
        Assert.Equal(0, await server.CountAsync("SELECT sum(attempt) FROM image", Cancelled));
    }

    /// <summary>Finds everything old.</summary>
    private sealed class DaysAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(3);
    }

    private static string ThumbUrl(JsonElement status) => status.GetProperty("products")[0].GetProperty("images")[0].GetProperty("variants")[0].GetProperty("url").GetString()!;

    private static string OutputUrl(JsonElement status) => status.GetProperty("products")[0].GetProperty("images")[0].GetProperty("output_url").GetString()!;

    /// <summary>Without the marks of databases, which come a minute after a start.</summary>
    private static async Task<int> CountAsync(CephServer ceph, (string Name, string? Value)[] settings)
    {
        using var client = ceph.Client();
        var found = await client.ListObjectsV2Async(new() { BucketName = settings.Single(setting => setting.Name == "Store:S3:Bucket").Value }, Cancelled);
        return found.S3Objects?.Count(stored => !stored.Key.Contains($"{OrphanSweep.Marks:D}/", StringComparison.Ordinal)) ?? 0;
    }
}
