using System.IO.Compression;
using System.Text;
using Halftone.Cli;
using Halftone.Store;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Cli;

/// <summary>What <c>halftone run</c> does to its folder, in this process; codec children are real.</summary>
public sealed class LocalRunTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("halftone-run-").FullName;
    private readonly Watcher watcher = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(scratch, "out");

    private string Result => Path.Combine(Folder, "products-result.csv");

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public async Task The_folder_gets_the_images_and_the_result_csv_names_them_by_paths_beside_it()
    {
        await using var origin = await OriginAsync();
        // Whatever the servers of this machine are set to use.
        (string, string)[] cluster = [("Database:ConnectionString", "Host=database.invalid"), ("Queue:Uri", "amqp://broker.invalid"), ("Server:Role", "worker")];
        var run = await RunAsync(WriteCsv($"007,Mug,\"{origin.Url("a.jpg")},{origin.Url("b.jpg")}\"", $"008,Lamp,{origin.Url("a.jpg")}"), Cancelled, cluster);

        Assert.Equal((Result, 3L, "COMPLETED"), (run.ResultPath, run.Completed, run.Request.Status));
        Assert.Equal([".halftone", "images", "products-result.csv"], Directory.EnumerateFileSystemEntries(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var lines = await File.ReadAllLinesAsync(Result, Cancelled);
        Assert.Equal("S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors", lines[0]);
        var paths = lines[2].Split(',')[3..4].Concat(lines[1].Split('"')[3].Split(',')).ToArray();
        Assert.All(paths, path => Assert.StartsWith($"images/{run.Request.RequestId}/007-", path));
        Assert.Equal(2, paths.Distinct().Count());
        Assert.All(paths, path => Assert.InRange(new FileInfo(Path.Combine(Folder, path)).Length, 1, Picture.Jpeg.Length));
    }

    [Fact]
    public async Task A_run_that_was_stopped_goes_on_and_does_again_only_what_got_lost()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await OriginAsync();
        origin.Serve("/late.jpg", async context =>
        {
            await gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}", $"2,B,{origin.Url("b.jpg")}", $"3,C,{origin.Url("late.jpg")}");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = RunAsync(csv, stop.Token, ("Fetch:AttemptTimeout", "00:10:00"));
        await watcher.SeenAsync("2 of 3 images");
        await stop.CancelAsync();
        var stopped = await running;
        Assert.Equal((null, 2L, 2L), (stopped.ResultPath, stopped.Completed, stopped.Request.Progress.Completed));
        Assert.False(File.Exists(Result));

        // Lost meanwhile, so done again.
        File.Delete(Directory.EnumerateFiles(Path.Combine(Folder, "images"), "2-1-*", SearchOption.AllDirectories).Single());
        gate.SetResult();
        var second = await RunAsync(csv);
        Assert.Equal((Result, 3L), (second.ResultPath, second.Request.Progress.Completed));
        Assert.Equal((1, 2, 2), (origin.CountOf("/a.jpg"), origin.CountOf("/b.jpg"), origin.CountOf("/late.jpg")));
    }

    [Fact]
    public async Task The_same_command_again_tries_only_what_failed_and_then_nothing()
    {
        await using var origin = await OriginAsync();
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}", $"2,B,{origin.Url("c.jpg")}");
        var first = await RunAsync(csv);
        Assert.Equal((1L, 1L, ExitCode.SomeFailed), (first.Request.Progress.Completed, first.Request.Progress.Failed, Report.ExitCodeOf(first.Request)));
        Assert.EndsWith(",,1: http_404\n", await File.ReadAllTextAsync(Result, Cancelled));

        origin.Serve("/c.jpg", Picture.Jpeg);
        var second = await RunAsync(csv);
        Assert.Equal((2L, 1L, ExitCode.Done), (second.Request.Progress.Completed, second.Completed, Report.ExitCodeOf(second.Request)));
        Assert.DoesNotContain("http_404", await File.ReadAllTextAsync(Result, Cancelled));

        File.Delete(Result);
        var third = await RunAsync(csv);
        Assert.Equal((2L, 0L, TimeSpan.Zero), (third.Request.Progress.Completed, third.Completed, third.Took));
        Assert.True(File.Exists(Result));
        Assert.Equal((1, 2), (origin.CountOf("/a.jpg"), origin.CountOf("/c.jpg")));
    }

    [Fact]
    public async Task Another_file_or_other_options_are_refused_until_the_earlier_work_may_be_replaced()
    {
        await using var origin = await OriginAsync();
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}");
        var first = await RunAsync(csv);
        var kept = await File.ReadAllTextAsync(Result, Cancelled);

        var otherOptions = await RefusedAsync(new RunChoices { File = csv, Folder = Folder, Quality = 30 });
        Assert.Equal("other_file", otherOptions.Code);
        Assert.Equal("other_file", (await RefusedAsync(new RunChoices { File = csv, Folder = Folder, MaxHeight = 30 })).Code);
        WriteCsv($"1,A,{origin.Url("b.jpg")}");
        var refused = await RefusedAsync(new RunChoices { File = csv, Folder = Folder });
        Assert.Equal(
            $"'{Folder}' holds the work on another file or with other options ('products.csv', 1 of 1 images done). Choose another folder with --out, or remove that work with --replace.", refused.Detail);

        // A bad file removes nothing.
        await File.WriteAllTextAsync(csv, "Product Name,Input Image Urls\nA,not a url\n", Cancelled);
        Assert.Equal("bad_csv", (await RefusedAsync(new RunChoices { File = csv, Folder = Folder, Replace = true })).Code);
        Assert.Equal(kept, await File.ReadAllTextAsync(Result, Cancelled));

        WriteCsv($"1,A,{origin.Url("b.jpg")}");
        var second = await RunAsync(new RunChoices { File = csv, Folder = Folder, Replace = true, MaxWidth = 64 });
        Assert.Equal(64, Picture.SizeOf(await File.ReadAllBytesAsync(Directory.EnumerateFiles(Path.Combine(Folder, "images"), "*", SearchOption.AllDirectories).Single(), Cancelled)).Width);
        Assert.NotEqual(first.Request.RequestId, second.Request.RequestId);
        Assert.Equal([second.Request.RequestId.ToString()], Directory.EnumerateDirectories(Path.Combine(Folder, "images")).Select(Path.GetFileName));
        Assert.Contains("b.jpg", await File.ReadAllTextAsync(Result, Cancelled));
    }

    [Fact]
    public async Task Variants_lie_beside_the_images_and_are_named_as_paths()
    {
        await using var origin = await OriginAsync();
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}");
        var choices = new RunChoices { File = csv, Folder = Folder, Variants = "thumb:max_width=64" };
        await RunAsync(choices);
        var cells = (await File.ReadAllTextAsync(Result, Cancelled)).Split('\n')[1].Split(',');
        Assert.EndsWith("-thumb.jpg", cells[4], StringComparison.Ordinal);
        Assert.Equal(64, Picture.SizeOf(await File.ReadAllBytesAsync(Path.Combine(Folder, cells[4]), Cancelled)).Width);

        Assert.Equal("other_file", (await RefusedAsync(choices with { Variants = null })).Code);
        File.Delete(Path.Combine(Folder, cells[4]));
        Assert.Equal("images_missing", (await RefusedAsync(choices)).Code);
        var wrong = await RefusedAsync(choices with { Variants = "thumb:max_width=wide", Folder = Path.Combine(Folder, "other") });
        Assert.Equal(("invalid_variants", "'variants': max_width of 'thumb' must be a whole number of pixels from 1 to 65535. Leave it out for no limit."), (wrong.Code, wrong.Detail));
        Assert.False(Directory.Exists(Path.Combine(Folder, "other")));
    }

    [Fact]
    public async Task A_bad_csv_is_refused_with_every_problem_and_leaves_no_folder()
    {
        var csv = WriteCsv([.. Enumerable.Range(1, 150).Select(number => $"{number},A,picture {number}")]);
        var failure = await RefusedAsync(new RunChoices { File = csv, Folder = Folder });
        Assert.Equal(("bad_csv", "The file was not accepted: it has 150 problems.", 150), (failure.Code, failure.Detail, failure.Errors!.Count));
        Assert.StartsWith("line 2: column Input Image Urls: ", failure.ToLines().First());
        Assert.Equal(150, failure.ToLines().Count());
        Assert.False(Directory.Exists(Folder));

        Directory.CreateDirectory(Folder);
        await RefusedAsync(new RunChoices { File = csv, Folder = Folder });
        Assert.Empty(Directory.EnumerateFileSystemEntries(Folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Product Name,Input Image Urls\n")]
    public async Task A_file_without_products_is_refused(string text)
    {
        var csv = Path.Combine(scratch, "products.csv");
        await File.WriteAllTextAsync(csv, text, Cancelled);
        Assert.Single((await RefusedAsync(new RunChoices { File = csv, Folder = Folder })).Errors!);
    }

    [Fact]
    public async Task A_gzipped_file_is_taken_in_plain_and_a_damaged_one_refused()
    {
        await using var origin = await OriginAsync();
        var plain = await File.ReadAllBytesAsync(WriteCsv($"1,A,{origin.Url("a.jpg")}"), Cancelled);
        var zipped = Path.Combine(scratch, "products.csv.gz");
        await using (var gzip = new GZipStream(File.Create(zipped), CompressionLevel.Fastest))
        {
            await gzip.WriteAsync(plain, Cancelled);
        }

        Assert.Equal(Result, (await RunAsync(zipped)).ResultPath);
        var whole = await File.ReadAllBytesAsync(zipped, Cancelled);
        await File.WriteAllBytesAsync(zipped, whole[..^9], Cancelled);
        var failure = await RefusedAsync(new RunChoices { File = zipped, Folder = Path.Combine(scratch, "other") });
        Assert.Equal(("file_unreadable", $"'{zipped}' is a damaged gzip file. Create it again."), (failure.Code, failure.Detail));
    }

    [Fact]
    public async Task A_folder_with_images_that_no_run_made_is_refused_and_left_alone()
    {
        // As the folder of a server has it: its images must not be taken for orphans of ours.
        var strange = Path.Combine(Folder, "images", Guid.CreateVersion7().ToString(), "1-1-x.jpg");
        Directory.CreateDirectory(Path.GetDirectoryName(strange)!);
        await File.WriteAllTextAsync(strange, "x", Cancelled);
        var failure = await RefusedAsync(new RunChoices { File = WriteCsv("1,A,http://127.0.0.1:1/a.jpg"), Folder = Folder });
        Assert.Equal(("folder_not_ours", $"'{Path.Combine(Folder, "images")}' already exists and was not created by Halftone. Choose another folder with --out."), (failure.Code, failure.Detail));
        Assert.Equal(["images"], Directory.EnumerateFileSystemEntries(Folder).Select(Path.GetFileName));
        Assert.True(File.Exists(strange));
    }

    [Fact]
    public async Task Images_that_went_missing_after_the_end_are_not_called_done()
    {
        await using var origin = await OriginAsync();
        var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}");
        await RunAsync(csv);
        File.Delete(Directory.EnumerateFiles(Path.Combine(Folder, "images"), "*", SearchOption.AllDirectories).Single());
        Assert.Equal("images_missing", (await RefusedAsync(new RunChoices { File = csv, Folder = Folder })).Code);
    }

    [Theory]
    [InlineData("products.csv")]
    [InlineData("/proc/halftone")]
    public async Task A_folder_that_cannot_be_made_is_refused_with_a_sentence(string folder)
    {
        var csv = WriteCsv("1,A,http://127.0.0.1:1/a.jpg");
        var failure = await RefusedAsync(new RunChoices { File = csv, Folder = Path.Combine(scratch, folder) });
        Assert.Equal("folder_unusable", failure.Code);
        Assert.EndsWith(". Choose another with --out.", failure.Detail);
    }

    [Fact]
    public async Task A_folder_that_another_run_works_on_is_refused()
    {
        using var held = new DataFolder(Path.Combine(Folder, ".halftone"));
        held.Hold();
        var refused = await Assert.ThrowsAsync<DataFolderException>(() => RunAsync(WriteCsv("1,A,http://127.0.0.1:1/a.jpg")));
        Assert.EndsWith("Stop it, or choose another folder with --out.", refused.Message);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        var failure = await RefusedAsync(new RunChoices { File = Path.Combine(scratch, "no.csv"), Folder = Folder });
        Assert.Equal("file_unreadable", failure.Code);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task A_full_disk_ends_the_run_with_a_sentence_and_the_same_command_goes_on_when_there_is_room()
    {
        Directory.CreateDirectory(Folder);
        Assert.SkipUnless(await SmallDisk.MountAsync(Folder, "4m", Cancelled), "A file system of 4 MB cannot be mounted here: that takes root.");
        try
        {
            await using var origin = await OriginAsync();
            var filler = Path.Combine(Folder, "filler");
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            origin.Serve("/late.jpg", async context =>
            {
                await gate.Task.WaitAsync(context.RequestAborted);
                await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
            });
            var csv = WriteCsv($"1,A,{origin.Url("a.jpg")}", $"2,B,{origin.Url("late.jpg")}");
            var running = RefusedAsync(new RunChoices { File = csv, Folder = Folder }, TimeSpan.FromSeconds(1));
            await watcher.SeenAsync("1 of 2 images");
            SmallDisk.Fill(filler);
            gate.SetResult();
            var failure = await running;
            Assert.Equal("surroundings_failed", failure.Code);
            Assert.EndsWith("1 of 2 images are done. Run the same command again when this is fixed, and it resumes.", failure.Detail);
            Assert.Contains(watcher.Sentences, sentence => sentence.Contains("work is waiting", StringComparison.Ordinal));

            Assert.Equal("surroundings_failed", (await RefusedAsync(new RunChoices { File = csv, Folder = Folder }, TimeSpan.FromSeconds(1))).Code);
            File.Delete(filler);
            Assert.Equal(2, (await RunAsync(csv)).Request.Progress.Completed);
            Assert.Equal(1, origin.CountOf("/a.jpg"));
        }
        finally
        {
            await SmallDisk.UnmountAsync(Folder);
        }
    }

    private static async Task<ImageOrigin> OriginAsync()
    {
        var origin = await ImageOrigin.StartAsync(Cancelled);
        return origin.Serve("/a.jpg", Picture.Jpeg).Serve("/b.jpg", Picture.Jpeg);
    }

    private string WriteCsv(params string[] rows)
    {
        var path = Path.Combine(scratch, "products.csv");
        File.WriteAllText(path, "S. No.,Product Name,Input Image Urls\n" + string.Join('\n', rows) + "\n", Encoding.UTF8);
        return path;
    }

    private Task<RunResult> RunAsync(string csv) => RunAsync(new RunChoices { File = csv, Folder = Folder });

    private Task<RunResult> RunAsync(string csv, CancellationToken cancellationToken, params (string Name, string Value)[] settings) =>
        Run(new RunChoices { File = csv, Folder = Folder }, TimeSpan.FromSeconds(30), settings).RunAsync(cancellationToken);

    private Task<RunResult> RunAsync(RunChoices choices) => Run(choices, TimeSpan.FromSeconds(30)).RunAsync(Cancelled);

    private async Task<CommandFailure> RefusedAsync(RunChoices choices, TimeSpan? longestTrouble = null) =>
        (await Assert.ThrowsAsync<CommandFailedException>(() => Run(choices, longestTrouble ?? TimeSpan.FromSeconds(30)).RunAsync(Cancelled))).Failure;

    private LocalRun Run(RunChoices choices, TimeSpan longestTrouble, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase) { ["Fetch:AllowNetworks:0"] = "127.0.0.1", ["Compress:Children"] = "1" };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        return new LocalRun(choices, all, TimeProvider.System, watcher) { LongestTrouble = longestTrouble };
    }
}
