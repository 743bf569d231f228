using Halftone.Database;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>Checks settings that depend on the role, before anything starts.</summary>
internal static class RoleRules
{
    /// <exception cref="SettingException">The settings contradict each other; the message says what to change.</exception>
    public static void Check(IServiceProvider services)
    {
        var server = services.GetRequiredService<IOptions<ServerOptions>>().Value;
        var queue = services.GetRequiredService<IOptions<QueueOptions>>().Value;
        var isShared = queue.Uri.Length > 0;
        if (server.Role != Role.All && !isShared)
        {
            throw new SettingException(
                $"A process with --role {Name(server.Role)} works with others through RabbitMQ. Set Queue:Uri, or run one process "
                + "with --role all.");
        }

        if (isShared && services.GetRequiredService<HalftoneDatabase>() is SqliteDatabase)
        {
            throw new SettingException(
                "Processes that share a queue (Queue:Uri) must share a database, which is not possible with SQLite. Set "
                + "Database:ConnectionString to a PostgreSQL database.");
        }

        if (server.Role == Role.Worker && server.PublicUrl.Length == 0)
        {
            throw new SettingException("A worker needs the public address of the API for results and webhooks. Set Server:PublicUrl.");
        }

        var stores = new (string Name, IObjectStore Store)[]
        {
            ("files", services.GetRequiredService<IFileStore>()),
            ("images", services.GetRequiredService<IImageStore>()),
        };
        var folders = stores.Where(kept => !kept.Store.IsRemote).Select(kept => kept.Name).ToArray();
        if (isShared && folders.Length > 0 && !services.GetRequiredService<IOptions<DataOptions>>().Value.Shared)
        {
            throw new SettingException(
                $"The {string.Join(" and ", folders)} would be stored in a folder that other processes may not see. Set Store:S3, "
                + "or Data:Shared=true if every process uses the same Data:Folder.");
        }
    }

    private static string Name(Role role) => role == Role.Api ? "api" : "worker";
}
