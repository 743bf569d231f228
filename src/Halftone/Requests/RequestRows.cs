using Dapper;
using Halftone.Database;

namespace Halftone.Requests;

/// <summary>All rows that belong to one request.</summary>
internal static class RequestRows
{
    private const int ChunkRows = 10_000;

    /// <summary>
    /// Removes them in chunks, one per transaction, so that nobody waits long, and the request's own row last. Stopping
    /// half-way or running twice does no harm.
    /// </summary>
    public static async Task DeleteAsync(HalftoneDatabase database, Guid requestId, CancellationToken cancellationToken)
    {
        if (await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<Ranges>(Sql.Ranges, new { RequestId = requestId }),
            cancellationToken) is not { } ranges)
        {
            return;
        }

        await DeleteChunksAsync(database, Sql.DeleteImages, ranges.FirstImageId, ranges.Images, cancellationToken);
        await DeleteChunksAsync(database, Sql.DeleteProducts, ranges.FirstProductId, ranges.Products, cancellationToken);
        await database.WriteAsync(
            transaction => transaction.ExecuteAsync(Sql.DeleteRequest, new { RequestId = requestId }),
            cancellationToken);
    }

    private static async Task DeleteChunksAsync(
        HalftoneDatabase database,
        string sql,
        long firstId,
        long count,
        CancellationToken cancellationToken)
    {
        for (var from = firstId; from < firstId + count; from += ChunkRows)
        {
            var parameters = new { FirstId = from, EndId = Math.Min(firstId + count, from + ChunkRows) };
            await database.WriteAsync(transaction => transaction.ExecuteAsync(sql, parameters), cancellationToken);
        }
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
        public const string Ranges = """
            SELECT first_product_id, products, first_image_id, images
            FROM   request
            WHERE  request_id = @RequestId
            """;

        public const string DeleteImages = "DELETE FROM image WHERE image_id >= @FirstId AND image_id < @EndId";

        public const string DeleteProducts = "DELETE FROM product WHERE product_id >= @FirstId AND product_id < @EndId";

        /// <summary>
        /// The first changes nothing but takes the locks of the deliveries, so that an attempt being recorded now is
        /// waited for and not left behind.
        /// </summary>
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
