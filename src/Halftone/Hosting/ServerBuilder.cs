using Halftone.Api;
using Halftone.Api.Docs;
using Halftone.Api.Page;
using Halftone.Compress.Sandbox;
using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>Builds the server: settings, then the stages in the order an image passes them, then the routes.</summary>
internal static class ServerBuilder
{
    private const string DefaultUrls = "http://127.0.0.1:4300";

    /// <summary>Everything except listening; a run without a server uses it too.</summary>
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

    /// <summary>The server: <see cref="Configure"/> plus listening.</summary>
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
    /// Starts the host. Forwards a stop during the start to the host: if only the start were cancelled, the host would
    /// report services that stop as failures.
    /// </summary>
    /// <exception cref="OperationCanceledException">The server was stopped before it had started.</exception>
    public static async Task StartAsync(IHost host, CancellationToken cancellationToken)
    {
        await using var stop = cancellationToken.Register(host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication);
        await host.StartAsync(CancellationToken.None);
    }

    /// <summary>
    /// Reads settings; each source overrides the previous one: systemd's credentials, the shipped file, the file in the
    /// working folder, the environment with the files that it names, <paramref name="settings"/>.
    /// </summary>
    public static void Configure(IHostApplicationBuilder builder, IReadOnlyDictionary<string, string?> settings)
    {
        if (OperatingSystem.IsLinux())
        {
            // Before there are secrets in it.
            Kernel.HideMemory();
        }

        var sources = new ConfigurationBuilder()
            .AddInMemoryCollection(SecretFiles.OfCredentials(Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY")))
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
            .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
            .AddEnvironmentVariables("Halftone__")
            .AddInMemoryCollection(settings);
        // The files may be named in settings too, whose own values come last.
        var configuration = sources.AddInMemoryCollection(SecretFiles.Named(sources.Build())).AddInMemoryCollection(settings).Build();
        Settings.Check(configuration);
        var expanded = SettingLists.Expand(configuration);
        builder.Configuration.AddConfiguration(configuration, shouldDisposeConfiguration: true);
        builder.Configuration.AddInMemoryCollection(expanded);
        builder.Logging
            .AddConfiguration(builder.Configuration.GetSection("Logging"))
            // A failed start is explained in one sentence, so do not log its stack trace first.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // Longer uploads are cut off, because supervisors usually kill a process 10 s after asking it to stop.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
    }

    /// <summary>Leaves signals to the command line. If the host reacted to them too, nobody could tell why it stopped.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
