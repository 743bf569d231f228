using Halftone.Status;
using Microsoft.Extensions.Options;

namespace Halftone.Results;

/// <summary>
/// Deletes requests that ended more than <see cref="RetentionOptions.Days"/> ago, as their owners could. Any number of processes may do it at a time: each
/// request is turned into one that is being deleted by a guarded statement, and whoever does so writes its message.
/// </summary>
internal sealed partial class RetentionSweep(RequestActions actions, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RetentionSweep> logger) : BackgroundService
{
    /// <summary>A server that is started anew each day must sweep too.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>One pass; public to tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Days is not { } days)
        {
            return;
        }

        var ended = time.GetUtcNow() - TimeSpan.FromDays(days);
        while (await actions.DeleteEndedAsync(ended, cancellationToken) is > 0 and var deleted)
        {
            Log.Deleted(logger, deleted, days);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pause = FirstPause; options.Value.Days is not null; pause = Interval)
        {
            try
            {
                await Task.Delay(pause, time, stoppingToken);
                await SweepAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The sweep must outlive every outage.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(531, LogLevel.Information, "{Requests} requests that ended more than {Days} days ago are being deleted")]
        public static partial void Deleted(ILogger logger, int requests, int days);

        [LoggerMessage(532, LogLevel.Error, "Requests that ended long ago could not be looked for; tried again in an hour")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
