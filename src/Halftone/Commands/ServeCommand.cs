using System.CommandLine;
using Halftone.Access;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Halftone.Commands;

/// <summary><c>halftone serve</c>: the server, until it is told to stop.</summary>
internal static partial class ServeCommand
{
    public const string Verb = "serve";

    private const string DefaultUrls = "http://127.0.0.1:4300";

    public static Command Create()
    {
        var command = new Command(Verb, "Runs the server (the default).") { ServerOptionsOnCommandLine.Urls, ServerOptionsOnCommandLine.Data, ServerOptionsOnCommandLine.AllowNetwork, ServerOptionsOnCommandLine.Role };
        command.SetAction(RunAsync);
        return command;
    }

    public static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        // The command line hears signals once this waits for the first time: it does before all the work of a start.
        await Task.Yield();
        try
        {
            await using var server = Program.BuildServer(CreateBuilder(ServerOptionsOnCommandLine.ToSettings(result)));
            await StartAsync(server, cancellationToken);
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
            // Stopped while it started.
            return 0;
        }
        catch (Exception exception) when (Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }

    /// <summary>A server with <see cref="Configure"/> and its listening.</summary>
    public static WebApplicationBuilder CreateBuilder(IReadOnlyDictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        Configure(builder, settings);
        builder.Logging.AddConsoleLog();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().UseUrls(builder.Configuration["Urls"] ?? DefaultUrls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddRoutingCore();
        return builder;
    }

    /// <summary>
    /// Starts. A stop that is asked for meanwhile is told to the host: were only its start cancelled, it would take services that stop for faults, and say so.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was to stop before it had started.</exception>
    public static async Task StartAsync(IHost host, CancellationToken cancellationToken)
    {
        await using var stop = cancellationToken.Register(host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication);
        await host.StartAsync(CancellationToken.None);
    }

    /// <summary>Settings from, each over the one before: the shipped file, the working folder's, the environment, <paramref name="settings"/>.</summary>
    public static void Configure(IHostApplicationBuilder builder, IReadOnlyDictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
            .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
            .AddEnvironmentVariables("Halftone__")
            .AddInMemoryCollection(settings)
            .Build();
        Settings.Check(configuration);
        builder.Configuration.AddConfiguration(configuration, shouldDisposeConfiguration: true);
        builder.Logging
            .AddConfiguration(builder.Configuration.GetSection("Logging"))
            // A start that fails is explained in a sentence, not in a trace before it.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // Uploads that take longer are cut off, so that supervisors, which wait 10 s as a rule, need not kill.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
    }

    /// <summary>What the person who started the program can do about it; null where it is a bug, whose trace is wanted.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        OptionsValidationException options => Settings.Explain(options),
        InvalidOperationException conversion when Settings.ExplainConversion(conversion) is { } sentence => sentence,
        CodecUnavailableException or DatabaseException or NewerDatabaseException or DataFolderException or AccessException or SettingException or CommandFailedException => exception.Message,
        NpgsqlException => $"The database cannot be used ({exception.Message}): see whether it runs and whether Database:ConnectionString is right.",
        IOException { InnerException: AddressInUseException } => $"{exception.Message} Choose another address with --urls, or stop the program that has it.",
        _ => null,
    };

    /// <summary>Signals are the command line's to hear: were the host to stop at the same time, nobody could tell why it stopped.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(801, LogLevel.Information, "Halftone listens on {Url}")]
        public static partial void Listens(ILogger logger, string url);
    }
}
