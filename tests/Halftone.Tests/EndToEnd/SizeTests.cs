using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Halftone.Tests.Compress;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

/// <summary>What outputs fit into, from the upload to the bytes that are stored.</summary>
public abstract class SizeTests(Engine engine) : OnEachEngine(engine)
{
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
    public async Task Larger_images_are_made_to_fit_with_their_proportions_and_smaller_ones_keep_their_size()
    {
        await using var server = await StartAsync();
        var sources = Picture.SampleNames.ToDictionary(name => name, Picture.Sample);
        sources.Add("small.png", PngFile.Noise(40, 30));
        foreach (var (name, body) in sources)
        {
            origin.Serve("/" + name, body);
        }

        var id = await server.UploadAsync(Csv([.. sources.Keys]), Cancelled, ("max_width", "600"), ("max_height", "500"));
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("""{"quality":50,"format":"keep","max_width":600,"max_height":500}""", status.GetProperty("options").GetRawText());
        var lines = (await server.Client.GetStringAsync($"results/{id}.ndjson", Cancelled)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        foreach (var (line, (name, body)) in lines.Zip(sources))
        {
            var (width, height) = Picture.SizeOf(await server.Client.GetByteArrayAsync(line.GetProperty("output_url").GetString(), Cancelled));
            Assert.Equal((width, height), (line.GetProperty("width").GetInt32(), line.GetProperty("height").GetInt32()));
            var source = Picture.SizeOf(body);
            var scale = Math.Min(1, Math.Min(600.0 / source.Width, 500.0 / source.Height));
            Assert.True(width <= 600 && height <= 500, $"{name} is {width} x {height}.");
            Assert.True(Math.Abs(width - source.Width * scale) <= 1 && Math.Abs(height - source.Height * scale) <= 1, $"{name} is {width} x {height} of {source}.");
        }

        Assert.Equal(2, lines.Select(line => line.GetProperty("width").GetInt32() == 40).Distinct().Count());
    }

    [Fact]
    public async Task One_bound_is_enough_in_each_of_the_three_bodies_and_with_another_format()
    {
        await using var server = await StartAsync();
        var body = Picture.Sample("mug-pair.jpg");
        var source = Picture.SizeOf(body);
        Assert.NotEqual(source.Width, source.Height);
        origin.Serve("/a.jpg", body);
        var form = await server.UploadAsync(Csv("a.jpg"), Cancelled, ("max_height", "90"), ("format", "webp"));
        var json = await PostAsync(server, "upload", JsonContent.Create(new { csv = Csv("a.jpg"), max_width = 120 }));
        var raw = await PostAsync(server, "upload?max_width=333&max_height=", new StringContent(Csv("a.jpg"), Encoding.UTF8, "text/csv"));

        Assert.Equal((Scaled(source.Width, 90, source.Height), 90), await SizeAsync(server, form));
        Assert.Equal((120, Scaled(source.Height, 120, source.Width)), await SizeAsync(server, json));
        Assert.Equal((333, Scaled(source.Height, 333, source.Width)), await SizeAsync(server, raw));

        static int Scaled(int side, int to, int from) => (int)Math.Round((double)side * to / from);
    }

    [Theory]
    [InlineData("max_width", "0")]
    [InlineData("max_width", "65536")]
    [InlineData("max_width", "800px")]
    [InlineData("max_height", "-1")]
    [InlineData("max_height", "1.5")]
    [InlineData("max_height", "99999999999999999999")]
    public async Task What_is_no_number_of_pixels_is_refused(string field, string value)
    {
        await using var server = await StartAsync();
        using var answer = await server.PostCsvAsync(Csv("a.jpg"), Cancelled, (field, value));
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.Equal((HttpStatusCode.BadRequest, $"invalid_{field}"), (answer.StatusCode, problem.GetProperty("code").GetString()));
        Assert.Equal($"'{field}' must be a whole number of pixels from 1 to 65535. Leave it out for no limit.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task An_image_keeps_its_size_when_it_is_tried_again_and_when_the_request_is_retried()
    {
        await using var server = await StartAsync(null, ("Fetch:RetrySchedule:0", "00:00:00.050"), ("Queue:SweepInterval", "00:00:00.050"));
        var calls = 0;
        origin.Serve("/later.jpg", context => Interlocked.Increment(ref calls) == 1 ? Fail(context, 500) : context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted).AsTask());
        var isUp = false;
        origin.Serve("/gone.jpg", context => isUp ? context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted).AsTask() : Fail(context, 404));
        var id = await server.UploadAsync(Csv("later.jpg", "gone.jpg"), Cancelled, ("max_width", "100"));
        Assert.Equal(1, (await server.WaitForEndAsync(id, Cancelled)).GetProperty("progress").GetProperty("failed").GetInt32());
        isUp = true;
        using var retried = await server.Client.PostAsync($"requests/{id}/retry", null, Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal(2, calls);
        foreach (var product in status.GetProperty("products").EnumerateArray())
        {
            var image = await server.Client.GetByteArrayAsync(product.GetProperty("images")[0].GetProperty("output_url").GetString(), Cancelled);
            Assert.Equal(100, Picture.SizeOf(image).Width);
        }

        static Task Fail(Microsoft.AspNetCore.Http.HttpContext context, int status)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Another_size_is_another_upload_to_an_idempotency_key()
    {
        await using var server = await StartAsync();
        server.Client.DefaultRequestHeaders.Add("Idempotency-Key", "catalogue-7");
        const string Empty = "Product Name,Input Image Urls\nA,\n";
        var id = await server.UploadAsync(Empty, Cancelled, ("max_width", "100"));
        Assert.Equal(id, await server.UploadAsync(Empty, Cancelled, ("max_width", "100")));
        foreach (var fields in new (string, string)[][] { [], [("max_width", "101")], [("max_height", "100")], [("max_width", "100"), ("max_height", "100")] })
        {
            using var other = await server.PostCsvAsync(Empty, Cancelled, fields);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        }
    }

    private string Csv(params string[] paths) => "Product Name,Input Image Urls\n" + string.Concat(paths.Select(path => $"A,{origin.Url(path)}\n"));

    private static async Task<Guid> PostAsync(HalftoneServer server, string path, HttpContent body)
    {
        using var answer = await server.Client.PostAsync(path, body, Cancelled);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("request_id").GetGuid();
    }

    private static async Task<(int Width, int Height)> SizeAsync(HalftoneServer server, Guid id)
    {
        var status = await server.WaitForEndAsync(id, Cancelled);
        return Picture.SizeOf(await server.Client.GetByteArrayAsync(status.GetProperty("products")[0].GetProperty("images")[0].GetProperty("output_url").GetString(), Cancelled));
    }
}

public sealed class SizesOnSqlite() : SizeTests(Engine.Sqlite);

public sealed class SizesOnPostgres() : SizeTests(Engine.Postgres);
