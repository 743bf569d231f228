using System.CommandLine;
using Halftone.Api.Access;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Hosting;
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Halftone.Cli;

/// <summary><c>halftone serve</c>: runs the server until it is stopped.</summary>
internal static partial class ServeCommand
{
    public const string Verb = "serve";

    public static Command Create()
    {
        var command = new Command(Verb, "Runs the server (the default).")
        {
            ServerOptionsOnCommandLine.Urls,
            ServerOptionsOnCommandLine.Data,
            ServerOptionsOnCommandLine.AllowNetwork,
            ServerOptionsOnCommandLine.Role,
        };
        command.SetAction(RunAsync);
        return command;
    }

    public static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        // System.CommandLine listens for signals once this first awaits, so await before the work of the start.
        await Task.Yield();
        try
        {
            await using var server = ServerBuilder.Build(ServerBuilder.Create(ServerOptionsOnCommandLine.ToSettings(result)));
            await ServerBuilder.StartAsync(server, cancellationToken);
            foreach (var url in server.Urls)
            {
                if (LogSetup.IsJson(server.Configuration))
                {
                    Log.Listens(server.Logger, url);
                }
                else
                {
                    Console.WriteLine($"Halftone listens on {url}");
                }
            }

            await server.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped during the start.
            return 0;
        }
        catch (Exception exception) when (Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }

    /// <summary>A sentence for the person who started the program; null for a bug, whose stack trace is needed.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        OptionsValidationException options => Settings.Explain(options),
        InvalidOperationException conversion when Settings.ExplainConversion(conversion) is { } sentence => sentence,
        CodecUnavailableException
            or DatabaseException
            or NewerDatabaseException
            or DataFolderException
            or AccessException
            or SettingException
            or CommandFailedException =>
            exception.Message,
        NpgsqlException =>
            $"The database cannot be used ({exception.Message}). Check that it is running and that Database:ConnectionString is correct.",
        IOException { InnerException: AddressInUseException } =>
            $"{exception.Message} Choose another address with --urls, or stop the program that uses it.",
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Information, "Halftone listens on {Url}")]
        public static partial void Listens(ILogger logger, string url);
    }
}
