using Halftone.Database;
using Halftone.Queue;
using Halftone.Store;

namespace Halftone.Hosting;

/// <summary>
/// With the in-process queue, only one process may use the data folder and the database: two would plan the same work,
/// and each would treat the other's work in progress as left over from a crash.
/// </summary>
internal sealed class SoleProcess(IWorkQueue queue, DataFolder folder, HalftoneDatabase database, IHostApplicationLifetime lifetime)
{
    /// <summary>Keeps other processes out until this one ends, in any way.</summary>
    /// <returns>False with a queue that processes can share: then nobody is kept out.</returns>
    /// <exception cref="DataFolderException">Another process uses the folder, or it is not writable.</exception>
    /// <exception cref="DatabaseException">Another process uses the database.</exception>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        if (queue.IsInProcess)
        {
            folder.Hold();
            await database.HoldAsync(lifetime.StopApplication, cancellationToken);
        }

        return queue.IsInProcess;
    }
}
