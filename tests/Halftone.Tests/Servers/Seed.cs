using System.Data.Common;
using Dapper;

namespace Halftone.Tests.Servers;

/// <summary>
/// Rows straight into the tables, for tests that begin in the middle of the work. An anonymous object names the columns that the test is
/// about; the
/// others get values of no meaning.
/// </summary>
internal static class Seed
{
    private static readonly object Request = new
    {
        owner = "",
        file_name = "a.csv",
        state = "processing",
        first_product_id = 1,
        products = 1,
        first_image_id = 1,
        images = 1,
        quality = 50,
        dialect = "",
        upload_key = "",
        created_at = 1,
        updated_at = 1,
    };

    private static readonly object Product = new
    {
        line = 2,
        serial_number = "1",
        product_name = "A",
        first_image_id = 1,
        images = 1,
        created_at = 1,
        updated_at = 1,
    };

    private static readonly object Image = new
    {
        product_id = 1,
        input_url = "http://a.example/",
        created_at = 1,
        updated_at = 1,
    };

    private static readonly object Delivery = new
    {
        request_id = Guid.Empty,
        run = 1,
        endpoint = "http://a.example/",
        body = "{}",
        created_at = 1,
        updated_at = 1,
    };

    public static Task AddRequestAsync(this DbTransaction transaction, object columns) =>
        AddAsync(transaction, "request", Request, columns);

    public static Task AddProductAsync(this DbTransaction transaction, object columns) =>
        AddAsync(transaction, "product", Product, columns);

    public static Task AddImageAsync(this DbTransaction transaction, object columns) => AddAsync(transaction, "image", Image, columns);

    public static Task AddDeliveryAsync(this DbTransaction transaction, object columns) =>
        AddAsync(transaction, "delivery", Delivery, columns);

    private static Task<int> AddAsync(DbTransaction transaction, string table, object defaults, object columns)
    {
        var row = Columns(defaults).ToDictionary(column => column.Name, column => column.Value);
        foreach (var (name, value) in Columns(columns))
        {
            row[name] = value;
        }

        var sql = $"INSERT INTO {table} ({string.Join(", ", row.Keys)}) VALUES ({string.Join(", ", row.Keys.Select(name => "@" + name))})";
        return transaction.Connection!.ExecuteAsync(sql, new DynamicParameters(row), transaction);
    }

    private static IEnumerable<(string Name, object? Value)> Columns(object row) =>
        row.GetType().GetProperties().Select(property => (property.Name, property.GetValue(row)));
}
