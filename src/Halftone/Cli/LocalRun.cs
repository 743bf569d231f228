using Dapper;
using Halftone.Api;
using Halftone.Catalogue;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Hosting;
using Halftone.Intake;
using Halftone.Io;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Requests;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Cli;

/// <summary>The options of a run.</summary>
internal sealed record RunChoices
{
    public required string File { get; init; }

    public required string Folder { get; init; }

    /// <summary>1 to 100; null for the configured default.</summary>
    public int? Quality { get; init; }

    /// <summary>A name of <see cref="FormatName.Known"/>, or null to keep the format of each source.</summary>
    public string? Format { get; init; }

    /// <summary>Maximum width and height of the images in pixels; null: no limit.</summary>
    public int? MaxWidth { get; init; }

    public int? MaxHeight { get; init; }

    /// <summary>Additional outputs of each image, in the syntax of an upload; null: none.</summary>
    public string? Variants { get; init; }

    public bool EscapeFormulas { get; init; }

    /// <summary>Removes the folder's work on another file or with other options.</summary>
    public bool Replace { get; init; }
}

/// <summary>The outcome of a run.</summary>
/// <param name="Request">The request with its counters, without products.</param>
/// <param name="ResultPath">The result CSV; null if the run was stopped before its end.</param>
/// <param name="Completed">Images that this run completed, without those of earlier runs.</param>
/// <param name="Took">Measured from the start of the work.</param>
internal sealed record RunResult(RequestStatus Request, string? ResultPath, long Completed, TimeSpan Took);

