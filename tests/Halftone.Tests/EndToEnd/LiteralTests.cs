using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Halftone.Database;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.EndToEnd;

/// <summary>Calls as somebody makes them who has read the design documents and nothing else.</summary>
public abstract class LiteralTests(Engine engine) : OnEachEngine(engine)
{
    private const string Csv = "S. No.,Product Name,Input Image Urls\n1,Mug,\n";

    [Fact]
    public async Task A_callback_whose_name_does_not_resolve_is_registered_and_registered_twice_is_one()
    {
        await using var server = await StartAsync();
        var first = await PostAsync(server, "api/v1/webhook", """{"callback_url":"http://receiver.invalid/webhook"}""");
        var second = await PostAsync(server, "webhook", """{"callback_url":"http://receiver.invalid/webhook"}""");
        Assert.Equal("Webhook registered successfully.", first.GetProperty("message").GetString());
        Assert.Equal(first.GetProperty("webhook_id").GetString(), second.GetProperty("webhook_id").GetString());
        Assert.Equal(first.GetProperty("secret").GetString(), second.GetProperty("secret").GetString());
        var registered = await server.Client.GetFromJsonAsync<JsonElement>("webhook", Cancelled);
        Assert.Equal(1, registered.GetProperty("webhooks").GetArrayLength());
    }

    [Theory]
    [InlineData("ftp://receiver.example/")]
    [InlineData("http://10.0.0.1/hook")]
    [InlineData("http://user:secret@receiver.example/hook")]
    public async Task A_callback_that_can_never_be_called_is_refused_with_a_sentence(string callback)
    {
        await using var server = await StartAsync();
        using var answer = await server.Client.PostAsJsonAsync("webhook", new { callback_url = callback }, Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.StartsWith("'callback_url' ", (await BodyAsync(answer)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("webhookUrl")]
    [InlineData("callback_url")]
    [InlineData("callbackUrl")]
    public async Task The_webhook_of_an_upload_has_other_spellings(string field)
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var server = await StartAsync();
        await server.UploadAsync(Csv, Cancelled, (field, receiver.Url().AbsoluteUri));
        await receiver.NextAsync(Cancelled);
    }

    [Fact]
    public async Task A_csv_comes_as_the_member_file_of_json_as_bytes_of_no_type_or_as_octets()
    {
        await using var server = await StartAsync();
        var json = await PostAsync(server, "upload", JsonSerializer.Serialize(new { file = Csv }));
        Assert.Equal(1, json.GetProperty("products").GetInt64());

        using var untyped = await server.Client.PostAsync("upload", new ByteArrayContent(Encoding.UTF8.GetBytes(Csv)), Cancelled);
        Assert.Equal(1, (await BodyAsync(untyped)).GetProperty("products").GetInt64());

        using var octets = new ByteArrayContent(Encoding.UTF8.GetBytes(Csv))
        {
            Headers = { ContentType = new("application/octet-stream") },
        };
        using var taken = await server.Client.PostAsync("upload", octets, Cancelled);
        Assert.Equal(1, (await BodyAsync(taken)).GetProperty("products").GetInt64());

        using var nothing = await server.Client.PostAsync("upload", null, Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
    }

    [Fact]
    public async Task An_event_is_named_by_the_words_of_the_documents()
    {
        await using var server = await StartAsync();
        var id = await server.UploadAsync(Csv, Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        using var agreed = await server.Client.PostAsJsonAsync("webhook", new { request_id = id, status = "complete" }, Cancelled);
        Assert.Contains("no_webhook", await agreed.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        using var disagreed = await server.Client.PostAsJsonAsync("webhook", new { request_id = id, status = "failed" }, Cancelled);
        Assert.Contains("event_disagrees", await disagreed.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_database_has_views_in_the_words_of_the_documents()
    {
        await using var server = await StartAsync();
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        var id = await server.UploadAsync($"S. No.,Product Name,Input Image Urls\n007,Mug,{origin.Url("/missing.jpg")}\n", Cancelled);
        await server.WaitForEndAsync(id, Cancelled);

        var database = server.Services.GetRequiredService<HalftoneDatabase>();
        var request = await database.ReadAsync(
            connection => connection.QuerySingleAsync<ViewedRequest>("SELECT status, webhook_url, output_file_path FROM requests"),
            Cancelled);
        Assert.Equal("failed", request.Status);
        Assert.NotEmpty(request.OutputFilePath);
        var image = await database.ReadAsync(
            connection => connection.QuerySingleAsync<ViewedImage>(
                "SELECT p.serial_number, p.product_name, i.input_image_url, i.output_image_url, i.status FROM images i JOIN products p ON "
                    + "p.id = i.product_id"),
            Cancelled);
        Assert.Equal(new ViewedImage("007", "Mug", origin.Url("/missing.jpg").ToString(), null, "failed"), image);
    }

    [Fact]
    public async Task Two_new_servers_never_send_one_event_id()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var one = await StartAsync();
        await using var other = await HalftoneServer.StartAsync(Cancelled);
        await one.UploadAsync(Csv, Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));
        await other.UploadAsync(Csv, Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));
        var ids = new[] { await receiver.NextAsync(Cancelled), await receiver.NextAsync(Cancelled) }.Select(
            r => r.Headers["webhook-id"].ToString());
        Assert.Equal(2, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.All(ids, id => Assert.Matches("^msg_[0-9a-f]{12}7[0-9a-f]{19}_[0-9]+$", id));
    }

    [Fact]
    public async Task The_log_of_deliveries_says_where_an_endpoint_redirects_to()
    {
        await using var receiver = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Response.StatusCode = 307;
                context.Response.Headers.Location = "https://shop.example/new";
                return Task.CompletedTask;
            },
            Cancelled);
        await using var server = await StartAsync(null, ("Webhook:RetrySchedule", "1h"));
        var id = await server.UploadAsync(Csv, Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));
        await receiver.NextAsync(Cancelled);
        JsonElement[] attempts = [];
        await Eventually.TrueAsync(async () =>
        {
            var list = await server.Client.GetFromJsonAsync<JsonElement>($"requests/{id}/deliveries", Cancelled);
            attempts = [.. list.GetProperty("deliveries")[0].GetProperty("attempts").EnumerateArray()];
            return attempts.Length > 0;
        });
        Assert.Equal("https://shop.example/new", attempts.Single().GetProperty("location").GetString());
    }

    private static async Task<JsonElement> PostAsync(HalftoneServer server, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await server.Client.PostAsync(path, content, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await BodyAsync(answer);
    }

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled)).RootElement;

    private sealed record ViewedRequest
    {
        public required string Status { get; init; }

        public required string OutputFilePath { get; init; }
    }

    private sealed record ViewedImage(string SerialNumber, string ProductName, string InputImageUrl, string? OutputImageUrl, string Status);
}

public sealed class LiteralsOnSqlite() : LiteralTests(Engine.Sqlite)
{
    [Fact]
    public async Task The_database_file_and_its_folder_are_for_their_user_alone()
    {
        var folder = Path.Combine(Folder, "new");
        await using var server = await StartAsync(folder);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(folder));
        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(Path.Combine(folder, "halftone.db")));
    }
}

public sealed class LiteralsOnPostgres() : LiteralTests(Engine.Postgres);
