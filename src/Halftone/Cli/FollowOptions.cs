using System.CommandLine;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>What the verbs have in common after which one may wait for a request.</summary>
internal static class FollowOptions
{
    public static Option<bool> Wait { get; } = new("--wait") { Description = "Follow the request to its end; the exit code then tells how it ended. A server that restarts is waited for." };

    public static Option<string?> Out { get; } = new("--out") { Description = "Write the result CSV to FILE at the end; waits for it.", HelpName = "FILE" };

    /// <summary>Before any work: that there is no place for its result is not to be told at its end.</summary>
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
            throw new CommandFailedException("file_unwritable", $"'{path}' cannot be written, because it is a folder: name a file in it with --out.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(file)))
        {
            throw new CommandFailedException("file_unwritable", $"'{path}' cannot be written, because its folder is missing: make the folder, or name another file with --out.");
        }
    }

    /// <summary>Waits where it was asked to, then shows how the request stands.</summary>
    /// <returns>0 where every image is done or, without waiting, none has failed for good yet; 2 where the request ended without some; 130 where waiting was stopped.</returns>
    public static async Task<int> FinishAsync(ParseResult result, ServerClient client, string requestId, CancellationToken cancellationToken)
    {
        var path = result.GetValue(Out);
        if (result.GetValue(Wait) || path is not null)
        {
            try
            {
                await ProgressDisplay.WhileAsync(result, requestId, TimeProvider.System, display => new RequestFollower(client, TimeProvider.System, display).FollowAsync(requestId, cancellationToken));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                result.Say($"Stopped waiting; the request goes on: 'halftone status {requestId} --wait' follows it.");
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
