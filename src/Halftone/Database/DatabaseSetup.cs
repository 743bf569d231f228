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

    /// <summary>What must be done before anything listens or works: the schema, then what the last process left behind.</summary>
    private sealed class Startup(DataFolder folder, Migrator migrator, AccessGuard access, IConfiguration configuration, Replan replan, OrphanSweep orphans) : IHostedLifecycleService
    {
        public async Task StartingAsync(CancellationToken cancellationToken)
        {
            folder.Hold();
            await migrator.MigrateAsync(cancellationToken);
            await access.CheckAddressesAsync(configuration["urls"] ?? "", cancellationToken);
            await replan.RunAsync(cancellationToken);
            await orphans.SweepAtStartAsync(cancellationToken);
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
