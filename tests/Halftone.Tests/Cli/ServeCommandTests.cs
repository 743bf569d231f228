using System.Collections.Concurrent;
using Halftone.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Halftone.Tests.Cli;

/// <summary>A stop that comes while the server starts is a stop like any other.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-serve-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_server_that_is_stopped_while_it_starts_ends_in_order_and_says_nothing()
    {
        using var server = HalftoneProcess.Start("serve", "--urls", "http://127.0.0.1:0", "--data", folder);
        // Taken before the schema is made and anything listens.
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(folder, "lock")));
        server.Interrupt();
        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.DoesNotContain("BackgroundService", output);
    }

    [Fact]
    public async Task A_service_that_stops_because_the_start_is_stopped_is_no_fault()
    {
        Assert.DoesNotContain(await LinesOfAStoppedStartAsync(ServerBuilder.StartAsync), IsOfAFault);
        // What is kept away by it: where only the start is cancelled, the host says so.
        Assert.Contains(await LinesOfAStoppedStartAsync((host, stop) => host.StartAsync(stop)), IsOfAFault);
    }

    private static bool IsOfAFault(string line) => line.Contains("BackgroundServiceExceptionBehavior", StringComparison.Ordinal);

    private static async Task<IReadOnlyCollection<string>> LinesOfAStoppedStartAsync(Func<IHost, CancellationToken, Task> startAsync)
    {
        using var stop = new CancellationTokenSource();
        using var log = new Heard();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        builder.Services.AddHostedService<Waiting>();
        builder.Services.AddHostedService(_ => new Stopping(stop));
        using var host = builder.Build();
        await startAsync(host, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Either way the host stops, by our word or by that of its fault.
        await host.WaitForShutdownAsync(Cancelled);
        return log.Lines;
    }

    private sealed class Waiting : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stoppingToken);
    }

    private sealed class Stopping(CancellationTokenSource stop) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => stop.CancelAsync();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Heard : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
