using Halftone.Api;
using Halftone.Api.Docs;
using Halftone.Api.Page;
using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>Builds the server: settings, then the stages in the order an image passes them, then the routes.</summary>
internal static class ServerBuilder
{
    private const string DefaultUrls = "http://127.0.0.1:4300";

    /// <summary>Everything but the listening: a run without a server is made of the same.</summary>
    public static void AddStages(IServiceCollection services)
    {
        services.AddTelemetry();
        services.AddAccess();
        services.AddStore();
        services.AddDatabase();
        services.AddIntake();
        services.AddQueue();
        services.AddFetch();
        services.AddCompress();
        services.AddReuse();
        services.AddResults();
        services.AddWebhooks();
        services.AddStatus();
    }

    /// <summary>The server, not yet started.</summary>
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        builder.Services.AddTelemetryExport();
        AddStages(builder.Services);
        builder.Services.AddDocs();
        var server = builder.Build();
        server.UseProblems();
        server.UseOneFraming();
        server.UseOneSpelling();
        server.UseAccess();
        server.UseRequestDecompression();
        server.UseRouting();
        server.UseLogScope();
        var routes = server.WithHeads();
        routes.MapHealth();
        if (server.Services.GetRequiredService<IOptions<ServerOptions>>().Value.Role == Role.Worker)
        {
            return server;
        }

        routes.MapPage();
        routes.MapUpload();
        routes.MapStatus();
        routes.MapEvents();
        routes.MapRequests();
        routes.MapImageList();
        routes.MapResults();
        routes.MapImages();
        routes.MapWebhooks();
        routes.MapDocs();
        return server;
    }

    /// <summary>A server with <see cref="Configure"/> and its listening.</summary>
    public static WebApplicationBuilder Create(IReadOnlyDictionary<string, string?> settings)
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

    /// <summary>Signals are the command line's to hear: were the host to stop at the same time, nobody could tell why it stopped.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
