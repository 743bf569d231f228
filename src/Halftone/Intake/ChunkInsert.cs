using System.Data.Common;
using Halftone.Database;
using Npgsql;
using NpgsqlTypes;

namespace Halftone.Intake;

/// <summary>The IDs of the next product and the next image.</summary>
internal readonly record struct NextIds(long Product, long Image);

/// <summary>Inserts rows of an upload in file order: with a prepared INSERT on SQLite, with binary COPY on PostgreSQL.</summary>
internal static class ChunkInsert
{
    /// <param name="transaction">A transaction of the request that reserved the IDs.</param>
    /// <param name="requestId">ID of the request.</param>
    /// <param name="rows">Some hundred to some ten thousand rows.</param>
    /// <param name="ids">IDs of the first row and image.</param>
    /// <param name="equalUrls">Finds the first image with the same URL.</param>
    /// <param name="now">UTC milliseconds.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The next free IDs.</returns>
    public static async Task<NextIds> RunAsync(
        DbTransaction transaction,
        Guid requestId,
        IReadOnlyList<ProductRow> rows,
        NextIds ids,
        EqualUrls equalUrls,
        long now,
        CancellationToken cancellationToken)
    {
        if (transaction.Connection is NpgsqlConnection postgres)
        {
            await CopyProductsAsync(postgres, requestId, rows, ids, now, cancellationToken);
            await CopyImagesAsync(postgres, rows, ids, equalUrls, now, cancellationToken);
        }
        else
        {
            Insert(transaction, requestId, rows, ids, equalUrls, now);
        }

        return new NextIds(ids.Product + rows.Count, ids.Image + rows.Sum(row => row.ImageUrls.Count));
    }

    private static void Insert(
        DbTransaction transaction,
        Guid requestId,
        IReadOnlyList<ProductRow> rows,
        NextIds ids,
        EqualUrls equalUrls,
        long now)
    {
        using var product = new SqliteInsert(transaction, Sql.InsertProductSqlite);
        using var image = new SqliteInsert(transaction, Sql.InsertImageSqlite);
        product.Bind(2, requestId.ToString("D")).Bind(8, now);
        image.Bind(5, now);
        var (productId, imageId) = ids;
        foreach (var row in rows)
        {
            product
                .Bind(1, productId)
                .Bind(3, row.Line)
                .Bind(4, row.SerialNumber)
                .Bind(5, row.ProductName)
                .Bind(6, imageId)
                .Bind(7, row.ImageUrls.Count)
                .Execute();
            image.Bind(2, productId);
            foreach (var url in row.ImageUrls)
            {
                image.Bind(1, imageId).Bind(3, url).Bind(4, equalUrls.FirstOf(url, imageId)).Execute();
                imageId++;
            }

            productId++;
        }
    }

    private static async Task CopyProductsAsync(
        NpgsqlConnection connection,
        Guid requestId,
        IReadOnlyList<ProductRow> rows,
        NextIds ids,
        long now,
        CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync(Sql.CopyProductPostgres, cancellationToken);
        var (productId, imageId) = ids;
        foreach (var row in rows)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(productId++, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(requestId, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(row.Line, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(row.SerialNumber, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(row.ProductName, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(imageId, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync((long)row.ImageUrls.Count, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(now, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(now, NpgsqlDbType.Bigint, cancellationToken);
            imageId += row.ImageUrls.Count;
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task CopyImagesAsync(
        NpgsqlConnection connection,
        IReadOnlyList<ProductRow> rows,
        NextIds ids,
        EqualUrls equalUrls,
        long now,
        CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync(Sql.CopyImagePostgres, cancellationToken);
        var (productId, imageId) = ids;
        foreach (var row in rows)
        {
            foreach (var url in row.ImageUrls)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(imageId, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(productId, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(url, NpgsqlDbType.Text, cancellationToken);
                if (equalUrls.FirstOf(url, imageId) is { } first)
                {
                    await copy.WriteAsync(first, NpgsqlDbType.Bigint, cancellationToken);
                }
                else
                {
                    await copy.WriteNullAsync(cancellationToken);
                }

                await copy.WriteAsync(now, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(now, NpgsqlDbType.Bigint, cancellationToken);
                imageId++;
            }

            productId++;
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static class Sql
    {
        public const string InsertProductSqlite = """
            INSERT INTO product (product_id, request_id, line, serial_number, product_name, first_image_id, images, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
            """;

        public const string CopyProductPostgres = """
            COPY product (product_id, request_id, line, serial_number, product_name, first_image_id, images, created_at, updated_at)
            FROM STDIN (FORMAT binary)
            """;

        public const string InsertImageSqlite = """
            INSERT INTO image (image_id, product_id, input_url, same_as, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
            """;

        public const string CopyImagePostgres = """
            COPY image (image_id, product_id, input_url, same_as, created_at, updated_at) FROM STDIN (FORMAT binary)
            """;
    }
}
