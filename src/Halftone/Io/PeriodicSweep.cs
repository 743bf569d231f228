namespace Halftone.Io;

/// <summary>Runs a task at intervals for the life of the process, through every outage.</summary>
/// <param name="firstPause">Pause before the first pass.</param>
/// <param name="interval">Pause between the end of a pass and the next.</param>
/// <param name="time">Measures both.</param>
/// <param name="logger">Logs a pass that failed.</param>
internal abstract partial class PeriodicSweep(TimeSpan firstPause, TimeSpan interval, TimeProvider time, ILogger logger) : BackgroundService
{
    protected TimeProvider Time => time;

    protected ILogger Logger => logger;

    protected abstract Task PassAsync(CancellationToken cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pause = firstPause; ; pause = interval)
        {
            try
            {
                await Task.Delay(pause, time, stoppingToken);
                await PassAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever the disk or the database reports, there is a next pass.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.Failed(logger, GetType().Name, interval, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(302, LogLevel.Error, "{Sweep} failed; retrying in {Interval}")]
        public static partial void Failed(ILogger logger, string sweep, TimeSpan interval, Exception exception);
    }
}
