using System.Security.Cryptography;
using System.Text;
using Dapper;
using Halftone.Codec;
using Halftone.Model;
using Halftone.Pipeline;

namespace Halftone.Crash;

/// <summary>What an examination brought to light; each finding is a sentence.</summary>
internal sealed class Findings
{
    /// <summary>Rows, images, files or events that should be there.</summary>
    public List<string> Lost { get; } = [];

    /// <summary>What is there more than once.</summary>
    public List<string> Doubled { get; } = [];

    /// <summary>Files and rows that belong to nothing.</summary>
    public List<string> Orphans { get; } = [];

    /// <summary>Counters, states or contents that contradict each other.</summary>
    public List<string> Wrong { get; } = [];

    /// <summary>Images that were rightly given up because their codec child was killed twice.</summary>
    public int CodecCrashed { get; set; }

    /// <summary>Attempts that images were charged for what their origin did not do.</summary>
    public int AttemptsLost { get; set; }

    public int Requests { get; set; }

    public int Images { get; set; }

    /// <summary>Images that took over an earlier request's output.</summary>
    public int Reused { get; set; }

    /// <summary>Requests whose upload was never answered and that are there, whole, all the same.</summary>
    public int Unanswered { get; set; }

    public bool IsClean => Lost.Count + Doubled.Count + Orphans.Count + Wrong.Count == 0;

    public IEnumerable<string> Sentences =>
        [.. Lost.Select(s => "LOST " + s), .. Doubled.Select(s => "DOUBLED " + s), .. Orphans.Select(s => "ORPHAN " + s), .. Wrong.Select(s => "WRONG " + s)];
}

/// <summary>
/// Holds what servers that have ended left behind against what was sent: every row exactly once, every output whole and as its row says, nothing that
/// belongs to nobody.
/// </summary>
internal sealed class Examination(IEstate estate, Shop shop, Surroundings surroundings)
{
    private readonly Findings findings = new();
    private readonly HashSet<string> named = new(StringComparer.Ordinal);
    private readonly HashSet<string> decoded = new(StringComparer.Ordinal);

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        await using var database = estate.OpenDatabase();
        var requests = (await database.ReadAsync(c => c.QueryAsync<RequestRow>(Sql.Requests), cancellationToken)).AsList();
        CheckAccepted(requests);
        foreach (var request in requests)
        {
            var products = (await database.ReadAsync(c => c.QueryAsync<ProductRow>(Sql.Products, new { request.RequestId }), cancellationToken)).AsList();
            var images = (await database.ReadAsync(c => c.QueryAsync<ImageRow>(Sql.Images, new { request.RequestId }), cancellationToken)).AsList();
            await CheckRequestAsync(request, products, images, cancellationToken);
        }

