using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Requests;

public abstract class ReuseTests(Engine engine) : OnEachEngine(engine)
{
    private ImageOrigin origin = null!;

    /// <summary>Conditional requests that came.</summary>
    private int conditional;

    /// <summary>Bodies that were sent.</summary>
    private int bodies;

    protected override async ValueTask SetUpAsync() => origin = await ImageOrigin.StartAsync(Cancelled);

    protected override async ValueTask TearDownAsync()
    {
        if (origin is not null)
        {
            await origin.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_unchanged_catalogue_is_asked_for_and_not_fetched_and_each_request_has_files_of_its_own()
    {
        await using var server = await StartAsync();
        string[] names = [.. Picture.SampleNames.Take(4)];
        foreach (var name in names)
        {
            Serve($"/{name}", Picture.Sample(name), tag: $"\"{name}\"");
        }

        // The last is named twice.
        var csv = Csv([.. names, names[^1]]);
        var (first, firstStatus) = await RunAsync(server, csv);
        Assert.Equal((4, 0, 0), (bodies, conditional, Reused(firstStatus)));
        var (second, status) = await RunAsync(server, csv);

        Assert.Equal((4, 4, 5), (bodies, conditional, Reused(status)));
        Assert.Equal(5, status.GetProperty("progress").GetProperty("completed").GetInt32());
        Assert.Equal(firstStatus.GetProperty("bytes").ToString(), status.GetProperty("bytes").ToString());
        Assert.All(Images(status), image => Assert.True(image.GetProperty("reused").GetBoolean()));
        Assert.All(Images(status), image => Assert.Contains($"/images/{second}/", Output(image), StringComparison.Ordinal));
        Assert.All(Images(firstStatus), image => Assert.False(image.GetProperty("reused").GetBoolean()));
        Assert.Equal(await BytesAsync(server, firstStatus), await BytesAsync(server, status));
        Assert.Equal(Facts(await LinesAsync(server, first)), Facts(await LinesAsync(server, second)));

        using var deleted = await server.Client.DeleteAsync($"requests/{first}", Cancelled);
        await Eventually.TrueAsync(async () => await server.CountAsync("SELECT count(*) FROM request", Cancelled) == 1);
        Assert.All(await BytesAsync(server, status), body => Assert.NotEmpty(body));
        var (_, third) = await RunAsync(server, csv);
        Assert.Equal((4, 8, 5), (bodies, conditional, Reused(third)));
    }

    [Fact]
    public async Task A_changed_image_is_made_anew()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        var (_, first) = await RunAsync(server, Csv("a.jpg"));
        var other = Picture.Sample(Picture.SampleNames.Last(name => name.EndsWith(".jpg", StringComparison.Ordinal)));
        Serve("/a.jpg", other, tag: "\"2\"");
        var (_, second) = await RunAsync(server, Csv("a.jpg"));

        Assert.Equal((2, 1, 0), (bodies, conditional, Reused(second)));
        Assert.NotEqual(await BytesAsync(server, first), await BytesAsync(server, second));
        // The newest is the one that counts.
        var (_, third) = await RunAsync(server, Csv("a.jpg"));
        Assert.Equal((2, 2, 1), (bodies, conditional, Reused(third)));
        Assert.Equal(await BytesAsync(server, second), await BytesAsync(server, third));
    }

    [Fact]
    public async Task Without_a_word_of_the_origin_an_equal_body_is_not_compressed_again_under_whatever_url()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: null);
        Serve("/copy.jpg", Picture.Jpeg, tag: null);
        var (_, first) = await RunAsync(server, Csv("a.jpg"));
        var (id, second) = await RunAsync(server, Csv("a.jpg", "copy.jpg"));

