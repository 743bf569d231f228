using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Halftone.Pipeline;
using Halftone.Tests.Compress;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.EndToEnd;

/// <summary>Several outputs of an image from one download: all of them or none, whatever happens.</summary>
public abstract class VariantTests(Engine engine) : OnEachEngine(engine)
{
    private const string Spec = "thumb:max_width=200,max_height=200,format=webp;zoom:max_width=900,quality=70";

    private ImageOrigin origin = null!;

    protected override async ValueTask SetUpAsync() => origin = await ImageOrigin.StartAsync(Cancelled);

    protected override async ValueTask TearDownAsync()
    {
        if (origin is not null)
        {
            await origin.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_cancelled_image_makes_no_more_of_them()
    {
        await using var server = await StartAsync();
        origin.Serve("/slow.png", PngFile.Noise(1_400, 1_400));
        var id = await server.UploadAsync(Csv("slow.png"), Cancelled, ("variants", string.Join(';', Enumerable.Range(1, 8).Select(i => $"v{i}:format=avif,quality={50 + i}"))));
        await Eventually.TrueAsync(() => Stored(server, id).Length >= 2);
        using var cancelled = await server.Client.PostAsync($"requests/{id}/cancel", null, Cancelled);
        await server.WaitForEndAsync(id, Cancelled);

        var most = 0;
        await Eventually.TrueAsync(() =>
        {
            most = Math.Max(most, Stored(server, id).Length);
            return server.Services.GetRequiredService<ImageRun>().UnderWay == 0;
        });
        Assert.InRange(most, 0, 4);
        Assert.Empty(Stored(server, id));
    }

    [Fact]
    public async Task While_they_are_made_of_an_image_that_is_tried_again_its_lease_is_renewed()
    {
        await using var server = await StartAsync(null, ("Fetch:RetrySchedule:0", "00:00:00.050"), ("Queue:SweepInterval", "00:00:00.050"));
        origin.Serve("/slow.png", context =>
        {
            if (origin.CountOf("/slow.png") == 1)
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }

            return context.Response.Body.WriteAsync(PngFile.Noise(700, 700), context.RequestAborted).AsTask();
        });
        var id = await server.UploadAsync(Csv("slow.png"), Cancelled, ("variants", string.Join(';', Enumerable.Range(1, 6).Select(i => $"v{i}:format=avif,quality={50 + i}"))));
        var leases = new HashSet<long>();
        await Eventually.TrueAsync(async () =>
        {
            leases.Add(await server.CountAsync("SELECT max(coalesce(next_attempt_at, 0)) FROM image", Cancelled));
            return await server.CountAsync("SELECT count(*) FROM request WHERE state = 'completed'", Cancelled) == 1;
        });

        // None, when it is due, the lease under which it was handed out, and at least one more.
        Assert.True(leases.Count >= 4, string.Join(' ', leases.Order()));
        Assert.Equal(2, origin.CountOf("/slow.png"));
        Assert.Equal("COMPLETED", Text(await server.StatusAsync(id, Cancelled), "status"));
    }

    [Fact]
    public async Task Rows_of_one_url_share_them_and_a_page_of_the_status_ends_where_they_become_many()
    {
        await using var server = await StartAsync();
        origin.Serve("/a.jpg", Picture.Jpeg);
        var cell = string.Join(' ', Enumerable.Repeat(origin.Url("a.jpg"), 500));
        var id = await server.UploadAsync("Product Name,Input Image Urls\n" + string.Concat(Enumerable.Repeat($"A,{cell}\n", 3)), Cancelled, ("variants", "a;b;c;d;e;f;g;h"));
        await server.WaitForEndAsync(id, Cancelled);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM image WHERE variants IS NOT NULL", Cancelled));

        var first = await server.StatusAsync(id, Cancelled);
        Assert.Equal((2, 1_000), (first.GetProperty("products").GetArrayLength(), Images(first).Length));
        Assert.All(Images(first), image => Assert.Equal(8, image.GetProperty("variants").GetArrayLength()));
        var second = await server.StatusAsync(id, Cancelled, $"?cursor={Text(first, "next_cursor")}");
        Assert.Equal((1, false), (second.GetProperty("products").GetArrayLength(), second.TryGetProperty("next_cursor", out _)));
    }

    [Fact]
    public async Task One_download_gives_the_output_and_every_variant_and_all_are_named()
    {
        await using var server = await StartAsync();
        string[] names = ["mug-pair.jpg", "mug-cutout.png", "lamp-day.webp"];
        foreach (var name in names)
        {
            origin.Serve("/" + name, Picture.Sample(name));
        }

        // The second row names the first image again, and one that there is not.
        var urls = string.Join(',', names.Select(origin.Url));
        var id = await server.UploadAsync(
            $"S. No.,Input Image Urls,Note\n7/a,\"{urls}\",x\n8,\"{origin.Url("gone.jpg")},{origin.Url(names[0])}\",y\n", Cancelled, ("variants", " zoom:quality=70,max_width=900 ; thumb:format=webp,max_height=200,max_width=200"), ("max_width", "600"));
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("zoom:max_width=900,quality=70;thumb:max_width=200,max_height=200,format=webp", status.GetProperty("options").GetProperty("variants").GetString());
        Assert.Equal((4, 1), (status.GetProperty("progress").GetProperty("completed").GetInt32(), status.GetProperty("progress").GetProperty("failed").GetInt32()));
        Assert.All(names, name => Assert.Equal(1, origin.CountOf("/" + name)));
        var images = Images(status);
        Assert.False(images[3].TryGetProperty("variants", out _));
        Assert.Equal(Text(images[0], "variants"), Text(images[4], "variants"));
        foreach (var (image, name) in images.Zip(names))
        {
            var source = Picture.SizeOf(Picture.Sample(name));
            var output = await BytesAsync(server, image.GetProperty("output_url"));
            Assert.Equal((600, image.GetProperty("output_bytes").GetInt64()), (Picture.SizeOf(output).Width, output.Length));
            var variants = image.GetProperty("variants").EnumerateArray().ToArray();
            Assert.Equal(["zoom", "thumb"], variants.Select(variant => Text(variant, "name")));
            foreach (var variant in variants)
            {
                var url = Text(variant, "url");
                Assert.EndsWith($"-{Text(variant, "name")}{(Text(variant, "name") == "thumb" ? ".webp" : Path.GetExtension(name))}", url, StringComparison.Ordinal);
                Assert.Contains($"/images/{id}/7-a-", url, StringComparison.Ordinal);
                var bytes = await BytesAsync(server, variant.GetProperty("url"));
                Assert.Equal((bytes.Length, Picture.SizeOf(bytes)), (variant.GetProperty("bytes").GetInt32(), (variant.GetProperty("width").GetInt32(), variant.GetProperty("height").GetInt32())));
            }

            // The bounds of the upload are not those of its variants.
            Assert.Equal(Math.Min(900, source.Width), variants[0].GetProperty("width").GetInt32());
            Assert.Equal(200, Math.Max(variants[1].GetProperty("width").GetInt32(), variants[1].GetProperty("height").GetInt32()));
        }

        Assert.Equal(images.Sum(image => image.TryGetProperty("output_bytes", out var bytes) ? bytes.GetInt64() : 0), status.GetProperty("bytes").GetProperty("output").GetInt64());
        Assert.Equal(9, Stored(server, id).Length);
        var list = await server.Client.GetFromJsonAsync<JsonElement>($"requests/{id}/images", Cancelled);
        var lines = (await server.Client.GetStringAsync($"results/{id}.ndjson", Cancelled)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement);
        foreach (var all in new[] { list.GetProperty("images").EnumerateArray(), lines })
        {
            Assert.Equal(images.Select(image => Text(image, "variants")), all.Select(image => Text(image, "variants")));
        }

        var rows = (await server.ResultAsync(id, Cancelled)).Split('\n');
        Assert.Equal("S. No.,Input Image Urls,Note,Output Image Urls,Output Image Urls (zoom),Output Image Urls (thumb),Image Errors", rows[0]);
        Assert.Equal($"7/a,\"{urls}\",x,{Cell("output_url")},{Cell("zoom")},{Cell("thumb")},", rows[1]);
        Assert.EndsWith($",y,\",{Text(images[4], "output_url")}\",\",{UrlOf(images[4], "zoom")}\",\",{UrlOf(images[4], "thumb")}\",1: http_404", rows[2], StringComparison.Ordinal);

        string Cell(string what) => $"\"{string.Join(',', images.Take(3).Select(image => what == "output_url" ? Text(image, what) : UrlOf(image, what)))}\"";
    }

    [Fact]
    public async Task A_variant_that_cannot_be_made_fails_the_image_and_leaves_nothing()
    {
        await using var server = await StartAsync();
        // WebP ends at 16,383 pixels a side.
        origin.Serve("/long.png", PngFile.Noise(16_500, 2));
        var id = await server.UploadAsync(Csv("long.png"), Cancelled, ("variants", "first:quality=20;wide:format=webp;last:quality=30"));
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal(("FAILED", 1), (Text(status, "status"), origin.CountOf("/long.png")));
        Assert.False(Images(status)[0].TryGetProperty("variants", out _));
        Assert.Empty(Stored(server, id));
        Assert.Equal("COMPLETED", Text(await server.WaitForEndAsync(await server.UploadAsync(Csv("long.png"), Cancelled, ("variants", "first:quality=20")), Cancelled), "status"));
    }

    [Fact]
    public async Task An_image_has_its_variants_also_when_it_is_tried_again_and_when_the_request_is_retried()
    {
        await using var server = await StartAsync(null, ("Fetch:RetrySchedule:0", "00:00:00.050"), ("Queue:SweepInterval", "00:00:00.050"));
        var calls = 0;
        origin.Serve("/later.jpg", context => Interlocked.Increment(ref calls) == 1 ? Fail(context, 500) : SendAsync(context));
        var isUp = false;
        origin.Serve("/gone.jpg", context => isUp ? SendAsync(context) : Fail(context, 404));
        var id = await server.UploadAsync(Csv("later.jpg", "gone.jpg"), Cancelled, ("variants", Spec));
        Assert.Equal(3, Stored(server, id, await server.WaitForEndAsync(id, Cancelled)).Length);
        isUp = true;
        using var retried = await server.Client.PostAsync($"requests/{id}/retry", null, Cancelled);
        Assert.Equal(6, Stored(server, id, await server.WaitForEndAsync(id, Cancelled)).Length);
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task What_a_cancelled_request_made_too_late_is_removed_with_its_variants()
    {
        await using var server = await StartAsync();
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        origin.Serve("/slow.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await SendAsync(context);
        });
        var id = await server.UploadAsync(Csv("slow.jpg"), Cancelled, ("variants", Spec));
        var run = server.Services.GetRequiredService<ImageRun>();
        await Eventually.TrueAsync(() => origin.CountOf("/slow.jpg") == 1);
        using var cancelled = await server.Client.PostAsync($"requests/{id}/cancel", null, Cancelled);
        Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        released.SetResult();
        await Eventually.TrueAsync(() => run.UnderWay == 0);
        Assert.Empty(Stored(server, id));
    }

    [Fact]
    public async Task A_variant_that_a_crash_took_has_its_image_done_again_and_nothing_is_left_over()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        origin.Serve("/a.jpg", SendAsync).Serve("/later.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await SendAsync(context);
        });
        Guid id;
        await using (var first = await StartAsync(Folder))
        {
            id = await first.UploadAsync(Csv("a.jpg", "a.jpg", "later.jpg"), Cancelled, ("variants", Spec));
            await first.WaitForAsync(id, status => status.GetProperty("progress").GetProperty("completed").GetInt32() == 2, Cancelled);
            await first.StopAsync(Cancelled);
        }

