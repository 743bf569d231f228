using System.CommandLine;
using System.Globalization;
using Halftone.Model;

namespace Halftone.Cli;

/// <summary><c>halftone run FILE --out FOLDER</c>: processes a CSV in this process, without a server.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The CSV; may be gzipped." };
    private static readonly Option<string> Out = new("--out")
    {
        Description = "Folder for the result CSV and the images; created if missing.",
        HelpName = "FOLDER",
        Required = true,
    };
    private static readonly Option<bool> Replace = new("--replace")
    {
        Description = "Remove FOLDER's work on another file or with other options, and start over.",
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the outcome as one JSON object." };

    public static Command Create()
    {
        var command = new Command(
            "run",
            "Compresses the images of a CSV into a folder, without a server. Running the same command again resumes it or retries "
            + "failed images.")
        {
            File,
            Out,
            UploadOptions.Quality,
            UploadOptions.Format,
            UploadOptions.MaxWidth,
            UploadOptions.MaxHeight,
            UploadOptions.Variants,
            UploadOptions.EscapeFormulas,
            ServerOptionsOnCommandLine.AllowNetwork,
            Replace,
            Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var choices = new RunChoices
        {
            File = result.GetValue(File)!,
            Folder = result.GetValue(Out)!,
            Quality = result.GetValue(UploadOptions.Quality),
            Format = UploadOptions.FormatOf(result),
            MaxWidth = result.GetValue(UploadOptions.MaxWidth),
            MaxHeight = result.GetValue(UploadOptions.MaxHeight),
            Variants = result.GetValue(UploadOptions.Variants),
            EscapeFormulas = result.GetValue(UploadOptions.EscapeFormulas),
            Replace = result.GetValue(Replace),
        };
        var asJson = result.GetValue(Json);
        // System.CommandLine listens for signals once this first awaits, so await before the work of the start.
        await Task.Yield();
        try
        {
            var run = await ProgressDisplay.WhileAsync(
                result,
                Path.GetFileName(choices.File),
                TimeProvider.System,
                display =>
                    new LocalRun(choices, ServerOptionsOnCommandLine.ToSettings(result), TimeProvider.System, display)
                        .RunAsync(cancellationToken));
            return Print(result, run, asJson);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Report.Fail(
                result,
                new CommandFailure { Code = "stopped", Detail = "Stopped before the file was read. Nothing was done." },
                asJson);
            return ExitCode.Stopped;
        }
        catch (CommandFailedException exception)
        {
            return Report.Fail(result, exception.Failure, asJson);
        }
        catch (Exception exception) when (ServeCommand.Explain(exception) is { } sentence)
        {
            return Report.Fail(result, new CommandFailure { Code = "not_started", Detail = sentence }, asJson);
        }
    }

    private static int Print(ParseResult result, RunResult run, bool asJson)
    {
        var report = Report.Of(run);
        if (asJson)
        {
            result.Print(Report.ToJson(report));
        }

        if (run.ResultPath is null)
        {
            result.Say(string.Create(
                CultureInfo.InvariantCulture, $"Stopped: {report.Progress.Completed:N0} of {report.Progress.Total:N0} images are done. "
                + $"Run the same command again to resume."));
            return ExitCode.Stopped;
        }

        var exitCode = Report.ExitCodeOf(run.Request);
        if (!asJson)
        {
            foreach (var line in Report.LinesOf(run.Request))
            {
                result.Print(line);
            }

            result.Print(run.Took > TimeSpan.Zero
                ? string.Create(CultureInfo.InvariantCulture, $"{report.Seconds:N1} s, {report.ImagesPerSecond:N1} images/s")
                : "Everything was already done; nothing was fetched.");
            result.Print($"Result: {run.ResultPath}");
        }

        if (report.Errors.Any(error => error.Code == ErrorCode.Of(FetchError.AddressForbidden)))
        {
            result.Say("Use --allow-network to allow images from your own private network.");
        }

        if (exitCode == ExitCode.SomeFailed)
        {
            result.Say("Run the same command again to retry the failed images.");
        }

        return exitCode;
    }
}
