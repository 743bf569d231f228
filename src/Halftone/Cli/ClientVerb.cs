using System.CommandLine;

namespace Halftone.Cli;

/// <summary>Options and failure handling shared by the verbs that talk to a server.</summary>
internal static class ClientVerb
{
    private const string DefaultServer = "http://127.0.0.1:4300";
    private const string ServerVariable = "HALFTONE_SERVER";
    private const string KeyVariable = "HALFTONE_API_KEY";

    private static readonly Option<string?> Server = new("--server")
    {
        Description = $"URL of the server. Default: {ServerVariable} from the environment, or {DefaultServer}",
        HelpName = "URL",
    };

    // No default value, because help would print the key.
    private static readonly Option<string?> ApiKey = new("--api-key")
    {
        Description = $"API key. Default: {KeyVariable} from the environment, which other users of the machine cannot see",
        HelpName = "KEY",
    };

    /// <summary>Prints the server's answer unchanged.</summary>
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the server's answer, or its refusal, as one JSON document.",
    };

    public static Argument<string> RequestId { get; } = new("ID") { Description = "The request_id." };

    /// <summary>Adds the common options and reports failures in the same way for every verb.</summary>
    public static Command With(Command command, Func<ParseResult, ServerClient, CancellationToken, Task<int>> run)
    {
        command.Add(Server);
        command.Add(ApiKey);
        command.Add(Json);
        command.SetAction((result, cancellationToken) => RunAsync(result, run, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult result,
        Func<ParseResult, ServerClient, CancellationToken, Task<int>> run,
        CancellationToken cancellationToken)
    {
        try
        {
            FollowOptions.CheckOut(result);
            using var client = new ServerClient(ServerOf(result), result.GetValue(ApiKey) ?? FromEnvironment(KeyVariable));
            return await run(result, client, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Stopped;
        }
        catch (CommandFailedException exception)
        {
            return Report.Fail(result, exception.Failure, result.GetValue(Json));
        }
    }

    private static Uri ServerOf(ParseResult result)
    {
        var given = result.GetValue(Server) ?? FromEnvironment(ServerVariable) ?? DefaultServer;
        return Uri.TryCreate(given, UriKind.Absolute, out var server) && server.Scheme is "http" or "https"
            ? server
            : throw new CommandFailedException("bad_server", $"'{given}' is not a valid server URL. Example: {DefaultServer}");
    }

    private static string? FromEnvironment(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
