using Halftone.Api.Access;
using Halftone.Database;
using Halftone.Io;
using Halftone.Pipeline;
using Halftone.Store;

namespace Halftone.Hosting;

/// <summary>
/// What must be done before anything listens or works: the schema, then what the last process left behind. After a stop in order the files of
/// unfinished requests are not looked at: of a request of millions that takes longer than anybody wants to wait for a restart. Nor are those in a bucket
/// or an account at any time: what was put there whole cannot be torn, others may use it too, and it may be away.
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
    StoredImages images,
    ILogger<HalftoneDatabase> logger) : IHostedLifecycleService
{
    /// <summary>Services that are started together come up in any order.</summary>
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
            await replan.RunAsync(looksAtFiles: !isClean && images.Store is FolderStore, cancellationToken);
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
        // Cancelled where the time for a stop ran out: something may still be at work.
        if (mayWork && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                folder.MarkClean();
            }
            catch (IOException exception)
            {
                // A full disk must not keep the server from ending: the next start looks at every file.
                OutageLog.Outage(logger, exception.Message);
            }
        }

        return Task.CompletedTask;
    }
}
