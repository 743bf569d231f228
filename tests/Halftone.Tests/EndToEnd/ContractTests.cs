using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Halftone.Codec.Tests.Images;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

public abstract class ContractTests(Engine engine) : OnEachEngine(engine)
{
    [Fact]
    public async Task A_csv_is_taken_as_a_form_as_json_as_text_and_compressed_alike()
    {
        await using var server = await StartAsync();
        const string Empty = "Product Name,Input Image Urls\nMug,\n";
        var gzip = Gzip(Encoding.UTF8.GetBytes(Empty));
        var bodies = new (string Path, HttpContent Body)[]
        {
            ("upload", new MultipartFormDataContent { { new StringContent(Empty), "file", "p.csv" } }),
            ("upload", new MultipartFormDataContent { { new ByteArrayContent(gzip), "file", "p.csv.gz" } }),
            ("upload", JsonContent.Create(new { csv = Empty, quality = 60, file_name = "p.csv" })),
            ("upload?quality=60&file_name=p.csv", Text(Encoding.UTF8.GetBytes(Empty))),
            ("upload", Text(gzip)),
            ("upload", Text(gzip, "gzip")),
        };
        foreach (var (path, body) in bodies)
        {
            using var answer = await server.Client.PostAsync(path, body, Cancelled);
            var text = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.True(answer.IsSuccessStatusCode, text);
            var id = JsonDocument.Parse(text).RootElement.GetProperty("request_id").GetGuid();
            await server.WaitForEndAsync(id, Cancelled);
            Assert.Equal("Product Name,Input Image Urls,Output Image Urls,Image Errors\nMug,,,\n", await server.ResultAsync(id, Cancelled));
        }

        Assert.Equal(2, await server.CountAsync("SELECT count(*) FROM request WHERE quality = 60 AND file_name = 'p.csv'", Cancelled));
    }

    [Fact]
    public async Task Options_in_the_query_are_taken_beside_every_body()
    {
        await using var server = await StartAsync();
        const string Empty = "Product Name,Input Image Urls\nMug,\n";
        foreach (var make in new Func<HttpContent>[]
        {
            () => new MultipartFormDataContent { { new StringContent(Empty), "file", "of-the-part.csv" } },
            () => JsonContent.Create(new { csv = Empty }),
            () => Text(Encoding.UTF8.GetBytes(Empty)),
        })
        {
            using var onlyChecked = await server.Client.PostAsync("upload?validate_only=true", make(), Cancelled);
            Assert.True((await onlyChecked.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("valid").GetBoolean());
            using var answer = await server.Client.PostAsync("upload?quality=10&format=JPG&file_name=p.csv", make(), Cancelled);
            var text = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.True(answer.IsSuccessStatusCode, text);
            await server.WaitForEndAsync(JsonDocument.Parse(text).RootElement.GetProperty("request_id").GetGuid(), Cancelled);
        }

        Assert.Equal(
            3,
            await server.CountAsync(
                "SELECT count(*) FROM request WHERE quality = 10 AND format = 'jpeg' AND file_name = 'p.csv'", Cancelled));
        Assert.Equal(3, await server.CountAsync("SELECT count(*) FROM request", Cancelled));
    }

    [Fact]
    public async Task A_field_that_is_given_twice_or_not_known_is_named_wherever_it_stands()
    {
        await using var server = await StartAsync();
        HttpContent Form(params string[] fields)
        {
            var form = new MultipartFormDataContent { { new StringContent("Input Image Urls\n"), "file", "p.csv" } };
            foreach (var field in fields)
            {
                form.Add(new StringContent("50"), field);
            }

            return form;
        }

        HttpContent Json(string members) =>
            new StringContent($$"""{"csv":"Input Image Urls\n",{{members}}}""", Encoding.UTF8, "application/json");
        HttpContent Raw() => new StringContent("Input Image Urls\n", Encoding.UTF8, "text/csv");
        foreach (var (query, body, code, name) in new[]
        {
            ("?quality=60", Form("quality"), "repeated_field", "quality"),
            ("?quality=60", Json("\"quality\":50"), "repeated_field", "quality"),
            ("?file_name=a", Json("\"file_name\":\"b\""), "repeated_field", "file_name"),
            ("", Form("quality", "quality"), "repeated_field", "quality"),
            ("", Json("\"quality\":50,\"quality\":50"), "repeated_field", "quality"), ("", Json("\"csv\":\"a\""), "repeated_field", "csv"),
            ("?quality=50&quality=50", Raw(), "repeated_field", "quality"),
            ("?file_name=a&file_name=b", Form(), "repeated_field", "file_name"),
            ("?quality=&quality=5", Json("\"reuse\":true"), "repeated_field", "quality"),
            ("?qualty=50", Form(), "unknown_field", "qualty"), ("?qualty=50", Json("\"reuse\":true"), "unknown_field", "qualty"),
            ("?qualty=50", Raw(), "unknown_field", "qualty"), ("?file=a", Form(), "unknown_field", "file"),
            ("", Form("file_name"), "unknown_field", "file_name"),
        })
        {
            using var answer = await server.Client.PostAsync("upload" + query, body, Cancelled);
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
            Assert.Equal((HttpStatusCode.BadRequest, code), (answer.StatusCode, problem.GetProperty("code").GetString()));
            Assert.StartsWith($"The field '{name}' is ", problem.GetProperty("detail").GetString());
        }

        Assert.Empty(Entries(server));
    }

    [Fact]
    public async Task A_byte_order_mark_before_json_is_skipped()
    {
        await using var server = await StartAsync();
        ByteArrayContent Marked(string json) =>
            new([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(json)])
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            };
        using var upload = await server.Client.PostAsync(
            "upload", Marked("""{"csv":"Product Name,Input Image Urls\nMug,\n"}"""), Cancelled);
        Assert.True(upload.IsSuccessStatusCode, await upload.Content.ReadAsStringAsync(Cancelled));
        using var webhook = await server.Client.PostAsync("webhook", Marked("""{"callback_url":"http://127.0.0.1:9/"}"""), Cancelled);
        Assert.True(webhook.IsSuccessStatusCode, await webhook.Content.ReadAsStringAsync(Cancelled));
    }

