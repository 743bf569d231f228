using System.Diagnostics;
using System.Text.Json;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Cli;

/// <summary><c>halftone run</c> as the shell sees it: signals, exit codes and the two streams.</summary>
public sealed class RunCommandTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("halftone-run-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Csv => Path.Combine(scratch, "products.csv");

    private string Folder => Path.Combine(scratch, "out");

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public async Task A_killed_run_and_an_interrupted_one_go_on_with_the_same_command()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg).Serve("/late.jpg", async context =>
        {
            await gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await File.WriteAllTextAsync(Csv, $"S. No.,Product Name,Input Image Urls\n1,A,{origin.Url("a.jpg")}\n2,B,{origin.Url("late.jpg")}\n", Cancelled);
        string[] command = ["run", Csv, "--out", Folder, "--allow-network", "127.0.0.1"];

        using (var killed = HalftoneProcess.Start(command))
        {
            await Eventually.TrueAsync(() => Images().Length == 1 && origin.CountOf("/late.jpg") == 1);
            killed.Kill();
            Assert.Equal(137, (await killed.EndAsync()).ExitCode);
        }

        using (var interrupted = HalftoneProcess.Start(command))
        {
            await Eventually.TrueAsync(() => origin.CountOf("/late.jpg") == 2);
            var clock = Stopwatch.StartNew();
            interrupted.Interrupt();
            var (exitCode, output, errors) = await interrupted.EndAsync();
            Assert.Equal((130, ""), (exitCode, output));
            Assert.EndsWith("Stopped: 1 of 2 images are done. Run the same command again to resume.\n", errors);
            // The image that is under way is not waited for: its attempt would have taken 30 s.
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(25));
        }

        gate.SetResult();
        var last = await HalftoneProcess.RunAsync([.. command, "--json"]);
        Assert.True(last.ExitCode == 0, last.Errors);
        var report = JsonDocument.Parse(last.Output).RootElement;
        Assert.Equal(("COMPLETED", Path.Combine(Folder, "products-result.csv")), (report.GetProperty("status").GetString(), report.GetProperty("result").GetString()));
        Assert.Equal((2, 0), (report.GetProperty("progress").GetProperty("completed").GetInt32(), report.GetProperty("errors").GetArrayLength()));
        Assert.Equal(2, Images().Length);
        // The image whose record a kill may have cut off is the only one that may be fetched again.
        Assert.InRange(origin.CountOf("/a.jpg"), 1, 2);
    }

    [Fact]
    public async Task Exit_code_2_says_that_some_failed_and_1_that_nothing_was_run()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await File.WriteAllTextAsync(Csv, $"Product Name,Input Image Urls\nA,{origin.Url("a.jpg")}\nB,{origin.Url("b.jpg")}\n", Cancelled);
        var some = await HalftoneProcess.RunAsync("run", Csv, "--out", Folder, "--allow-network", "127.0.0.1");
        Assert.Equal((2, "Run the same command again to retry the failed images."), (some.ExitCode, some.Errors.TrimEnd('\n').Split('\n')[^1]));
        Assert.Contains("COMPLETED: 1 of 2 images, ", some.Output);
        Assert.Contains("\n1 failed, http_status (127.0.0.1): The host answered with an error instead of the image.", some.Output);

        await File.WriteAllTextAsync(Csv, "Product Name,Input Image Urls\nA,no address\nB,none either\n", Cancelled);
        var none = await HalftoneProcess.RunAsync("run", Csv, "--out", Path.Combine(scratch, "other"), "--json");
        Assert.Equal(["line 2: column Input Image Urls", "line 3: column Input Image Urls"], none.Errors.TrimEnd('\n').Split('\n')[^2..].Select(line => line[..line.IndexOf(':', 10)]));
        var failure = JsonDocument.Parse(none.Output).RootElement;
        Assert.Equal((1, "bad_csv", 2, 3), (none.ExitCode, failure.GetProperty("code").GetString(), failure.GetProperty("error_count").GetInt32(), failure.GetProperty("errors")[1].GetProperty("line").GetInt32()));
    }

    [Theory]
    [InlineData("--quality", "400", "--quality must be a whole number from 1 to 100.")]
    [InlineData("--max-width", "0", "--max-width must be a whole number from 1 to 65535.")]
    [InlineData("--max-height", "70000", "--max-height must be a whole number from 1 to 65535.")]
    [InlineData("--format", "tiff", "--format must be keep or one of jpeg, png, webp, gif, avif.")]
    [InlineData("--qualty", "40", "Unrecognized command or argument '--qualty'.")]
    public async Task A_bad_option_is_named_on_standard_error(string option, string value, string sentence)
    {
        var (exitCode, output, errors) = await HalftoneProcess.RunAsync("run", Csv, "--out", Folder, option, value);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith(sentence, errors);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task A_terminal_gets_a_bar()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await File.WriteAllTextAsync(Csv, $"Product Name,Input Image Urls\nA,{origin.Url("a.jpg")}\n", Cancelled);
        using var run = HalftoneProcess.StartOnTerminal($"stty cols 150; '{HalftoneProcess.Program}' run '{Csv}' --out '{Folder}' --allow-network 127.0.0.1 > '{scratch}/output'");
        var (exitCode, terminal, _) = await run.EndAsync();
        Assert.True(exitCode == 0, terminal);
        Assert.Contains("━━━━", terminal);
        Assert.Contains("1 of 1 images", terminal);
        Assert.StartsWith("COMPLETED: 1 of 1 images", await File.ReadAllTextAsync(Path.Combine(scratch, "output"), Cancelled));
    }

    private string[] Images() => Directory.Exists(Path.Combine(Folder, "images")) ? Directory.GetFiles(Path.Combine(Folder, "images"), "*.jpg", SearchOption.AllDirectories) : [];
}
