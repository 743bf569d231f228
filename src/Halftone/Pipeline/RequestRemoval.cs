using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;

namespace Halftone.Pipeline;

/// <summary>Removes a request that is being deleted: its files first, then its rows in chunks, its own row last.</summary>
internal sealed class RequestRemoval(HalftoneDatabase database, IFileStore files, IImageStore images)
{
    public async Task HandleAsync(Message.Delete delete, CancellationToken cancellationToken)
    {
        var deleting = await database.ReadAsync(
            connection => connection.ExecuteScalarAsync<long>(Sql.IsDeleting, new { delete.RequestId, delete.Run }),
            cancellationToken);
        if (deleting == 0)
        {
            return;
        }

        await images.DeleteAllAsync(delete.RequestId, cancellationToken);
        await files.DeleteAllAsync(delete.RequestId, cancellationToken);
        await RequestRows.DeleteAsync(database, delete.RequestId, cancellationToken);
    }

    private static class Sql
    {
        public const string IsDeleting = "SELECT count(*) FROM request WHERE request_id = @RequestId AND run = @Run AND state = 'deleting'";
    }
}
