using Halftone.Access;
using Halftone.Queue;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Database;

internal static class DatabaseSetup
{
    public static void AddDatabase(this IServiceCollection services)
    {
        services.AddOptions<DatabaseOptions>().BindConfiguration("Database").ValidateOnStart();
        services.AddSingleton<IValidateOptions<DatabaseOptions>, DatabaseOptionsValidator>();
        services.AddSingleton(provider =>
        {
            return new HalftoneDatabase(provider.GetRequiredService<DataFolder>().Make().Database);
        });
        services.AddSingleton<Migrator>();
        services.AddHostedService<Startup>();
    }

    /// <summary>
    /// What must be done before anything listens or works: the schema, then what the last process left behind. After a stop in order the files of
    /// unfinished requests are not looked at: of a request of millions that takes longer than anybody wants to wait for a restart.
    /// </summary>
    private sealed class Startup(DataFolder folder, Migrator migrator, AccessGuard access, IConfiguration configuration, Replan replan, OrphanSweep orphans) : IHostedLifecycleService
    {
        private bool mayWork;

        public async Task StartingAsync(CancellationToken cancellationToken)
        {
            folder.Hold();
            await migrator.MigrateAsync(cancellationToken);
            await access.CheckAddressesAsync(configuration["urls"] ?? "", cancellationToken);
            var isClean = folder.TakeCleanMark();
            await replan.RunAsync(looksAtFiles: !isClean, cancellationToken);
            if (!isClean)
            {
                await orphans.SweepAtStartAsync(cancellationToken);
            }

            mayWork = true;
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
                folder.MarkClean();
            }

            return Task.CompletedTask;
        }
    }
}
