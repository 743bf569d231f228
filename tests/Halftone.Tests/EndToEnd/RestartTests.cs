using Halftone.Cli;
using Halftone.Store;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

public abstract class RestartTests(Engine engine) : OnEachEngine(engine)
{
    [Fact]
    public async Task A_request_that_was_unfinished_when_the_server_stopped_goes_on_after_the_next_start()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/now.jpg", Picture.Jpeg).Serve("/later.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        var folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
        try
        {
            Guid id;
            await using (var first = await StartAsync(folder))
            {
                id = await first.UploadAsync($"Product Name,Input Image Urls\nA,{origin.Url("now.jpg")}\nB,{origin.Url("later.jpg")}\n", Cancelled);
                await first.WaitForAsync(id, status => status.GetProperty("progress").GetProperty("completed").GetInt32() == 1, Cancelled);
                await first.StopAsync(Cancelled);
            }

            released.SetResult();
            await using var second = await StartAsync(folder);
            var status = await second.WaitForEndAsync(id, Cancelled);
            Assert.Equal(2, status.GetProperty("progress").GetProperty("completed").GetInt32());
            Assert.Equal(1, origin.CountOf("/now.jpg"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Files_of_unfinished_requests_are_looked_at_after_anything_but_a_stop_in_order(bool endedInOrder)
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/now.jpg", Picture.Jpeg).Serve("/later.jpg", async context =>
        {
            await released.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        var folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
        try
        {
            Guid id;
            await using (var first = await StartAsync(folder))
            {
                id = await first.UploadAsync($"Product Name,Input Image Urls\nA,{origin.Url("now.jpg")}\nB,{origin.Url("later.jpg")}\n", Cancelled);
                await first.WaitForAsync(id, status => status.GetProperty("progress").GetProperty("completed").GetInt32() == 1, Cancelled);
                await first.StopAsync(Cancelled);
            }

            var mark = Path.Combine(folder, "clean");
            Assert.True(File.Exists(mark));
            if (!endedInOrder)
            {
                File.Delete(mark);
            }

            // As a power failure leaves a file that was renamed and not flushed.
            await File.WriteAllBytesAsync(Directory.EnumerateFiles(Path.Combine(folder, "images"), "*", SearchOption.AllDirectories).Single(), [], Cancelled);
            await using var second = await StartAsync(folder);
            Assert.False(File.Exists(mark));
            released.SetResult();
            await second.WaitForEndAsync(id, Cancelled);
            Assert.Equal(endedInOrder ? 1 : 2, origin.CountOf("/now.jpg"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_with_a_sentence()
    {
        await using var first = await StartAsync();
        var refused = await Assert.ThrowsAsync<DataFolderException>(() => StartAsync(first.DataFolder));
        Assert.Equal(refused.Message, ServeCommand.Explain(refused));
        Assert.Contains(first.DataFolder, refused.Message);
    }

    [Fact]
    public async Task Equal_urls_of_a_file_are_fetched_and_stored_once_and_named_in_every_row()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var url = origin.Url("a.jpg");
        var missing = origin.Url("missing.jpg");
        var id = await server.UploadAsync($"Product Name,Input Image Urls\nA,{url}\nB,\"{url},{missing}\"\nC,{missing}\n", Cancelled);
        var status = await server.WaitForEndAsync(id, Cancelled);

        Assert.Equal((2, 2, 4), (Count(status, "completed"), Count(status, "failed"), Count(status, "total")));
        Assert.Equal((1, 1), (origin.CountOf("/a.jpg"), origin.CountOf("/missing.jpg")));
        Assert.Single(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "images"), "*", SearchOption.AllDirectories));
        var outputs = status.GetProperty("products").EnumerateArray().SelectMany(p => p.GetProperty("images").EnumerateArray()).Where(i => i.TryGetProperty("output_url", out _)).Select(i => i.GetProperty("output_url").GetString());
        Assert.Single(outputs.Distinct());
    }

    private static int Count(System.Text.Json.JsonElement status, string name) => status.GetProperty("progress").GetProperty(name).GetInt32();
}

public sealed class RestartOnSqlite() : RestartTests(Engine.Sqlite);

public sealed class RestartOnPostgres() : RestartTests(Engine.Postgres);