    [Theory]
    [InlineData("12%22 lamps.csv", "12\" lamps.csv")]
    [InlineData("50%25 off, %2522 and %0d.csv", "50%25 off, %2522 and %0d.csv")]
    [InlineData("a%0D%0ASet-Cookie: b.csv", "aSet-Cookie: b.csv")]
    public async Task A_file_name_is_read_as_browsers_and_curl_write_it(string sent, string name)
    {
        await using var server = await StartAsync();
        using var body = new StringContent(
            $"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{sent}\"\r\n\r\nProduct Name,Input Image "
                + $"Urls\nMug,\n\r\n--x--\r\n")
        {
            Headers = { ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x") },
        };
        using var answer = await server.Client.PostAsync("upload", body, Cancelled);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("request_id").GetGuid();
        Assert.Equal(name, (await server.WaitForEndAsync(id, Cancelled)).GetProperty("file_name").GetString());
        foreach (var path in new[] { "csv", "ndjson" })
        {
            using var result = await server.Client.GetAsync($"results/{id}.{path}", Cancelled);
            Assert.Equal(
                name.Replace(".csv", $"-result.{path}", StringComparison.Ordinal), result.Content.Headers.ContentDisposition!.FileNameStar);
        }
    }

    [Theory]
    [InlineData("""{"csv":1}""", "missing_file")]
    [InlineData("""{"csv":"Input Image Urls\n""", "invalid_json")]
    [InlineData("""{"csv":"Input Image Urls\n","qualty":60}""", "unknown_field")]
    [InlineData("""{"csv":"Input Image Urls\n","quality":0}""", "invalid_quality")]
    [InlineData("""[]""", "missing_file")]
    public async Task A_json_body_of_no_use_is_named(string body, string code)
    {
        await using var server = await StartAsync();
        using var answer = await server.Client.PostAsync("upload", new StringContent(body, Encoding.UTF8, "application/json"), Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("code").GetString());
    }

    public static TheoryData<string, string, byte[]> BrokenBodies => new()
    {
        {
            "multipart/form-data; boundary=x",
            "broken_body",
            Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nInput Image Urls\n")
        },
        { "multipart/form-data; boundary=x", "broken_body", Encoding.ASCII.GetBytes("no boundary at all") },
        { "multipart/form-data; boundary=x", "broken_body", [] },
        { "multipart/form-data; boundary=x", "broken_body", Encoding.ASCII.GetBytes("--x\r\n" + new string('h', 40_000)) },
        {
            "multipart/form-data; boundary=x", "broken_multipart",
            Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n")
        },
        { "multipart/form-data", "broken_multipart", Encoding.ASCII.GetBytes("--x--\r\n") },
        { "application/json", "invalid_json", Encoding.Latin1.GetBytes("{\"csv\":\"Caf\u00e9\"}") },
        { "application/json", "invalid_json", Encoding.ASCII.GetBytes("{\"csv\":\"\\ud800\"}") },
        { "application/json", "invalid_quality", Encoding.ASCII.GetBytes("{\"csv\":\"a\",\"quality\":\"\\ud800\"}") },
        { "application/gzip", "broken_body", [0x1F, 0x8B, 8, 0, 1, 2, 3] },
        { "text/csv", "empty_file", [] },
    };

    [Theory]
    [MemberData(nameof(BrokenBodies))]
    public async Task A_broken_body_is_the_senders_fault_and_leaves_nothing(string type, string code, byte[] body)
    {
        await using var server = await StartAsync();
        using var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        using var answer = await server.Client.PostAsync("upload", content, Cancelled);
        var text = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.Equal(code, JsonDocument.Parse(text).RootElement.GetProperty("code").GetString());
        Assert.Empty(Entries(server));
    }

    [Fact]
    public async Task An_upload_beyond_those_that_are_taken_in_at_a_time_is_asked_to_come_again()
    {
        await using var server = await StartAsync(null, ("Intake:MaxUploads", "1"));
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = server.Client.PostAsync("upload", new SlowContent(held.Task), Cancelled);
        await Eventually.TrueAsync(() => Entries(server).Any());

        using var refused = await server.PostCsvAsync("Input Image Urls\n", Cancelled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);

        held.SetResult();
        using var accepted = await slow;
        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
    }

    [Fact]
    public async Task A_small_gzip_that_holds_a_huge_file_is_refused_at_the_limit_and_leaves_nothing()
    {
        await using var server = await StartAsync(null, ("Intake:MaxBodyBytes", "1000000"));
        using var answer = await server.Client.PostAsync("upload", Text(Gzip(new byte[50_000_000])), Cancelled);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "files"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Validate_only_says_what_would_happen_and_keeps_nothing()
    {
        await using var server = await StartAsync();
        var checkedFile = await CheckAsync(
            server,
            "Serial;Titel;Product Name;Input Image Urls\n1;x;Mug;https://a.example/1.jpg\n2;y;Cup;https://a.example/2.jpg, "
                + "http://b.example:8080/3.jpg\n");
        Assert.True(checkedFile.GetProperty("valid").GetBoolean());
        Assert.Equal("utf-8 semicolon", checkedFile.GetProperty("dialect").GetString());
        Assert.Equal("Input Image Urls", checkedFile.GetProperty("columns").GetProperty("image_urls").GetString());
        Assert.Equal((2, 3), (checkedFile.GetProperty("products").GetInt32(), checkedFile.GetProperty("images").GetInt32()));
        Assert.Equal(
            ["a.example 2", "b.example 1"],
            checkedFile
                .GetProperty("hosts")
                .EnumerateArray()
                .Select(h => $"{h.GetProperty("host").GetString()} {h.GetProperty("count").GetInt32()}"));

        var wrong = await CheckAsync(server, "Product Name,Input Image Urls\nMug,nothing\n");
        Assert.False(wrong.GetProperty("valid").GetBoolean());
        Assert.Equal(2, wrong.GetProperty("errors")[0].GetProperty("line").GetInt32());

        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM request", Cancelled));
        Assert.Empty(Entries(server));
    }

    [Fact]
    public async Task Lines_tell_everything_of_an_image_and_the_failed_rows_can_be_uploaded_as_they_are()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var (good, bad) = (origin.Url("a.jpg"), origin.Url("gone.jpg"));
        var id = await server.UploadAsync(
            $"S. No.,Product Name,Input Image Urls\n007,\"Mug, blue\",\"{good},{bad}\"\n008,Cup,{good}\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);

        var lines = (await server.Client.GetStringAsync($"results/{id}.ndjson", Cancelled))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToArray();
        Assert.Equal(3, lines.Length);
        Assert.Equal(
            ("007", 2, 1),
            (
                lines[0].GetProperty("serial_number").GetString(),
                lines[0].GetProperty("line").GetInt32(),
                lines[0].GetProperty("number").GetInt32()));
        var output = await server.Client.GetByteArrayAsync(lines[0].GetProperty("output_url").GetString(), Cancelled);
        Assert.Equal(output.Length, lines[0].GetProperty("output_bytes").GetInt32());
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(output)), lines[0].GetProperty("sha256").GetString());
        Assert.Equal(
            ("http_status", 404), (lines[1].GetProperty("error_code").GetString(), lines[1].GetProperty("http_status").GetInt32()));

        var failed = await server.Client.GetStringAsync($"results/{id}/failed.csv", Cancelled);
        Assert.Equal(
            $"S. No.,Product Name,Input Image Urls\n007,\"Mug, blue\",{bad}\n",
            failed.Replace($"\"{bad}\"", bad.ToString(), StringComparison.Ordinal));
        await server.UploadAsync(failed, Cancelled);
    }

