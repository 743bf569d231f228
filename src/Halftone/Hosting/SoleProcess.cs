using Halftone.Database;
using Halftone.Queue;
using Halftone.Store;

namespace Halftone.Hosting;

/// <summary>
/// With the queue inside the process, one process has the data folder and the database alone: two would plan the same work, and each would take what
/// the other is doing for what a crash has left.
/// </summary>
internal sealed class SoleProcess(IWorkQueue queue, DataFolder folder, HalftoneDatabase database, IHostApplicationLifetime lifetime)
{
    /// <summary>Keeps others out until this process ends, however it ends.</summary>
    /// <returns>False where the queue is one that many processes may have in common: nobody is kept out.</returns>
    /// <exception cref="DataFolderException">Another process has the folder, or it cannot be written.</exception>
    /// <exception cref="DatabaseException">Another process has the database.</exception>
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
