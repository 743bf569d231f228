using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Requests;
using Halftone.Store;

namespace Halftone.Pipeline;

/// <summary>Removes stored outputs that no row will name. If it fails, the daily sweep removes them later.</summary>
internal sealed class UnusedOutputs(HalftoneDatabase database, IImageStore images, ILogger<UnusedOutputs> logger)
{
    public async Task RemoveAsync(IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            await OutageBackoff.TryOnceAsync(
                async () =>
                {
                    await images.DeleteAsync(key, CancellationToken.None);
                    return true;
                },
                otherwise: false,
                logger);
        }
    }

    /// <summary>Removes the outputs of a run whose record did not count.</summary>
    /// <remarks>If the record was committed and only the answer was lost, the row does name them: then they stay.</remarks>
    public async Task RemoveUnlessNamedAsync(RunOutcome.Completed unused, CancellationToken cancellationToken)
    {
        var named = await database.ReadAsync(
            connection => connection.ExecuteScalarAsync<string?>(Sql.ObjectKeyOf, new { unused.ImageId }), cancellationToken);
        if (named != unused.ObjectKey)
        {
            await RemoveAsync(unused.Variants.Select(variant => variant.ObjectKey).Prepend(unused.ObjectKey));
        }
    }

    private static class Sql
    {
        public const string ObjectKeyOf = "SELECT object_key FROM image WHERE image_id = @ImageId";
    }
}
