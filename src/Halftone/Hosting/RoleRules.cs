using Halftone.Database;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>What roles ask of the other settings, said before anything is started.</summary>
internal static class RoleRules
{
    /// <exception cref="SettingException">The settings do not go together; the message says what to change.</exception>
    public static void Check(IServiceProvider services)
    {
        var server = services.GetRequiredService<IOptions<ServerOptions>>().Value;
        var queue = services.GetRequiredService<IOptions<QueueOptions>>().Value;
        var isShared = queue.Uri.Length > 0;
        if (server.Role != Role.All && !isShared)
        {
            throw new SettingException($"A process with --role {Name(server.Role)} works with others through RabbitMQ: set Queue:Uri, or run one process with --role all.");
        }

        if (isShared && services.GetRequiredService<HalftoneDatabase>() is SqliteDatabase)
        {
            throw new SettingException("Processes that share a queue (Queue:Uri) share a database as well, which SQLite cannot be: set Database:ConnectionString to a PostgreSQL database.");
        }

        if (server.Role == Role.Worker && server.PublicUrl.Length == 0)
        {
            throw new SettingException("A worker writes the API's address into results and webhooks: set Server:PublicUrl.");
        }

        var folders = new[] { ("files", services.GetRequiredService<StoredFiles>().Store), ("images", services.GetRequiredService<StoredImages>().Store) }
            .Where(store => store.Item2 is FolderStore).Select(store => store.Item1).ToArray();
        if (isShared && folders.Length > 0 && !services.GetRequiredService<IOptions<DataOptions>>().Value.Shared)
        {
            throw new SettingException(
                $"The {string.Join(" and ", folders)} would be kept in a folder that other processes may not see: set Store:S3, or Data:Shared=true where every process has the same Data:Folder.");
        }
    }

    private static string Name(Role role) => role == Role.Api ? "api" : "worker";
}
