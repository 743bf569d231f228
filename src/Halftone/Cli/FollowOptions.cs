using System.CommandLine;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>Options of the verbs that can wait for a request to end.</summary>
internal static class FollowOptions
{
    public static Option<bool> Wait { get; } = new("--wait")
    {
        Description = "Wait for the request to end; the exit code then tells how it ended. Keeps waiting while the server restarts.",
    };

    public static Option<string?> Out { get; } = new("--out")
    {
        Description = "Write the result CSV to FILE when the request has ended. Implies --wait.",
        HelpName = "FILE",
    };

    /// <summary>Checks --out before any work, so that a missing place for the result is not reported only at the end.</summary>
    /// <exception cref="CommandFailedException">The file of --out is a folder, or its folder is missing.</exception>
    public static void CheckOut(ParseResult result)
    {
        if (result.GetValue(Out) is not { } path)
        {
            return;
        }

        var file = Path.Combine(Environment.CurrentDirectory, path);
        if (Directory.Exists(file))
        {
            throw new CommandFailedException(
                "file_unwritable",
                $"'{path}' cannot be written because it is a folder. Name a file in it with --out.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(file)))
        {
            throw new CommandFailedException(
                "file_unwritable",
                $"'{path}' cannot be written because its folder does not exist. Create the folder, or name another file with --out.");
        }
    }

    /// <summary>Waits if asked to, then shows the status of the request.</summary>
    /// <returns>0 if every image is done or, without waiting, none has failed permanently yet; 2 if the request ended
    /// with images missing; 130 if waiting was stopped.</returns>
    public static async Task<int> FinishAsync(
        ParseResult result,
        ServerClient client,
        string requestId,
        CancellationToken cancellationToken)
    {
        var path = result.GetValue(Out);
        if (result.GetValue(Wait) || path is not null)
        {
            try
            {
                await ProgressDisplay.WhileAsync(
                    result,
                    requestId,
                    TimeProvider.System,
                    display => new RequestFollower(client, TimeProvider.System, display).FollowAsync(requestId, cancellationToken));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                result.Say($"Stopped waiting. The request continues on the server; follow it with 'halftone status {requestId} --wait'.");
                return ExitCode.Stopped;
            }
        }

        if (path is not null)
        {
            await client.DownloadResultAsync(requestId, path, cancellationToken);
        }

        var status = await client.StatusAsync(requestId, 100, cancellationToken);
        Print(result, status, path);
        return status.Value.FinishedAt is null ? ExitCode.Done : Report.ExitCodeOf(status.Value);
    }

    private static void Print(ParseResult result, Answer<RequestStatus> status, string? path)
    {
        if (result.GetValue(ClientVerb.Json))
        {
            result.Print(status.Json);
            return;
        }

        result.Print($"Request {status.Value.RequestId} ({ConsoleTable.OneLine(status.Value.FileName)})");
        foreach (var line in Report.LinesOf(status.Value))
        {
            result.Print(line);
        }

        if ((path ?? status.Value.ResultUrl) is { } where)
        {
            result.Print($"Result: {where}");
        }
    }
}
