using Halftone.Io;
using Halftone.Requests;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// Deletes requests that ended more than <see cref="RetentionOptions.Days"/> ago, as their owners could. Any number of
/// processes may do this at a time: a guarded statement marks each request for deletion, and the process that marks it
/// writes its message.
/// </summary>
internal sealed partial class RetentionSweep(
    RequestActions actions,
    IOptions<RetentionOptions> options,
    TimeProvider time,
    ILogger<RetentionSweep> logger)
    : PeriodicSweep(FirstPause, Interval, time, logger)
{
    /// <summary>Pause before the first pass: a server that is restarted every day must sweep too.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Runs one pass; public for tests.</summary>
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
        [LoggerMessage(951, LogLevel.Information, "Deleting {Requests} requests that ended more than {Days} days ago")]
        public static partial void Deleted(ILogger logger, int requests, int days);
    }
}