        Assert.Equal((3, 0, 2), (bodies, conditional, Reused(second)));
        Assert.Equal([.. await BytesAsync(server, first), .. await BytesAsync(server, first)], await BytesAsync(server, second));
        Assert.All(await LinesAsync(server, id), line => Assert.Equal(0, line.GetProperty("compress_ms").GetInt32()));
    }

    [Fact]
    public async Task An_origin_that_sends_the_body_whatever_it_is_asked_costs_the_codec_twice_and_no_more()
    {
        await using var server = await StartAsync();
        origin.Serve("/a.jpg", context =>
        {
            Interlocked.Increment(ref bodies);
            context.Response.Headers.ETag = "\"unread\"";
            return context.Response.Body.WriteAsync(Picture.Jpeg, Cancelled).AsTask();
        });
        var reused = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            reused.Add(Reused((await RunAsync(server, Csv("a.jpg"))).Status));
        }

        Assert.Equal([0, 0, 1, 1], reused);
        Assert.Equal(4, bodies);
    }

    [Fact]
    public async Task Where_the_earlier_output_has_gone_the_image_is_fetched_plainly()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        Serve("/b.jpg", Picture.Jpeg, tag: null);
        var (first, _) = await RunAsync(server, Csv("a.jpg", "b.jpg"));
        Directory.Delete(Path.Combine(server.DataFolder, "images", $"{first}"), recursive: true);

        var (_, second) = await RunAsync(server, Csv("a.jpg", "b.jpg"));
        Assert.Equal((4, 1, 0), (bodies, conditional, Reused(second)));
        Assert.Equal(2, second.GetProperty("progress").GetProperty("completed").GetInt32());
        Assert.All(await BytesAsync(server, second), body => Assert.NotEmpty(body));
    }

    [Fact]
    public async Task Variants_are_taken_over_with_their_image_all_or_none()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        Serve("/b.jpg", Picture.Sample("mug-pair.jpg"), tag: null);
        (string, string)[] fields = [("variants", "thumb:max_width=100,format=webp;small:max_width=200")];
        var csv = Csv("a.jpg", "b.jpg");
        var (_, first) = await RunAsync(server, csv, fields);
        var (second, status) = await RunAsync(server, csv, fields);
        Assert.Equal((3, 1, 2), (bodies, conditional, Reused(status)));
        Assert.Equal(await VariantsAsync(server, first), await VariantsAsync(server, status));
        Assert.All(Images(status).SelectMany(image => image.GetProperty("variants").EnumerateArray()), variant => Assert.Contains($"/images/{second}/", variant.GetProperty("url").GetString(), StringComparison.Ordinal));

        // The newest is what is found. One of its variants is enough to make the image anew, and what was copied before it is found missing does not stay.
        foreach (var lost in Directory.EnumerateFiles(Path.Combine(server.DataFolder, "images", $"{second}"), "*-small.jpg"))
        {
            File.Delete(lost);
        }

        var (third, again) = await RunAsync(server, csv, fields);
        Assert.Equal(0, Reused(again));
        Assert.Equal(6, Directory.EnumerateFiles(Path.Combine(server.DataFolder, "images", $"{third}")).Count());
        Assert.Equal(await VariantsAsync(server, first), await VariantsAsync(server, again));

        static async Task<List<byte[]>> VariantsAsync(HalftoneServer server, JsonElement status)
        {
            var bodies = new List<byte[]>();
            foreach (var variant in Images(status).SelectMany(image => image.GetProperty("variants").EnumerateArray()))
            {
                bodies.Add(await server.Client.GetByteArrayAsync(variant.GetProperty("url").GetString(), Cancelled));
            }

            return bodies;
        }
    }

    [Fact]
    public async Task A_file_that_is_cut_short_is_not_taken_over()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        await RunAsync(server, Csv("a.jpg"));
        var file = Directory.EnumerateFiles(Path.Combine(server.DataFolder, "images"), "*", SearchOption.AllDirectories).Single();
        await using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length - 1);
        }

        var (_, second) = await RunAsync(server, Csv("a.jpg"));
        Assert.Equal((2, 0), (bodies, Reused(second)));
    }

    [Fact]
    public async Task Other_options_are_other_outputs_and_the_same_ones_are_found_again()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        (string, string)[][] options = [[], [("quality", "60")], [("format", "webp")], [("quality", "60"), ("format", "webp")], [("max_width", "300")], [("max_height", "300")], [("max_width", "300"), ("max_height", "200")], [("variants", "a:max_width=300")], [("variants", "a:max_width=301")]];
        foreach (var fields in options)
        {
            Assert.Equal(0, Reused((await RunAsync(server, Csv("a.jpg"), fields)).Status));
        }

        Assert.Equal((options.Length, 0), (bodies, conditional));
        foreach (var fields in options)
        {
            Assert.Equal(1, Reused((await RunAsync(server, Csv("a.jpg"), fields)).Status));
        }

        Assert.Equal((options.Length, options.Length), (bodies, conditional));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_size_and_a_variant_of_that_name_are_not_taken_for_each_other(bool isVariantFirst)
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: null);
        (string, string)[] variant = [("variants", "100x100")], size = [("max_width", "100"), ("max_height", "100")];
        await RunAsync(server, Csv("a.jpg"), isVariantFirst ? variant : size);
        Assert.Equal(0, Reused((await RunAsync(server, Csv("a.jpg"), isVariantFirst ? size : variant)).Status));
    }

    [Fact]
    public async Task With_another_request_header_a_host_may_give_another_image()
    {
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        var reused = new List<int>();
        foreach (var size in new[] { "small", "large", "large", "small" })
        {
            await using var server = await StartAsync(Folder, ("Fetch:HostHeaders:127.0.0.1:X-Size", size));
            reused.Add(Reused((await RunAsync(server, Csv("a.jpg"))).Status));
        }

        Assert.Equal([0, 0, 1, 1], reused);
    }

    [Fact]
    public async Task A_host_that_cannot_answer_a_question_is_not_asked_again()
    {
        await using var server = await StartAsync(null, ("Fetch:RetrySchedule:0", "00:00:00.010"), ("Queue:SweepInterval", "00:00:00.050"));
        var questions = 0;
        origin.Serve("/a.jpg", context =>
        {
            if (context.Request.Headers.IfNoneMatch.Count > 0)
            {
                Interlocked.Increment(ref questions);
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }

            return AnswerAsync(context, Picture.Jpeg, "\"1\"");
        });
        await RunAsync(server, Csv("a.jpg"));
        var (_, second) = await RunAsync(server, Csv("a.jpg"));
        Assert.Equal((1, 1, 2), (second.GetProperty("progress").GetProperty("completed").GetInt32(), questions, bodies));
    }

    [Fact]
    public async Task An_upload_that_wants_everything_anew_gets_it_and_leaves_it_to_later_ones()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        Serve("/b.jpg", Picture.Jpeg, tag: null);
        var csv = Csv("a.jpg", "b.jpg");
        await RunAsync(server, csv);
        Assert.Equal(0, Reused((await RunAsync(server, csv, ("reuse", "false"))).Status));
        Assert.Equal((4, 0), (bodies, conditional));
        Assert.Equal(2, Reused((await RunAsync(server, csv, ("reuse", "true"))).Status));
    }

    [Fact]
    public async Task A_server_that_reuses_nothing_keeps_nothing_to_be_found()
    {
        await using var server = await StartAsync(null, ("Reuse:Enabled", "false"));
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        await RunAsync(server, Csv("a.jpg"));
        Assert.Equal(0, Reused((await RunAsync(server, Csv("a.jpg"))).Status));
        Assert.Equal((2, 0), (bodies, conditional));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM image WHERE url_key IS NOT NULL OR source_key IS NOT NULL", Cancelled));
    }

    [Fact]
    public async Task Nothing_tells_one_owner_what_another_has_asked_for()
    {
        await using var server = await StartAsync();
        var keys = server.Services.GetRequiredService<ApiKeys>();
        var (mine, other) = (await keys.AddAsync("mine", Cancelled), await keys.AddAsync("other", Cancelled));
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        Serve("/b.jpg", Picture.Jpeg, tag: null);
        var csv = Csv("a.jpg", "b.jpg");
        As(server, mine);
        await RunAsync(server, csv);
        As(server, other);
        Assert.Equal(0, Reused((await RunAsync(server, csv)).Status));
        Assert.Equal((4, 0), (bodies, conditional));
        As(server, mine);
        Assert.Equal(2, Reused((await RunAsync(server, csv)).Status));

        static void As(HalftoneServer server, string key)
        {
            server.Client.DefaultRequestHeaders.Remove("X-API-Key");
            server.Client.DefaultRequestHeaders.Add("X-API-Key", key);
        }
    }

    [Fact]
    public async Task A_request_that_is_being_deleted_lends_nothing()
    {
        await using var server = await StartAsync();
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        Serve("/b.jpg", Picture.Jpeg, tag: null);
        await RunAsync(server, Csv("a.jpg", "b.jpg"));
        // Its message is on the way.
        await server.Services.GetRequiredService<Halftone.Database.HalftoneDatabase>().WriteAsync(
            transaction => Dapper.SqlMapper.ExecuteAsync(transaction.Connection!, "UPDATE request SET state = 'deleting', run = run + 1", null, transaction), Cancelled);
        Assert.Equal(0, Reused((await RunAsync(server, Csv("a.jpg", "b.jpg"))).Status));
        Assert.Equal((4, 0), (bodies, conditional));
    }

    [Fact]
    public async Task Retries_of_a_request_take_over_what_others_made_meanwhile()
    {
        await using var server = await StartAsync();
        var isUp = false;
        origin.Serve("/a.jpg", context => isUp ? AnswerAsync(context, Picture.Jpeg, "\"1\"") : Fail(context));
        var (id, failed) = await RunAsync(server, Csv("a.jpg"));
        Assert.Equal("FAILED", failed.GetProperty("status").GetString());
        isUp = true;
        await RunAsync(server, Csv("a.jpg"));
        using var retried = await server.Client.PostAsync($"requests/{id}/retry", null, Cancelled);
        Assert.Equal(1, Reused(await server.WaitForEndAsync(id, Cancelled)));
        Assert.Equal((1, 1), (bodies, conditional));

        static Task Fail(HttpContext context)
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_reused_image_whose_file_a_crash_took_is_taken_off_the_counters_and_done_again()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Serve("/a.jpg", Picture.Jpeg, tag: "\"1\"");
        origin.Serve("/later.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        Guid id;
        await using (var first = await StartAsync(Folder))
        {
            await RunAsync(first, Csv("a.jpg"));
            id = await first.UploadAsync(Csv("a.jpg", "a.jpg", "later.jpg"), Cancelled);
            await first.WaitForAsync(id, status => Reused(status) == 2, Cancelled);
            await first.StopAsync(Cancelled);
        }

        File.Delete(Path.Combine(Folder, "clean"));
        File.Delete(Directory.EnumerateFiles(Path.Combine(Folder, "images", $"{id}")).Single());
        await using var second = await StartAsync(Folder);
        released.SetResult();
        var status = await second.WaitForEndAsync(id, Cancelled);
        Assert.Equal((2, 3), (Reused(status), status.GetProperty("progress").GetProperty("completed").GetInt32()));
        Assert.All(await BytesAsync(second, status), body => Assert.NotEmpty(body));
    }

    private void Serve(string path, byte[] body, string? tag) => origin.Serve(path, context => AnswerAsync(context, body, tag));

    private async Task AnswerAsync(HttpContext context, byte[] body, string? tag)
    {
        context.Response.Headers.ETag = tag;
        var asked = context.Request.Headers.IfNoneMatch;
        Interlocked.Add(ref conditional, asked.Count + context.Request.Headers.IfModifiedSince.Count);
        if (tag is not null && asked == tag)
        {
            context.Response.StatusCode = 304;
            return;
        }

        Interlocked.Increment(ref bodies);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private string Csv(params string[] paths) => "Product Name,Input Image Urls\n" + string.Concat(paths.Select(path => $"A,{origin.Url(path)}\n"));

    private static async Task<(Guid Id, JsonElement Status)> RunAsync(HalftoneServer server, string csv, params (string Name, string Value)[] fields)
    {
        var id = await server.UploadAsync(csv, Cancelled, fields);
        return (id, await server.WaitForEndAsync(id, Cancelled));
    }

    private static int Reused(JsonElement status) => status.GetProperty("reused").GetInt32();

    private static IEnumerable<JsonElement> Images(JsonElement status) => status.GetProperty("products").EnumerateArray().SelectMany(product => product.GetProperty("images").EnumerateArray());

    private static string Output(JsonElement image) => image.GetProperty("output_url").GetString()!;

    private static async Task<List<byte[]>> BytesAsync(HalftoneServer server, JsonElement status)
    {
        var bodies = new List<byte[]>();
        foreach (var image in Images(status))
        {
            bodies.Add(await server.Client.GetByteArrayAsync(Output(image), Cancelled));
        }

        return bodies;
    }

    private static async Task<List<JsonElement>> LinesAsync(HalftoneServer server, Guid id) =>
        [.. (await server.Client.GetStringAsync($"results/{id}.ndjson", Cancelled)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>What lines say of the picture.</summary>
    private static IEnumerable<string> Facts(IEnumerable<JsonElement> lines) =>
        lines.Select(line => string.Join(' ', new[] { "input_bytes", "output_bytes", "kept_original", "width", "height", "sha256" }.Select(name => line.GetProperty(name).ToString())));
}

public sealed class ReuseOnSqlite() : ReuseTests(Engine.Sqlite);

public sealed class ReuseOnPostgres() : ReuseTests(Engine.Postgres);
