using Halftone.Database;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class DatabaseSetup
{
    public static void AddDatabase(this IServiceCollection services)
    {
        services.AddOptions<DatabaseOptions>().BindConfiguration("Database").ValidateOnStart();
        services.AddSingleton<IValidateOptions<DatabaseOptions>, DatabaseOptionsValidator>();
        services.AddSingleton<HalftoneDatabase>(provider =>
            provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.ConnectionString is { Length: > 0 } postgres
                ? new PostgresDatabase(
                    PostgresAddress.Parse(postgres),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<PostgresDatabase>>())
                : new SqliteDatabase(provider.GetRequiredService<DataFolder>().Make().Database));
        services.AddSingleton<SoleProcess>();
        services.AddSingleton<Migrator>();
        services.AddHostedService<StartSequence>();
    }
}
