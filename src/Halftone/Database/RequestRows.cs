using System.Data.Common;
using Dapper;

namespace Halftone.Database;

/// <summary>All rows that belong to one request.</summary>
internal static class RequestRows
{
    private const int ChunkRows = 10_000;

    /// <summary>Removes a chunk of the request's rows, the request's own row with the last.</summary>
    /// <returns>True while there are more.</returns>
    public static async Task<bool> DeleteChunkAsync(DbTransaction transaction, Guid requestId)
    {
        var connection = transaction.Connection!;
        if (await connection.QuerySingleOrDefaultAsync<Ranges>(Sql.Ranges, new { RequestId = requestId }, transaction) is not { } ranges)
        {
            return false;
        }

        var removed = await connection.ExecuteAsync(Sql.DeleteImages, new { ranges.FirstImageId, EndImageId = ranges.FirstImageId + ranges.Images, Limit = ChunkRows }, transaction);
        if (removed < ChunkRows)
        {
            removed = await connection.ExecuteAsync(Sql.DeleteProducts, new { ranges.FirstProductId, EndProductId = ranges.FirstProductId + ranges.Products, Limit = ChunkRows }, transaction);
        }

        if (removed < ChunkRows)
        {
            await connection.ExecuteAsync(Sql.DeleteRequest, new { RequestId = requestId }, transaction);
        }

        return removed == ChunkRows;
    }

    /// <summary>Removes a request that was never promised, a chunk a transaction so that nobody waits long; one that was promised is left as it is.</summary>
    /// <returns>True where nothing of the request is left.</returns>
    public static async Task<bool> DeleteReceivingAsync(HalftoneDatabase database, Guid requestId, CancellationToken cancellationToken)
    {
        var state = await database.ReadAsync(connection => connection.ExecuteScalarAsync<string?>(Sql.State, new { RequestId = requestId }), cancellationToken);
        if (state == "receiving")
        {
            while (await database.WriteAsync(transaction => DeleteChunkAsync(transaction, requestId), cancellationToken))
            {
            }
        }

        return state is null or "receiving";
    }

    private sealed record Ranges
    {
        public required long FirstProductId { get; init; }
        public required long Products { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
    }

    private static class Sql
    {
        /// <summary>Changes nothing and so takes the row's lock: of two that remove a request, one waits, and neither takes the other's chunk for the end.</summary>
        public const string Ranges = """
            UPDATE request
            SET    run = run
            WHERE  request_id = @RequestId
            RETURNING first_product_id AS FirstProductId, products AS Products, first_image_id AS FirstImageId, images AS Images
            """;

        public const string State = "SELECT state FROM request WHERE request_id = @RequestId";

        public const string DeleteImages = """
            DELETE FROM image WHERE image_id IN (SELECT image_id FROM image WHERE image_id >= @FirstImageId AND image_id < @EndImageId LIMIT @Limit)
            """;

        public const string DeleteProducts = """
            DELETE FROM product WHERE product_id IN (SELECT product_id FROM product WHERE product_id >= @FirstProductId AND product_id < @EndProductId LIMIT @Limit)
            """;

        /// <summary>The first changes nothing and so takes the deliveries' locks: an attempt that is being recorded now is waited for, and is not left behind.</summary>
        public const string DeleteRequest = """
            UPDATE delivery SET run = run WHERE request_id = @RequestId;
            DELETE FROM delivery_attempt WHERE delivery_id IN (SELECT delivery_id FROM delivery WHERE request_id = @RequestId);
            DELETE FROM delivery WHERE request_id = @RequestId;
            DELETE FROM webhook WHERE request_id = @RequestId;
            DELETE FROM error_count WHERE request_id = @RequestId;
            DELETE FROM request WHERE request_id = @RequestId;
            """;
    }
}