        File.Delete(Path.Combine(Folder, "clean"));
        await using (var lost = File.OpenWrite(Directory.EnumerateFiles(Path.Combine(Folder, "images", $"{id}"), "*-thumb.webp").Single()))
        {
            lost.SetLength(lost.Length - 1);
        }

        await using var second = await StartAsync(Folder);
        released.SetResult();
        var status = await second.WaitForEndAsync(id, Cancelled);
        Assert.Equal((3, 2), (status.GetProperty("progress").GetProperty("completed").GetInt32(), origin.CountOf("/a.jpg")));
        Assert.Equal(6, Stored(second, id, status).Length);
        Assert.Equal(Images(status).Sum(image => image.GetProperty("output_bytes").GetInt64()), status.GetProperty("bytes").GetProperty("output").GetInt64());
    }

    [Fact]
    public async Task The_daily_sweep_knows_variants_and_a_delete_removes_them()
    {
        await using var server = await StartAsync();
        origin.Serve("/a.jpg", SendAsync);
        var id = await server.UploadAsync(Csv("a.jpg"), Cancelled, ("variants", Spec));
        var status = await server.WaitForEndAsync(id, Cancelled);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(server.DataFolder, "images", $"{id}")))
        {
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2));
        }

        await server.Services.GetRequiredService<OrphanSweep>().SweepAsync(Cancelled);
        Assert.Equal(3, Stored(server, id, status).Length);

        using var deleted = await server.Client.DeleteAsync($"requests/{id}", Cancelled);
        await Eventually.TrueAsync(async () => await server.CountAsync("SELECT count(*) FROM request", Cancelled) == 0);
        Assert.Empty(Stored(server, id));
    }

    [Fact]
    public async Task What_is_wrong_with_a_spec_is_answered_and_its_words_may_come_in_any_order_under_one_idempotency_key()
    {
        await using var server = await StartAsync(null, ("Intake:MaxVariants", "2"));
        const string Empty = "Product Name,Input Image Urls\nA,\n";
        using var refused = await server.PostCsvAsync(Empty, Cancelled, ("variants", "a;b;c"));
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_variants", "'variants': 3 variants are too many; at most 2 are allowed (Intake:MaxVariants)."), (refused.StatusCode, Text(problem, "code"), Text(problem, "detail")));

        server.Client.DefaultRequestHeaders.Add("Idempotency-Key", "catalogue-7");
        var id = await server.UploadAsync(Empty, Cancelled, ("variants", "a:max_width=5,quality=7"));
        Assert.Equal(id, await server.UploadAsync(Empty, Cancelled, ("variants", "a: quality=7, max_width=5")));
        foreach (var fields in new (string, string)[][] { [], [("variants", "b:max_width=5,quality=7")], [("variants", "a:max_width=5")] })
        {
            using var other = await server.PostCsvAsync(Empty, Cancelled, fields);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        }
    }

    private static Task SendAsync(HttpContext context) => context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted).AsTask();

    private static Task Fail(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private string Csv(params string[] paths) => "Product Name,Input Image Urls\n" + string.Concat(paths.Select(path => $"A,{origin.Url(path)}\n"));

    private static JsonElement[] Images(JsonElement status) => [.. status.GetProperty("products").EnumerateArray().SelectMany(product => product.GetProperty("images").EnumerateArray())];

    private static string Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static string UrlOf(JsonElement image, string variant) => Text(image.GetProperty("variants").EnumerateArray().Single(found => Text(found, "name") == variant), "url");

    private static Task<byte[]> BytesAsync(HalftoneServer server, JsonElement url) => server.Client.GetByteArrayAsync(url.GetString(), Cancelled);

    /// <summary>Names of what is stored for a request.</summary>
    private static string[] Stored(HalftoneServer server, Guid id)
    {
        var folder = Path.Combine(server.DataFolder, "images", $"{id}");
        return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>The same, which must be what its status names: nothing less, nothing more.</summary>
    private static string[] Stored(HalftoneServer server, Guid id, JsonElement status)
    {
        var named = Images(status).Where(image => Text(image, "status") == "COMPLETED")
            .SelectMany(image => image.GetProperty("variants").EnumerateArray().Select(variant => Text(variant, "url")).Append(Text(image, "output_url")))
            .Select(url => url.Split('/')[^1]).Distinct().Order(StringComparer.Ordinal);
        var stored = Stored(server, id);
        Assert.Equal(named, stored);
        return stored;
    }
}

public sealed class VariantsOnSqlite() : VariantTests(Engine.Sqlite);

public sealed class VariantsOnPostgres() : VariantTests(Engine.Postgres);
