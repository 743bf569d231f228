using Halftone.Api.Access;
using Halftone.Database;
using Halftone.Io;
using Halftone.Pipeline;
using Halftone.Store;

namespace Halftone.Hosting;

/// <summary>
/// Steps before anything listens or works: migrate the schema, then recover what the last process left behind. After a
/// graceful stop, the files of unfinished requests are not checked, because for a request of millions that would delay
/// a restart too long. Files in a bucket or an account are never checked: they are uploaded completely or not at all,
/// others may use the bucket too, and it may be unavailable.
/// </summary>
internal sealed class StartSequence(
    HalftoneDatabase database,
    DataFolder folder,
    SoleProcess soleProcess,
    Migrator migrator,
    AccessGuard access,
    IConfiguration configuration,
    IServiceProvider services,
    Replan replan,
    Requeue requeue,
    OrphanSweep orphans,
    IImageStore images,
    ILogger<HalftoneDatabase> logger) : IHostedLifecycleService
{
    /// <summary>Otherwise services that start concurrently come up in any order.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private bool mayWork;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        RoleRules.Check(services);
        await database.ReachAsync(Patience, cancellationToken);
        var isAlone = await soleProcess.TakeAsync(cancellationToken);
        await migrator.MigrateAsync(cancellationToken);
        await access.CheckAddressesAsync(configuration["urls"] ?? "", cancellationToken);
        if (isAlone)
        {
            var isClean = folder.TakeCleanMark();
            await replan.RunAsync(looksAtFiles: !isClean && !images.IsRemote, cancellationToken);
            if (!isClean)
            {
                await orphans.SweepAtStartAsync(cancellationToken);
            }
        }

        else
        {
            await requeue.DeleteAgainAsync(cancellationToken);
        }

        mayWork = isAlone;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        // Cancelled if the time for the stop ran out: something may still be working.
        if (mayWork && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                folder.MarkClean();
            }
            catch (IOException exception)
            {
                // A full disk must not keep the server from stopping; the next start checks every file.
                OutageLog.Outage(logger, exception.Message);
            }
        }

        return Task.CompletedTask;
    }
}
