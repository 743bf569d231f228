using Halftone.Database;
using Halftone.Pipeline;
using Halftone.Store;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Halftone.Tests.Store;

public abstract class OrphanSweepTests(Engine engine) : OnEachEngine(engine)
{
    private const string Csv = "Product Name,Input Image Urls\nA,{0}\n";

    [Fact]
    public async Task The_daily_sweep_removes_what_no_row_names_and_is_older_than_a_day()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(Format(origin.Url("a.jpg")), Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        var kept = Files(server);
        foreach (var file in kept)
        {
            Age(file);
        }

        var unknown = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();
        string[] old = [Put(server, "images", $"{id}", "a-1-old.jpg"), Put(server, "images", $"{id}", "a-1-old.jpg.part"), Put(server, "files", $"{id}", "result-old.csv"), Put(server, "files", unknown, "upload-old.csv.part")];
        foreach (var file in old)
        {
            Age(file);
        }

        string[] young = [Put(server, "images", $"{id}", "a-1-young.jpg"), Put(server, "files", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "upload-young.csv.part")];
        var foreign = Put(server, "images", "lost+found", "notes.txt");
        Age(foreign);

        await server.Services.GetRequiredService<OrphanSweep>().SweepAsync(Cancelled);

        Assert.Equal(kept.Concat(young).Append(foreign).Order(StringComparer.Ordinal), Files(server));
        Assert.False(Directory.Exists(Path.Combine(server.DataFolder, "files", unknown)));
    }

    [Fact]
    public async Task Of_a_request_with_very_many_objects_several_passes_remove_the_same()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(Format(origin.Url("a.jpg")), Cancelled, ("variants", "a;b;c;d;e;f;g;h"));
        await server.WaitForEndAsync(id, Cancelled);
        var kept = Files(server);
        foreach (var file in kept.Concat(Enumerable.Range(0, 20).Select(i => Put(server, "images", $"{id}", $"a-1-old{i}.jpg"))))
        {
            Age(file);
        }

        var services = server.Services;
        using var sweep = new OrphanSweep(services.GetRequiredService<HalftoneDatabase>(), services.GetRequiredService<IImageStore>(), services.GetRequiredService<IFileStore>(), TimeProvider.System, NullLogger<OrphanSweep>.Instance) { PrintsAtOnce = 2 };
        await sweep.SweepAsync(Cancelled);

        Assert.Equal(kept, Files(server));
    }

    [Fact]
    public async Task What_an_open_request_stored_and_could_not_record_is_left_alone()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", _ => released.Task);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(Format(origin.Url("a.jpg")), Cancelled);
        var file = Put(server, "images", $"{id}", "a-1-old.jpg");
        Age(file);

        await server.Services.GetRequiredService<OrphanSweep>().SweepAsync(Cancelled);

        Assert.True(File.Exists(file));
        released.SetResult();
    }

    [Fact]
    public async Task A_start_removes_at_once_what_a_crash_left()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await StartAfterCrashAsync(async first =>
        {
            var id = await first.UploadAsync(Format(origin.Url("a.jpg")), Cancelled);
            await first.WaitForEndAsync(id, Cancelled);
            var kept = Files(first);
            Put(first, "images", $"{id}", "a-1-left.jpg");
            Put(first, "images", $"{id}", "a-1-left.jpg.part");
            Put(first, "files", $"{id}", "result-left.csv");
            Put(first, "files", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "upload-left.csv");
            Put(first, "images", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "a-1-of-a-deleted-request.jpg");
            return kept;
        });
    }

    [Fact]
    public async Task Where_another_database_left_its_mark_nothing_unknown_is_removed()
    {
        await using var server = await StartAsync();
        var unknown = Put(server, "images", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "a-1-old.jpg");
        Age(unknown);
        var mark = Put(server, "images", Guid.Empty.ToString(), $"{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}.png");
        Age(mark);
        var sweep = server.Services.GetRequiredService<OrphanSweep>();

        await sweep.SweepAsync(Cancelled);
        Assert.True(File.Exists(unknown));

        File.Delete(mark);
        await sweep.SweepAsync(Cancelled);
        Assert.False(File.Exists(unknown));
    }

    [Fact]
    public async Task A_start_leaves_images_and_results_of_requests_that_an_older_database_does_not_know()
    {
        var later = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();
        var ended = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();
        await StartAfterCrashAsync(first =>
        {
            Put(first, "images", later, "a-1-made.jpg");
            Put(first, "files", later, "upload-made.csv");
            Put(first, "files", ended, "upload-made.csv");
            Put(first, "files", ended, "result-made.csv");
            return Task.FromResult(Files(first));
        });
    }

    /// <summary>A server leaves files behind and ends without its mark of an orderly stop; the next keeps those that were named.</summary>
    private async Task StartAfterCrashAsync(Func<HalftoneServer, Task<string[]>> leave)
    {
        var folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
        try
        {
            string[] kept;
            await using (var first = await StartAsync(folder))
            {
                kept = await leave(first);
                await first.StopAsync(Cancelled);
                File.Delete(Path.Combine(folder, "clean"));
            }

            await using var second = await StartAsync(folder);
            Assert.Equal(kept, Files(second));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Format(Uri url) => Csv.Replace("{0}", url.AbsoluteUri, StringComparison.Ordinal);

    private static string Put(HalftoneServer server, string store, string prefix, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(server.DataFolder, store, prefix));
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, "x");
        return path;
    }

    private static void Age(string path) => File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-25));

    private static string[] Files(HalftoneServer server) =>
        [.. new[] { "files", "images" }.SelectMany(store => Directory.EnumerateFiles(Path.Combine(server.DataFolder, store), "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];
}

public sealed class OrphanSweepOnSqlite() : OrphanSweepTests(Engine.Sqlite);

public sealed class OrphanSweepOnPostgres() : OrphanSweepTests(Engine.Postgres);
