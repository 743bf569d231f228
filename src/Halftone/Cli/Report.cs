using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>The output of <c>run --json</c>.</summary>
internal sealed record RunReport
{
    public required Guid RequestId { get; init; }

    /// <summary>COMPLETED, FAILED (no image done), or PROCESSING if the run was stopped.</summary>
    public required string Status { get; init; }

    /// <summary>The result CSV; absent if the run was stopped.</summary>
    public string? Result { get; init; }

    public required StatusProgress Progress { get; init; }

    public required StatusBytes Bytes { get; init; }

    public required IReadOnlyList<StatusErrorCount> Errors { get; init; }

    /// <summary>Seconds since the start of this run's work.</summary>
    public required double Seconds { get; init; }

    /// <summary>Images per second completed by this run, without those of earlier runs.</summary>
    public required double ImagesPerSecond { get; init; }
}

/// <summary>Prints the outcome of requests, for people and for programs.</summary>
internal static class Report
{
    /// <summary>Readable JSON like the server's; it is never part of a web page.</summary>
    private static readonly ReportJson Json = new(
        new JsonSerializerOptions(ReportJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Progress of the request and why images failed.</summary>
    public static IEnumerable<string> LinesOf(RequestStatus request)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{request.Status}: {request.Progress.Completed:N0} of {request.Progress.Total:N0} images, {request.Bytes.Input:N0} → "
            + $"{request.Bytes.Output:N0} bytes, {request.Bytes.SavedPercent:0.#}% saved");
        foreach (var error in request.Errors)
        {
            var hosts = string.Join(", ", error.Hosts.Where(host => host.Host.Length > 0).Take(3).Select(host => host.Host))
                + (error.Hosts.Count > 3 ? ", …" : "");
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{error.Count:N0} failed, {error.Code}{(hosts.Length > 0 ? $" ({hosts})" : "")}: {error.Message}");
        }
    }

    public static RunReport Of(RunResult run) => new()
    {
        RequestId = run.Request.RequestId,
        Status = run.Request.Status,
        Result = run.ResultPath,
        Progress = run.Request.Progress,
        Bytes = run.Request.Bytes,
        Errors = run.Request.Errors,
        Seconds = Math.Round(run.Took.TotalSeconds, 1),
        ImagesPerSecond = run.Took > TimeSpan.Zero ? Math.Round(run.Completed / run.Took.TotalSeconds, 1) : 0,
    };

    public static string ToJson(RunReport report) => JsonSerializer.Serialize(report, Json.RunReport);

    /// <summary>0 if every image is done; a cancelled request has images that are neither done nor failed.</summary>
    public static int ExitCodeOf(RequestStatus request) =>
        request.Progress.Completed == request.Progress.Total ? ExitCode.Done : ExitCode.SomeFailed;

    /// <summary>Reports why a verb failed, as JSON if asked to.</summary>
    public static int Fail(ParseResult result, CommandFailure failure, bool asJson)
    {
        if (asJson)
        {
            result.Print(failure.Problem ?? JsonSerializer.Serialize(failure, Json.CommandFailure));
        }

        foreach (var line in failure.ToLines())
        {
            result.Say(line);
        }

        return ExitCode.NotDone;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(CommandFailure))]
internal sealed partial class ReportJson : JsonSerializerContext;