        findings.Orphans.AddRange((await database.ReadAsync(c => c.QueryAsync<string>(Sql.OrphanRows), cancellationToken)).AsList());
        await CheckFilesAsync(requests, cancellationToken);
        return findings;
    }

    private void CheckAccepted(List<RequestRow> requests)
    {
        foreach (var sent in shop.Sent)
        {
            var found = requests.Count(row => row.FileName == sent.Name + ".csv");
            if (sent.RequestId is { } id && !sent.MayBeGone && requests.All(row => row.RequestId != id))
            {
                findings.Lost.Add($"request {id} ({sent.Name}) was answered 200 and is not there");
            }

            if (sent.IsGone && found > 0)
            {
                findings.Wrong.Add($"request {sent.RequestId} ({sent.Name}) was deleted and is there");
            }

            if (found > 1)
            {
                findings.Doubled.Add($"{sent.Name} was sent as one upload and is {found} requests");
            }

            if (sent is { RequestId: { } ended, MayBeGone: false } && surroundings.EventsOf(ended) is var events && (events.Count == 0 || (!sent.MayBeCancelled && events.Distinct().Count() > Math.Max(1, RunsOf(requests, ended)))))
            {
                (events.Count == 0 ? findings.Lost : findings.Doubled).Add($"request {ended}: events {string.Join(' ', events)}");
            }
        }
    }

    private static int RunsOf(List<RequestRow> requests, Guid id) => requests.FirstOrDefault(row => row.RequestId == id)?.Run ?? 1;

    private async Task CheckRequestAsync(RequestRow request, List<ProductRow> products, List<ImageRow> images, CancellationToken cancellationToken)
    {
        var what = $"request {request.RequestId} ({request.FileName}, {request.State}, run {request.Run})";
        if (shop.Sent.SingleOrDefault(sent => sent.Name + ".csv" == request.FileName) is not { } sent)
        {
            findings.Wrong.Add($"{what} was never sent");
            return;
        }

        findings.Requests++;
        findings.Images += images.Count;
        findings.Unanswered += sent.RequestId is null ? 1 : 0;
        if (request.State is not ("completed" or "failed" or "cancelled") || (request.State == "cancelled" && !sent.MayBeCancelled))
        {
            findings.Wrong.Add($"{what} is in this state in the end");
        }

        CompareRows(what, "the database", sent.Rows.Select(row => row.Serial), [.. products.Select(product => product.SerialNumber)]);
        if (!images.Select(image => image.InputUrl).SequenceEqual(sent.Rows.SelectMany(row => row.Urls)))
        {
            findings.Wrong.Add($"{what}: its image rows are not those of its file");
        }

        CheckCounters(what, request, images);
        foreach (var image in images)
        {
            await CheckImageAsync(what, request, sent, image, cancellationToken);
        }

        named.Add(estate.NameOf(StoredKind.File, request.UploadKey));
        if (request.ResultKey is { } resultKey)
        {
            named.Add(estate.NameOf(StoredKind.File, resultKey));
            await CheckResultAsync(what, sent, images, resultKey, cancellationToken);
        }
    }

    private void CompareRows(string what, string where, IEnumerable<string> expected, IReadOnlyList<string> found)
    {
        var counts = found.CountBy(serial => serial).ToDictionary();
        foreach (var serial in expected)
        {
            switch (counts.GetValueOrDefault(serial))
            {
                case 0:
                    findings.Lost.Add($"{what}: row {serial} is not in {where}");
                    break;
                case 1:
                    break;
                default:
                    findings.Doubled.Add($"{what}: row {serial} is {counts[serial]} times in {where}");
                    break;
            }
        }

        if (!expected.SequenceEqual(found))
        {
            findings.Wrong.Add($"{what}: rows in {where} are not those of the upload, in their order");
        }
    }

    private void CheckCounters(string what, RequestRow request, List<ImageRow> images)
    {
        var completed = images.Where(image => image.State == "completed").ToList();
        var counted = (request.Completed, request.Failed, request.BytesIn, request.BytesOut);
        var real = (completed.Count, images.Count(image => image.State == "failed"), completed.Sum(image => image.BytesIn ?? 0), completed.Sum(image => image.BytesOut ?? 0));
        if (counted != real || request.Errors != real.Item2)
        {
            findings.Wrong.Add($"{what} counts {counted} and {request.Errors} errors, its images are {real}");
        }
    }

    private async Task CheckImageAsync(string what, RequestRow request, SentRequest sent, ImageRow image, CancellationToken cancellationToken)
    {
        var isMissing = image.InputUrl.Contains("/missing/", StringComparison.Ordinal) || (image.InputUrl.Contains("/later/", StringComparison.Ordinal) && request.Run == 1);
        findings.AttemptsLost += Math.Max(0, image.Attempt - (image.InputUrl.Contains("/flaky/", StringComparison.Ordinal) ? 1 : 0));
        switch (image.State)
        {
            case "failed" when image.ErrorCode is "codec_crashed":
                findings.CodecCrashed++;
                break;
            case "failed" when isMissing:
            case "pending" when sent.MayBeCancelled && request.State == "cancelled":
                break;
            case "completed" when !isMissing || image.InputUrl.Contains("/later/", StringComparison.Ordinal):
                await CheckOutputsAsync(what, sent, image, cancellationToken);
                break;
            default:
                findings.Wrong.Add($"{what}: image {image.ImageId} ({image.InputUrl}) is {image.State} {image.ErrorCode}");
                break;
        }
    }

    private async Task CheckOutputsAsync(string what, SentRequest sent, ImageRow image, CancellationToken cancellationToken)
    {
        findings.Reused += image.Reused == true ? 1 : 0;
        await CheckOutputAsync(what, image.ImageId, image.ObjectKey!, image.BytesOut, image.ContentHash, cancellationToken);
        if (!image.StoredVariants.Select(variant => variant.Name).SequenceEqual(sent.Variants))
        {
            findings.Wrong.Add($"{what}: image {image.ImageId} is completed with the variants '{image.Variants}'");
        }

        foreach (var variant in image.StoredVariants)
        {
            await CheckOutputAsync(what, image.ImageId, variant.ObjectKey, variant.Bytes, variant.ContentHash, cancellationToken);
        }
    }

    private async Task CheckOutputAsync(string what, long imageId, string key, long? length, string? contentHash, CancellationToken cancellationToken)
    {
        named.Add(estate.NameOf(StoredKind.Image, key));
        if (await estate.ReadAsync(StoredKind.Image, key, cancellationToken) is not { } bytes)
        {
            findings.Lost.Add($"{what}: image {imageId} has no file {key}");
            return;
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (bytes.Length != length || hash != contentHash)
        {
            findings.Wrong.Add($"{what}: the file {key} of image {imageId} has {bytes.Length} bytes, its row says {length}; or its hash differs");
        }
        else if (decoded.Add(hash) && ImageCodec.Compress(bytes, new CodecRequest { Format = ImageFormat.Png }) is CodecResult.Refused refused)
        {
            findings.Wrong.Add($"{what}: the file {key} of image {imageId} does not decode: {refused.Detail}");
        }
    }

    /// <summary>The result CSV names every row once, in order, and each image's output and variants at their place.</summary>
    private async Task CheckResultAsync(string what, SentRequest sent, List<ImageRow> images, string resultKey, CancellationToken cancellationToken)
    {
        if (await estate.ReadAsync(StoredKind.File, resultKey, cancellationToken) is not { } result)
        {
            findings.Lost.Add($"{what} has no result file");
            return;
        }

        var lines = Encoding.UTF8.GetString(result).TrimEnd('\n').Split('\n').Skip(1).Select(Cells).ToList();
        CompareRows(what, "the result", sent.Rows.Select(row => row.Serial), [.. lines.Select(cells => cells[0])]);
        CompareOutputs(what, [.. lines.SelectMany(cells => cells[3].Split(','))], [.. images.Select(image => image.ObjectKey ?? "")]);
        foreach (var (index, name) in sent.Variants.Index())
        {
            CompareOutputs(
                $"{what}, variant {name}",
                [.. lines.SelectMany(cells => cells[4 + index].Split(','))],
                [.. images.Select(image => image.StoredVariants.FirstOrDefault(variant => variant.Name == name)?.ObjectKey ?? "")]);
        }
    }

    private void CompareOutputs(string what, List<string> outputs, List<string> expected)
    {
        if (outputs.Count != expected.Count || !outputs.Zip(expected).All(pair => pair.Second.Length == 0 ? pair.First.Length == 0 : pair.First.EndsWith("/images/" + pair.Second, StringComparison.Ordinal)))
        {
            findings.Wrong.Add($"{what}: the outputs in its result are not those of its images");
        }
    }

    private async Task CheckFilesAsync(List<RequestRow> requests, CancellationToken cancellationToken)
    {
        var ids = requests.Select(request => request.RequestId).ToHashSet();
        findings.Orphans.AddRange((await estate.AllAsync(ids, cancellationToken)).Where(name => !named.Contains(name) && !name.Contains($"{OrphanSweep.Marks:D}/", StringComparison.Ordinal)));
    }

    /// <summary>Cells of one line; a quoted cell may hold commas, and none of ours holds a quote.</summary>
    private static List<string> Cells(string line)
    {
        var cells = new List<string>();
        var start = 0;
        var isQuoted = false;
        for (var i = 0; i <= line.Length; i++)
        {
            if (i == line.Length || (line[i] == ',' && !isQuoted))
            {
                cells.Add(line[start..i].Trim('"'));
                start = i + 1;
            }
            else if (line[i] == '"')
            {
                isQuoted = !isQuoted;
            }
        }

        return cells;
    }

    private sealed record RequestRow
    {
        public required Guid RequestId { get; init; }
        public required string FileName { get; init; }
        public required string State { get; init; }
        public required int Run { get; init; }
        public required int Completed { get; init; }
        public required int Failed { get; init; }
        public required long BytesIn { get; init; }
        public required long BytesOut { get; init; }
        public required string UploadKey { get; init; }
        public string? ResultKey { get; init; }
        public required int Errors { get; init; }
    }

    private sealed record ProductRow
    {
        public required string SerialNumber { get; init; }
    }

    private sealed record ImageRow
    {
        public required long ImageId { get; init; }
        public required string InputUrl { get; init; }
        public required string State { get; init; }
        public string? ErrorCode { get; init; }
        public required int Attempt { get; init; }
        public string? ObjectKey { get; init; }
        public long? BytesIn { get; init; }
        public long? BytesOut { get; init; }
        public string? ContentHash { get; init; }
        public bool? Reused { get; init; }
        public string? Variants { get; init; }

        public IReadOnlyList<StoredVariant> StoredVariants => StoredVariant.Read(Variants);
    }

    private static class Sql
    {
        public const string Requests = """
            SELECT request_id AS RequestId, file_name AS FileName, state AS State, run AS Run, completed AS Completed, failed AS Failed, bytes_in AS BytesIn,
                   bytes_out AS BytesOut, upload_key AS UploadKey, result_key AS ResultKey,
                   (SELECT CAST(coalesce(sum(images), 0) AS BIGINT) FROM error_count e WHERE e.request_id = request.request_id) AS Errors
            FROM   request
            """;

        public const string Products = "SELECT serial_number AS SerialNumber FROM product WHERE request_id = @RequestId ORDER BY product_id";

        public const string Images = """
            SELECT i.image_id AS ImageId, i.input_url AS InputUrl, i.state AS State, i.error_code AS ErrorCode, i.object_key AS ObjectKey, i.attempt AS Attempt,
                   i.bytes_in AS BytesIn, i.bytes_out AS BytesOut, i.content_hash AS ContentHash, i.reused AS Reused,
                   COALESCE(i.variants, (SELECT o.variants FROM image o WHERE o.image_id = i.same_as)) AS Variants
            FROM   image i JOIN product p ON p.product_id = i.product_id
            WHERE  p.request_id = @RequestId
            ORDER  BY i.image_id
            """;

        public const string OrphanRows = """
            SELECT 'product row ' || product_id FROM product WHERE request_id NOT IN (SELECT request_id FROM request)
            UNION ALL
            SELECT 'image row ' || image_id FROM image WHERE product_id NOT IN (SELECT product_id FROM product)
            UNION ALL
            SELECT 'delivery row ' || delivery_id FROM delivery WHERE request_id NOT IN (SELECT request_id FROM request)
            UNION ALL
            SELECT 'error_count row of ' || request_id FROM error_count WHERE request_id NOT IN (SELECT request_id FROM request)
            UNION ALL
            SELECT 'delivery_attempt row of ' || delivery_id FROM delivery_attempt WHERE delivery_id NOT IN (SELECT delivery_id FROM delivery)
            """;
    }
}
