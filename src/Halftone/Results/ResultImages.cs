using System.Runtime.CompilerServices;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Results;

/// <summary>
/// Outcomes of a request's images in CSV order, which is the order of their IDs; holds one page of rows in memory at a
/// time.
/// </summary>
internal sealed class ResultImages(HalftoneDatabase database, PublicUrls urls)
{
    private const int PageRows = 2_000;

    public async IAsyncEnumerable<ImageOutcome> ReadAsync(
        long firstImageId,
        long images,
        IReadOnlyList<string> variants,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = firstImageId;
        while (next < firstImageId + images)
        {
            var page = (await database.ReadAsync(
                connection =>
                    connection.QueryAsync<Row>(Sql.Page, new { First = next, End = Math.Min(firstImageId + images, next + PageRows) }),
                cancellationToken)).AsList();
            foreach (var row in page)
            {
                yield return new ImageOutcome(
                    row.Line,
                    row.ObjectKey is null ? null : urls.Image(row.ObjectKey),
                    row.ErrorCode == ErrorCode.Of(FetchError.HttpStatus) ? $"http_{row.HttpStatus}" : row.ErrorCode,
                    VariantsOf(row, variants));
            }

            next += PageRows;
        }
    }

    private List<string?>? VariantsOf(Row row, IReadOnlyList<string> variants)
    {
        if (row.Variants is null)
        {
            return null;
        }

        var stored = StoredVariant.Read(row.Variants);
        return [
            .. variants.Select(name =>
                stored.FirstOrDefault(variant => variant.Name == name) is { } found ? urls.Image(found.ObjectKey) : null)];
    }

    private sealed record Row
    {
        public required long Line { get; init; }
        public string? ObjectKey { get; init; }
        public string? Variants { get; init; }
        public string? ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
    }

    private static class Sql
    {
        public const string Page = """
            SELECT p.line, i.object_key, COALESCE(i.variants, (SELECT o.variants FROM image o WHERE o.image_id = i.same_as)) AS variants,
                   CASE WHEN i.state = 'failed' THEN i.error_code END AS error_code, i.http_status
            FROM   image i JOIN product p ON p.product_id = i.product_id
            WHERE  i.image_id >= @First AND i.image_id < @End
            ORDER  BY i.image_id
            """;
    }
}
