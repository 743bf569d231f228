using System.CommandLine;
using System.CommandLine.Invocation;
using Halftone.Cli;
using Halftone.Compress;

namespace Halftone;

/// <summary>Entry point: the verbs of the command line, then the stages of the server in the order an image passes them.</summary>
internal static class Program
{
    private static readonly string[] AboutTheProgram = ["--help", "-h", "-?", "--version"];

    private static Task<int> Main(string[] args)
    {
        // Comes first, so that a codec child loads nothing but the codec.
        if (args is [CodecChild.Verb, ..])
        {
            return Task.FromResult(CodecChild.Run(args));
        }

        // The default of 2 s would kill a server that is stopping gracefully.
        return InvokeAsync(
            args,
            new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(15) },
            CancellationToken.None);
    }

    /// <summary>The verbs.</summary>
    public static RootCommand CreateRoot() =>
        new("Halftone takes a CSV of products with image URLs, compresses every image and gives the CSV back.")
    {
        ServeCommand.Create(),
        DemoCommand.Create(),
        RunCommand.Create(),
        UploadCommand.Create(),
        RequestCommands.CreateStatus(),
        RequestCommands.CreateCancel(),
        RequestCommands.CreateRetry(),
        RequestCommands.CreateDelete(),
        RequestCommands.CreateList(),
        WebhooksCommand.Create(),
        HealthCommand.Create(),
        KeysCommand.Create(),
        WebhookSecretCommand.Create(),
        MigrateCommand.Create(),
        RequeueCommand.Create(),
    };

    /// <summary>Runs a verb.</summary>
    /// <returns>A number of <see cref="ExitCode"/>.</returns>
    public static Task<int> InvokeAsync(string[] args, InvocationConfiguration configuration, CancellationToken cancellationToken)
    {
        var root = CreateRoot();
        var parsed = root.Parse(
            args is []
                ? [ServeCommand.Verb]
                : args is [['-', ..] option, ..] && !AboutTheProgram.Contains(option)
                ? [ServeCommand.Verb, .. args]
                : args);
        if (parsed.Action is ParseErrorAction error)
        {
            // Standard output is for results.
            (error.ShowHelp, error.ShowTypoCorrections) = (false, false);
        }

        return parsed.InvokeAsync(configuration, cancellationToken);
    }
}