    [Fact]
    public async Task What_did_not_change_is_not_sent_again()
    {
        await using var server = await StartAsync();
        var id = await server.UploadAsync("Product Name,Input Image Urls\nMug,\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        foreach (var path in new[] { $"status/{id}", $"results/{id}.csv", $"results/{id}.ndjson", $"results/{id}/failed.csv" })
        {
            using var first = await server.Client.GetAsync(path, Cancelled);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            using var again = new HttpRequestMessage(HttpMethod.Get, path)
            {
                Headers = { { "If-None-Match", first.Headers.ETag?.ToString() ?? await TagAsync(server, path) } },
            };
            using var second = await server.Client.SendAsync(again, Cancelled);
            Assert.True(second.StatusCode == HttpStatusCode.NotModified, path);
        }

        using var result = await server.Client.GetAsync($"results/{id}.csv", Cancelled);
        Assert.Equal("products-result.csv", result.Content.Headers.ContentDisposition!.FileName);
    }

    [Fact]
    public async Task A_result_is_named_after_its_file_in_any_script_and_its_formulas_are_guarded_when_asked_for()
    {
        await using var server = await StartAsync();
        using var form = new MultipartFormDataContent
        {
            { new StringContent("Product Name,Input Image Urls,Note\nMug,,=1+1\n"), "file", "r\u00e9sum\u00e9 \u76ee\u5f55.csv" },
            { new StringContent("true"), "escape_formulas" },
        };
        using var answer = await server.Client.PostAsync("upload", form, Cancelled);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("request_id").GetGuid();
        await server.WaitForEndAsync(id, Cancelled);
        using var result = await server.Client.GetAsync($"results/{id}.csv", Cancelled);
        Assert.Equal(
            ("r\u00e9sum\u00e9 \u76ee\u5f55-result.csv", "r_sum_ __-result.csv"),
            (result.Content.Headers.ContentDisposition!.FileNameStar, result.Content.Headers.ContentDisposition.FileName!.Trim('"')));
        Assert.Equal(
            "Product Name,Input Image Urls,Note,Output Image Urls,Image Errors\nMug,,\"'=1+1\",,\n",
            await result.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task A_gif_and_an_avif_stay_what_they_are_a_tiff_becomes_a_jpeg_and_what_cannot_shrink_is_kept()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.tiff", TiffFile.Write(64, 64, 3, 8, [.. Enumerable.Range(0, 64 * 64 * 3).Select(i => (byte)(i * 7 % 251))]));
        await using var server = await StartAsync();
        foreach (var format in new[] { "gif", "avif", "jpeg" })
        {
            var made = Assert.Single(await OutputsAsync($"Images\n{origin.Url("a.tiff")}\n", ("format", format)));
            origin.Serve($"/a.{format}", await server.Client.GetByteArrayAsync(made.GetProperty("output_url").GetString(), Cancelled));
        }

        var outputs = await OutputsAsync(
            $"Images\n\"{string.Join(',', new[] { "a.gif", "a.avif", "a.tiff", "a.jpeg" }.Select(origin.Url))}\"\n");
        var types = new List<string?>();
        foreach (var output in outputs)
        {
            using var answer = await server.Client.GetAsync(output.GetProperty("output_url").GetString(), Cancelled);
            types.Add($"{Path.GetExtension(output.GetProperty("output_url").GetString())} {answer.Content.Headers.ContentType}");
        }

        Assert.Equal([".gif image/gif", ".avif image/avif", ".jpg image/jpeg", ".jpg image/jpeg"], types);
        Assert.False(outputs[2].GetProperty("kept_original").GetBoolean());
        Assert.True(outputs[3].GetProperty("kept_original").GetBoolean());

        async Task<JsonElement[]> OutputsAsync(string csv, params (string, string)[] fields)
        {
            var id = await server.UploadAsync(csv, Cancelled, fields);
            await server.WaitForEndAsync(id, Cancelled);
            return [
                .. (await server.Client.GetStringAsync($"results/{id}.ndjson", Cancelled))
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => JsonDocument.Parse(line).RootElement),
            ];
        }
    }

    [Fact]
    public async Task Events_tell_each_step_and_end_with_the_request()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await StartAsync();
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nMug,{origin.Url("a.jpg")}\n", Cancelled);

        using var answer = await server.Client.GetAsync($"status/{id}/events", HttpCompletionOption.ResponseHeadersRead, Cancelled);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancelled));
        Assert.Equal("event: status", await reader.ReadLineAsync(Cancelled));
        Assert.Contains("\"completed\":0", await reader.ReadLineAsync(Cancelled));
        released.SetResult();
        var rest = await reader.ReadToEndAsync(Cancelled);
        Assert.Contains("\"status\":\"COMPLETED\"", rest);
        Assert.EndsWith("event: end\ndata: {}\n\n", rest);
    }

    [Fact]
    public async Task The_status_comes_in_pages_that_together_are_the_whole_file()
    {
        await using var server = await StartAsync();
        var id = await server.UploadAsync(
            "Product Name,Input Image Urls\n" + string.Concat(Enumerable.Range(1, 25).Select(i => $"P{i},\n")), Cancelled);
        var names = new List<string>();
        var query = "?limit=10";
        while (true)
        {
            var page = await server.StatusAsync(id, Cancelled, query);
            names.AddRange(page.GetProperty("products").EnumerateArray().Select(p => p.GetProperty("product_name").GetString()!));
            if (!page.TryGetProperty("next_cursor", out var cursor))
            {
                break;
            }

            query = $"?limit=10&cursor={cursor.GetString()}";
        }

        Assert.Equal(Enumerable.Range(1, 25).Select(i => $"P{i}"), names);
    }

    private static IEnumerable<string> Entries(HalftoneServer server)
    {
        var files = Path.Combine(server.DataFolder, "files");
        return Directory.Exists(files) ? Directory.EnumerateFileSystemEntries(files) : [];
    }

    /// <summary>A CSV whose last byte comes when it is told to.</summary>
    private sealed class SlowContent : HttpContent
    {
        private readonly Task held;

        public SlowContent(Task held)
        {
            this.held = held;
            Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("Product Name,Input Image Urls\nMug,"u8.ToArray());
            await stream.FlushAsync();
            await held;
            await stream.WriteAsync("\n"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private static async Task<JsonElement> CheckAsync(HalftoneServer server, string csv)
    {
        using var answer = await server.PostCsvAsync(csv, Cancelled, ("validate_only", "true"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
    }

    private static async Task<string> TagAsync(HalftoneServer server, string path)
    {
        using var answer = await server.Client.GetAsync(path, Cancelled);
        return answer.Headers.GetValues("ETag").Single();
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }

        return memory.ToArray();
    }

    private static ByteArrayContent Text(byte[] bytes, string? encoding = null)
    {
        var content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } };
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        return content;
    }
}

public sealed class ContractOnSqlite() : ContractTests(Engine.Sqlite);

public sealed class ContractOnPostgres() : ContractTests(Engine.Postgres);