/// <summary>
/// A request without a server: runs the server's stages in this process and keeps their data in the folder's
/// <c>.halftone/</c>. A folder holds one request, so a run that was interrupted in any way resumes from there.
/// </summary>
internal sealed class LocalRun(RunChoices choices, Dictionary<string, string?> settings, TimeProvider time, ProgressDisplay display)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly RunFolder folder = new(choices.Folder);
    private readonly RunLog log = new(time, display);
    private readonly string fileName = Path.GetFileName(choices.File);

    /// <summary>
    /// Maximum time that a run without progress waits for a failure such as a full disk to end; 30 s. A later run
    /// resumes where this one gave up.
    /// </summary>
    public TimeSpan LongestTrouble { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Runs to the end.</summary>
    /// <param name="cancellationToken">Stops the run gracefully; the result then says how far it got.</param>
    /// <exception cref="CommandFailedException">Nothing was run, or the disk or the database failed for too long.</exception>
    public async Task<RunResult> RunAsync(CancellationToken cancellationToken)
    {
        await using var file = OpenFile();
        using var data = new DataFolder(folder.Data, "--out");
        var holdsNothing = false;
        try
        {
            var host = BuildHost(data);
            await using var services = (IAsyncDisposable)host;
            host.Services.GetRequiredService<IStartupValidator>().Validate();
            folder.Make(fileName);
            data.Hold();
            holdsNothing = true;
            await host.Services.GetRequiredService<Migrator>().MigrateAsync(cancellationToken);
            try
            {
                return await RunAsync(host, file, cancellationToken);
            }
            finally
            {
                holdsNothing = await FindEarlierAsync(host.Services, CancellationToken.None) is null;
            }
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            throw new CommandFailedException(
                "surroundings_failed",
                $"{exception.Message} Run the same command again when this is fixed.",
                exception);
        }
        finally
        {
            if (holdsNothing)
            {
                folder.RemoveUnused();
            }
        }
    }

    private async Task<RunResult> RunAsync(IHost host, FileStream file, CancellationToken cancellationToken) =>
        await FindEarlierAsync(host.Services, cancellationToken) switch
        {
            null => await WorkAsync(host, null, file, cancellationToken),
            { } earlier when choices.Replace => await ReplaceAsync(host, earlier, file, cancellationToken),
            { } earlier => await GoOnAsync(host, earlier, file, cancellationToken),
        };

    private FileStream OpenFile()
    {
        try
        {
            return new FileStream(
                choices.File,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read,
                65_536,
                FileOptions.SequentialScan | FileOptions.Asynchronous);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException("file_unreadable", $"'{choices.File}' cannot be read: {exception.Message}", exception);
        }
    }

    private IHost BuildHost(DataFolder data)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        var all = new Dictionary<string, string?>(settings, StringComparer.OrdinalIgnoreCase)
        {
            // The folder is the result, so nothing expires.
            ["Retention:Days"] = "",
            // No hard links between files: someone who edits one would edit both.
            ["Reuse:Enabled"] = "false",
        };
        foreach (var (name, value) in Settings.OfOneProcess(folder.Data))
        {
            all[name] = value;
        }

        ServerBuilder.Configure(builder, all);
        builder.Logging.AddProvider(new RunLog.Provider(log));
        ServerBuilder.AddStages(builder.Services);
        // All problems of a file are listed where nobody can ask for the next hundred.
        builder.Services.PostConfigure<IntakeOptions>(intake => intake.MaxListedProblems = 10_000);
        builder.Services.AddSingleton(data);
        builder.Services.AddSingleton<IFileStore>(new FolderStore(data.Files));
        var images = new FolderStore(folder.Images);
        builder.Services.AddSingleton<IImageStore>(images);
        builder.Services.AddSingleton(PublicUrls.OfFolder(images));
        return builder.Build();
    }

    private async Task<RunResult> GoOnAsync(IHost host, Earlier earlier, FileStream file, CancellationToken cancellationToken)
    {
        display.Show(null, "checking previous progress");
        var hash = await ReadAsync(
            host.Services,
            () => host.Services.GetRequiredService<RequestIntake>().HashAsync(file, ChoicesOf(host.Services), cancellationToken));
        if (hash != earlier.BodyHash)
        {
            throw new CommandFailedException(
                "other_file",
                $"'{choices.Folder}' holds the work on another file or with other options ('{earlier.FileName}', "
                + $"{earlier.Completed:N0} of {earlier.Images:N0} images done). Choose another folder with --out, or remove that work "
                + "with --replace.");
        }

        // Files in an open folder can get lost, even after a graceful stop: the start checks each one, and what an
        // unfinished run lost is done again.
        host.Services.GetRequiredService<DataFolder>().TakeCleanMark();
        if (earlier.HasEnded && await CountMissingAsync(host.Services, earlier, cancellationToken) is > 0 and var missing)
        {
            throw new CommandFailedException(
                "images_missing",
                $"{missing:N0} images of an earlier run are missing from '{folder.Images}' or were changed. Restore them, or start "
                + "over with --replace.");
        }

        return earlier.IsDone
            ? await FinishAsync(host.Services, earlier.RequestId, earlier.Completed, TimeSpan.Zero, cancellationToken)
            : await WorkAsync(host, earlier, file, cancellationToken);
    }

    private async Task<RunResult> ReplaceAsync(IHost host, Earlier earlier, FileStream file, CancellationToken cancellationToken)
    {
        var intake = host.Services.GetRequiredService<RequestIntake>();
        var spool = host.Services.GetRequiredService<UploadSpool>();
        display.Show(null, "reading the file");
        var upload = await ReadAsync(host.Services, () => spool.SpoolAsync(file, fileName, cancellationToken));
        file.Position = 0;
        var problems = (await intake.CheckAsync(upload, cancellationToken)).Reader.Problems;
        await spool.DiscardAsync(upload);
        if (problems.Count > 0)
        {
            // Read the file before anything is removed for it.
            throw Refused(problems);
        }

        display.Show(null, "removing previous work");
        File.Delete(folder.ResultOf(earlier.FileName));
        await host.Services.GetRequiredService<RequestActions>().DeleteAsync("", earlier.RequestId, cancellationToken);
        await host.Services.GetRequiredService<RequestRemoval>().HandleAsync(
            new Message.Delete { RequestId = earlier.RequestId, Run = earlier.Run + 1 },
            cancellationToken);
        return await WorkAsync(host, null, file, cancellationToken);
    }

    private IntakeChoices ChoicesOf(IServiceProvider services) => new()
    {
        Owner = "",
        Outputs = new OutputOptions
        {
            Quality = choices.Quality ?? services.GetRequiredService<IOptions<CompressOptions>>().Value.Quality,
            Format = choices.Format,
            MaxWidth = choices.MaxWidth,
            MaxHeight = choices.MaxHeight,
            Variants = VariantsOf(services),
        },
        EscapeFormulas = choices.EscapeFormulas,
    };

    private string? VariantsOf(IServiceProvider services)
    {
        if (choices.Variants is null)
        {
            return null;
        }

        return VariantSpec.Read(
            choices.Variants,
            services.GetRequiredService<IOptions<IntakeOptions>>().Value.MaxVariants,
            out var variants) is { } problem
            ? throw new CommandFailedException(ProblemType.InvalidVariants.Code, problem)
            : VariantSpec.TextOf(variants);
    }

    private async Task<RunResult> WorkAsync(IHost host, Earlier? earlier, FileStream file, CancellationToken cancellationToken)
    {
        var requestId = earlier?.RequestId;
        var started = time.GetTimestamp();
        try
        {
            display.Show(null, "starting");
            await ServerBuilder.StartAsync(host, cancellationToken);
            requestId ??= await TakeInAsync(host.Services, file, cancellationToken);
            if (earlier is { HasEnded: true })
            {
                await host.Services.GetRequiredService<RequestActions>().RetryAsync("", earlier.RequestId, cancellationToken);
            }

            await FollowAsync(host, requestId.Value, cancellationToken);
            return await FinishAsync(
                host.Services,
                requestId.Value,
                earlier?.Completed ?? 0,
                time.GetElapsedTime(started),
                cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && requestId is not null)
        {
            display.Show(null, "stopping: images in progress may still finish");
            await host.StopAsync(CancellationToken.None);
            var request = await StatusAsync(host.Services, requestId.Value, CancellationToken.None);
            return new RunResult(request, null, request.Progress.Completed - (earlier?.Completed ?? 0), time.GetElapsedTime(started));
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
        }
    }

    private async Task<Guid> TakeInAsync(IServiceProvider services, FileStream file, CancellationToken cancellationToken)
    {
        display.Show(null, "reading the file");
        var intake = services.GetRequiredService<RequestIntake>();
        var spool = services.GetRequiredService<UploadSpool>();
        var upload = await ReadAsync(services, () => spool.SpoolAsync(file, fileName, cancellationToken));
        return await intake.AcceptAsync(upload, ChoicesOf(services), cancellationToken) switch
        {
            IntakeResult.Accepted accepted => accepted.RequestId,
            IntakeResult.Rejected rejected => throw Refused(rejected.Problems),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>Reports a file that cannot be read to its end.</summary>
    private async Task<T> ReadAsync<T>(IServiceProvider services, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (SpoolTooLargeException exception)
        {
            throw new CommandFailedException(
                "file_too_large",
                $"'{choices.File}' is larger than {services.GetRequiredService<IOptions<IntakeOptions>>().Value.MaxBodyBytes:N0} "
                + "bytes (Intake:MaxBodyBytes). Split it.",
                exception);
        }
        catch (InvalidDataException exception)
        {
            throw new CommandFailedException("file_unreadable", $"'{choices.File}' is a damaged gzip file. Create it again.", exception);
        }
    }

    private static CommandFailedException Refused(CsvProblems problems) => new(new CommandFailure
    {
        Code = "bad_csv",
        Detail = $"The file was not accepted: it has {problems.Count:N0} {(problems.Count == 1 ? "problem" : "problems")}.",
        Errors = UploadProblem.Of(problems),
        ErrorCount = problems.Count,
    });

    private async Task FollowAsync(IHost host, Guid requestId, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        var pace = new ProgressPace(time);
        var (done, doneAt) = (-1L, time.GetTimestamp());
        while (true)
        {
            var request = await StatusAsync(host.Services, requestId, CancellationToken.None);
            var progress = request.Progress;
            display.Show(
                progress.Total == 0 ? 1 : (double)(progress.Completed + progress.Failed) / progress.Total,
                pace.Note(progress.Completed, progress.Failed, progress.Total));
            if (request.FinishedAt is not null)
            {
                return;
            }

            if (progress.Completed + progress.Failed != done)
            {
                (done, doneAt) = (progress.Completed + progress.Failed, time.GetTimestamp());
            }
            else if (time.GetElapsedTime(doneAt) >= LongestTrouble && log.TroubleOf(LongestTrouble) is { } reason)
            {
                throw new CommandFailedException(
                    "surroundings_failed",
                    $"{reason} {done:N0} of {progress.Total:N0} images are done. Run the same command again when this is fixed, and "
                    + "it resumes.");
            }

            await Task.Delay(Interval, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (either.IsCancellationRequested)
            {
                throw new CommandFailedException(
                    "internal_error",
                    "The run stopped by itself, which is a bug. The messages above say more. The same command resumes.");
            }
        }
    }

    private async Task<RunResult> FinishAsync(
        IServiceProvider services,
        Guid requestId,
        long before,
        TimeSpan took,
        CancellationToken cancellationToken)
    {
        var (found, _) = await services.GetRequiredService<ResultFinder>().FindAsync(
            "",
            requestId.ToString("D"),
            ofRows: false,
            cancellationToken);
        await using var result = await services.GetRequiredService<IFileStore>().OpenReadAsync(found!.ResultKey!, cancellationToken)
            ?? throw new CommandFailedException(
                "result_missing",
                $"The result is missing from '{folder.Data}'; something else removed it. Start over with --replace.");
        await folder.PublishAsync(result, found.FileName, cancellationToken);
        var request = await StatusAsync(services, requestId, cancellationToken);
        return new RunResult(request, folder.ShownResultOf(found.FileName), request.Progress.Completed - before, took);
    }

    private static async Task<RequestStatus> StatusAsync(IServiceProvider services, Guid requestId, CancellationToken cancellationToken) =>
        await services.GetRequiredService<StatusReader>().ReadAsync("", requestId, 0, 0, cancellationToken)
        ?? throw new CommandFailedException(
            "request_gone",
            "The request is missing from its database; something else removed it. Run the same command again.");

    private static Task<Earlier?> FindEarlierAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        services.GetRequiredService<HalftoneDatabase>().ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<Earlier?>(Sql.Earlier),
            cancellationToken);

    /// <summary>Images that a row names but the folder no longer holds unchanged.</summary>
    private static Task<long> CountMissingAsync(IServiceProvider services, Earlier earlier, CancellationToken cancellationToken) =>
        services.GetRequiredService<HalftoneDatabase>().ReadAsync(
            async connection =>
            {
                var store = services.GetRequiredService<IImageStore>();
                var missing = 0L;
                await foreach (var image in connection.QueryUnbufferedAsync<StoredOutput>(
                    Sql.Stored,
                    new { earlier.FirstImageId, EndImageId = earlier.FirstImageId + earlier.Images }).WithCancellation(cancellationToken))
                {
                    missing += await image.IsWholeAsync(store, cancellationToken) ? 0 : 1;
                }

                return missing;
            },
            cancellationToken);

    /// <summary>The request in the folder.</summary>
    private sealed record Earlier
    {
        public required Guid RequestId { get; init; }
        public required RequestState State { get; init; }
        public required int Run { get; init; }
        public required string FileName { get; init; }
        public required string BodyHash { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required long Completed { get; init; }

        public bool HasEnded => State.HasEnded;

        public bool IsDone => HasEnded && Completed == Images;
    }

    private static class Sql
    {
        public const string Earlier = """
            SELECT request_id, state, run, file_name, body_hash, first_image_id,
                   images, completed
            FROM   request
            WHERE  state NOT IN ('receiving', 'deleting')
            ORDER  BY request_id DESC
            LIMIT  1
            """;

        public const string Stored = """
            SELECT object_key, bytes_out, variants
            FROM   image
            WHERE  image_id >= @FirstImageId AND image_id < @EndImageId AND object_key IS NOT NULL AND same_as IS NULL
            """;
    }
}
