using System.Net;
using System.Text.Json;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

public abstract class UploadToResultTests(Engine engine) : OnEachEngine(engine)
{
    [Fact]
    public async Task Every_image_of_an_uploaded_csv_is_compressed_and_named_in_the_result()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await StartAsync();
        var names = Picture.SampleNames;
        foreach (var name in names)
        {
            origin.Serve("/" + name, Picture.Sample(name));
        }

        var rows = names.Select((name, i) => $"{i + 1:000},Product {i + 1},{origin.Url(name)}");
        var id = await server.UploadAsync("S. No.,Product Name,Input Image Urls\n" + string.Join('\n', rows) + "\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(names.Count, status.GetProperty("progress").GetProperty("completed").GetInt32());
        var lines = (await server.ResultAsync(id, Cancelled)).TrimEnd('\n').Split('\n');
        Assert.Equal("S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors", lines[0]);
        Assert.Equal(names.Count + 1, lines.Length);
        foreach (var (index, line) in lines.Skip(1).Index())
        {
            var cells = line.Split(',');
            Assert.Equal($"{index + 1:000}", cells[0]);
            Assert.Equal("", cells[4]);
            using var image = await server.Client.GetAsync(cells[3], Cancelled);
            Assert.Equal(HttpStatusCode.OK, image.StatusCode);
            var bytes = await image.Content.ReadAsByteArrayAsync(Cancelled);
            Assert.Equal("nosniff", image.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(bytes.Length <= Picture.Sample(names[index]).Length, $"{names[index]} became larger.");
            Assert.EndsWith(Path.GetExtension(names[index]), cells[3]);
        }
    }

    [Fact]
    public async Task Two_images_of_a_row_keep_their_places_when_one_fails()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await StartAsync();
        origin.Serve("/a.jpg", Picture.Jpeg);
        origin.Serve("/page.html", "<!doctype html><title>Shop</title>"u8.ToArray(), "text/html");

        var id = await server.UploadAsync(
            $"Product Name,Input Image Urls\nMug,\"{origin.Url("missing.jpg")},{origin.Url("a.jpg")},{origin.Url("page.html")}\"\n",
            Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(2, status.GetProperty("progress").GetProperty("failed").GetInt32());
        var images = status.GetProperty("products")[0].GetProperty("images").EnumerateArray().ToArray();
        Assert.Equal(["FAILED", "COMPLETED", "FAILED"], images.Select(i => i.GetProperty("status").GetString()));
        Assert.Equal("http_status", images[0].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(404, images[0].GetProperty("error").GetProperty("http_status").GetInt32());
        Assert.Equal("not_an_image", images[2].GetProperty("error").GetProperty("code").GetString());
        var line = (await server.ResultAsync(id, Cancelled)).Split('\n')[1];
        Assert.EndsWith($",\",{images[1].GetProperty("output_url").GetString()},\",1: http_404; 3: not_an_image", line);
    }

    [Fact]
    public async Task A_row_without_images_ends_the_request_at_once_as_completed()
    {
        await using var server = await StartAsync();
        var id = await server.UploadAsync("Product Name,Input Image Urls\nMug,\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal("Product Name,Input Image Urls,Output Image Urls,Image Errors\nMug,,,\n", await server.ResultAsync(id, Cancelled));
    }

    [Fact]
    public async Task A_request_none_of_whose_images_could_be_had_is_failed_and_counts_its_errors()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(
            $"Product Name,Input Image Urls\nMug,{origin.Url("1.jpg")}\nCup,{origin.Url("2.jpg")}\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("FAILED", status.GetProperty("status").GetString());
        var error = status.GetProperty("errors").EnumerateArray().Single();
        Assert.Equal(("http_status", 2), (error.GetProperty("code").GetString(), error.GetProperty("count").GetInt32()));
        Assert.Equal(origin.Address.Host, error.GetProperty("hosts")[0].GetProperty("host").GetString());
    }

    [Fact]
    public async Task An_image_that_fails_for_now_is_tried_again()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        await using var server = await StartAsync(null, ("Fetch:RetrySchedule:0", "00:00:00.050"), ("Queue:SweepInterval", "00:00:00.050"));
        var image = Picture.Jpeg;
        var calls = 0;
        origin.Serve("/a.jpg", context =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }

            return context.Response.Body.WriteAsync(image, context.RequestAborted).AsTask();
        });

        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal("COMPLETED", status.GetProperty("status").GetString());
        Assert.Equal(2, calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public async Task Every_route_stands_under_both_spellings(string slash)
    {
        await using var server = await StartAsync();
        var id = await server.UploadAsync("Product Name,Input Image Urls\nMug,\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        foreach (var prefix in new[] { "", "api/v1/" })
        {
            foreach (var path in new[] { $"status/{id}", $"results/{id}.csv", "health/live", "health/ready" })
            {
                using var answer = await server.Client.GetAsync(prefix + path + slash, Cancelled);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
        }
    }

    [Fact]
    public async Task A_file_with_problems_is_refused_with_line_and_column_and_nothing_of_it_is_kept()
    {
        await using var server = await StartAsync();
        using var answer = await server.PostCsvAsync("Product Name,Input Image Urls\nMug,https://a.example/1.jpg\nCup,n/a\n", Cancelled);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled)).RootElement;
        var error = problem.GetProperty("errors").EnumerateArray().Single();
        Assert.Equal(3, error.GetProperty("line").GetInt32());
        Assert.Equal("Input Image Urls", error.GetProperty("column").GetString());
        Assert.Equal("invalid_url", error.GetProperty("code").GetString());
        Assert.False(string.IsNullOrWhiteSpace(error.GetProperty("message").GetString()));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "files"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Wrong_calls_are_answered_by_problem_json()
    {
        await using var server = await StartAsync(null, ("Intake:MaxBodyBytes", "4096"));
        await ExpectProblemAsync(await server.Client.GetAsync("status/nonsense", Cancelled), HttpStatusCode.NotFound, "unknown_request");
        await ExpectProblemAsync(
            await server.Client.GetAsync($"status/{Guid.Empty}", Cancelled), HttpStatusCode.NotFound, "unknown_request");
        await ExpectProblemAsync(await server.Client.GetAsync("nowhere", Cancelled), HttpStatusCode.NotFound, "not_found");
        await ExpectProblemAsync(await server.Client.GetAsync("upload", Cancelled), HttpStatusCode.MethodNotAllowed, "method_not_allowed");
        await ExpectProblemAsync(
            await server.Client.PostAsync("upload", new StringContent("<a/>", System.Text.Encoding.UTF8, "application/xml"), Cancelled),
            HttpStatusCode.UnsupportedMediaType,
            "unsupported_media_type");
        await ExpectProblemAsync(
            await server.Client.PostAsync("upload", new MultipartFormDataContent { { new StringContent("60"), "quality" } }, Cancelled),
            HttpStatusCode.BadRequest,
            "missing_file");
        await ExpectProblemAsync(
            await server.PostCsvAsync("Input Image Urls\n", Cancelled, ("quality", "101")), HttpStatusCode.BadRequest, "invalid_quality");
        await ExpectProblemAsync(
            await server.PostCsvAsync("Input Image Urls\n", Cancelled, ("format", "bmp")), HttpStatusCode.BadRequest, "invalid_format");
        await ExpectProblemAsync(
            await server.PostCsvAsync(new byte[8192], Cancelled), HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        await ExpectProblemAsync(await server.Client.GetAsync("images/../halftone.db", Cancelled), HttpStatusCode.NotFound, "not_found");
        await ExpectProblemAsync(
            await server.Client.GetAsync("images/x/%2e%2e%2fhalftone.db", Cancelled), HttpStatusCode.NotFound, "unknown_image");
    }

    private static async Task ExpectProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        using (answer)
        {
            var body = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.True(answer.StatusCode == status, $"{answer.RequestMessage!.RequestUri}: {answer.StatusCode} {body}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            var problem = JsonDocument.Parse(body).RootElement;
            Assert.Equal(code, problem.GetProperty("code").GetString());
            Assert.False(string.IsNullOrWhiteSpace(problem.GetProperty("detail").GetString()));
            Assert.DoesNotContain("   at ", body);
        }
    }
}

public sealed class UploadToResultOnSqlite() : UploadToResultTests(Engine.Sqlite);

public sealed class UploadToResultOnPostgres() : UploadToResultTests(Engine.Postgres);
