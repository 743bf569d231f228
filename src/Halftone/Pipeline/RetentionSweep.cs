using Halftone.Io;
using Halftone.Requests;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// Deletes requests that ended more than <see cref="RetentionOptions.Days"/> ago, as their owners could. Any number of processes may do it at a time: each
/// request is turned into one that is being deleted by a guarded statement, and whoever does so writes its message.
/// </summary>
internal sealed partial class RetentionSweep(RequestActions actions, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RetentionSweep> logger)
    : PeriodicSweep(FirstPause, Interval, time, logger)
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

        var ended = Time.GetUtcNow() - TimeSpan.FromDays(days);
        while (await actions.DeleteEndedAsync(ended, cancellationToken) is > 0 and var deleted)
        {
            Log.Deleted(Logger, deleted, days);
        }
    }

    protected override Task PassAsync(CancellationToken cancellationToken) => SweepAsync(cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(951, LogLevel.Information, "{Requests} requests that ended more than {Days} days ago are being deleted")]
        public static partial void Deleted(ILogger logger, int requests, int days);
    }
}
