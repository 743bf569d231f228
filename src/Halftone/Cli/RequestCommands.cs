using System.CommandLine;
using System.Globalization;
using Halftone.Api;

namespace Halftone.Cli;

/// <summary>
/// <c>halftone status</c>, <c>cancel</c>, <c>retry</c>, <c>delete</c> and <c>requests</c>: show and control a server's
/// requests.
/// </summary>
internal static class RequestCommands
{
    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "Number of requests to list, from 1 to 500. Default: 20",
        HelpName = "N",
        DefaultValueFactory = _ => 20,
    };

    public static Command CreateStatus() => ClientVerb.With(
        new Command(
            "status",
            "Shows the progress of a request and why images failed.") { ClientVerb.RequestId, FollowOptions.Wait, FollowOptions.Out },
        (result, client, cancellationToken) => FollowOptions.FinishAsync(result, client, IdOf(result), cancellationToken));

    public static Command CreateCancel() => ClientVerb.With(
        new Command("cancel", "Stops a request. Its result keeps the images done so far.") { ClientVerb.RequestId },
        (result, client, cancellationToken) => ActAsync(result, client, "cancel", cancellationToken));

    public static Command CreateRetry() => ClientVerb.With(
        new Command("retry", "Retries everything that did not finish.") { ClientVerb.RequestId, FollowOptions.Wait, FollowOptions.Out },
        RetryAsync);

    public static Command CreateDelete() => ClientVerb.With(
        new Command("delete", "Deletes a request with its images and results permanently.") { ClientVerb.RequestId },
        DeleteAsync);

    public static Command CreateList() => ClientVerb.With(
        new Command("requests", "Lists requests, newest first.") { Limit },
        ListAsync);

    private static string IdOf(ParseResult result) => result.GetValue(ClientVerb.RequestId)!;

    private static async Task<int> ActAsync(ParseResult result, ServerClient client, string action, CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync(
            HttpMethod.Post,
            $"requests/{Uri.EscapeDataString(IdOf(result))}/{action}",
            null,
            ApiJson.Default.RequestStatus,
            cancellationToken);
        result.Print(result.GetValue(ClientVerb.Json) ? answer.Json : string.Join(Environment.NewLine, Report.LinesOf(answer.Value)));
        return ExitCode.Done;
    }

    private static async Task<int> RetryAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        if (!result.GetValue(FollowOptions.Wait) && result.GetValue(FollowOptions.Out) is null)
        {
            return await ActAsync(result, client, "retry", cancellationToken);
        }

        await client.CallAsync(
            HttpMethod.Post,
            $"requests/{Uri.EscapeDataString(IdOf(result))}/retry",
            null,
            ApiJson.Default.RequestStatus,
            cancellationToken);
        return await FollowOptions.FinishAsync(result, client, IdOf(result), cancellationToken);
    }

    private static async Task<int> DeleteAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        await client.CallAsync(HttpMethod.Delete, $"requests/{Uri.EscapeDataString(IdOf(result))}", cancellationToken);
        result.Print(result.GetValue(ClientVerb.Json) ? "{}" : $"Deleted {IdOf(result)}.");
        return ExitCode.Done;
    }

    private static async Task<int> ListAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync(
            HttpMethod.Get,
            $"requests?limit={result.GetValue(Limit)}",
            null,
            ApiJson.Default.RequestList,
            cancellationToken);
        if (result.GetValue(ClientVerb.Json))
        {
            result.Print(answer.Json);
            return ExitCode.Done;
        }

        ConsoleTable.Write(
            result,
            ["REQUEST", "STATUS", "DONE", "FAILED", "IMAGES", "SAVED", "UPLOADED", "FILE"],
            answer.Value.Requests.Select(request => new[]
            {
                request.RequestId.ToString("D"),
                request.Status,
                Number(request.Progress.Completed),
                Number(request.Progress.Failed),
                Number(request.Progress.Total),
                string.Create(CultureInfo.InvariantCulture, $"{request.Bytes.SavedPercent:0.#}%"),
                ConsoleTable.Time(request.CreatedAt),
                request.FileName,
            }));
        return ExitCode.Done;
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
