using System.Text;

namespace Halftone.Crash;

/// <summary>One row of an upload: its serial number and image URLs.</summary>
internal sealed record SentRow(string Serial, IReadOnlyList<string> Urls);

/// <summary>What this program sent and was told about one request, to be held against what the server has in the end.</summary>
internal sealed class SentRequest
{
    private SentRequest(string name, IReadOnlyList<SentRow> rows, bool isRepeatable, IReadOnlyList<string> variants)
    {
        Variants = variants;
        Name = name;
        Rows = rows;
        IdempotencyKey = isRepeatable ? name : null;
    }

    public string Name { get; }

    public IReadOnlyList<SentRow> Rows { get; }

    public int Images => Rows.Sum(row => row.Urls.Count);

    /// <summary>Names of the variants that it asks for.</summary>
    public IReadOnlyList<string> Variants { get; }

    /// <summary>Where there is one, an upload that was not answered is sent again, and may not become two requests.</summary>
    public string? IdempotencyKey { get; }

    /// <summary>
    /// Whether outputs of earlier requests may be taken over. There are a handful of pictures: else each would be compressed but once.
    /// </summary>
    public bool Reuse { get; private init; }

    /// <summary>Known once an upload was answered with 200: from then on the request may not be lost.</summary>
    public Guid? RequestId { get; set; }

    /// <summary>A delete was sent: the request may be gone.</summary>
    public bool MayBeGone { get; set; }

    /// <summary>A delete was answered with 204 or 404: the request must be gone.</summary>
    public bool IsGone { get; set; }

    /// <summary>A cancel was sent: images may be left undone.</summary>
    public bool MayBeCancelled { get; set; }

    /// <summary>Done images, as the status last said; for this program's own bookkeeping.</summary>
    public int Done { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>Rows of one or two images. Most URLs are pictures; one in thirty is missing, one in twenty fails at first, one in fifteen
    /// was in the row before, one
    /// in five is in other requests too. One request in six asks for variants.</summary>
    public static SentRequest Make(string name, int rows, bool isRepeatable, Surroundings surroundings, Random random)
    {
        var made = new List<SentRow>();
        var number = 0;
        for (var row = 1; row <= rows; row++)
        {
            var urls = new List<string>();
            for (var i = 0; i < 1 + (row % 2); i++)
            {
                var kind = random.Next(60) switch { < 2 => "missing", < 5 => "flaky", < 17 => "known", _ => "good" };
                urls.Add(
                    random.Next(15) == 0 && number > 0
                        ? made.Count > 0 ? made[^1].Urls[0] : urls[0]
                        : surroundings.Url(kind, kind == "known" ? "every" : name, number));
                number++;
            }

            made.Add(new($"{name}-{row}", urls));
        }

        return new SentRequest(name, made, isRepeatable, random.Next(6) == 0 ? ["thumb", "low"] : []) { Reuse = random.Next(3) == 0 };
    }

    /// <summary>One URL of each kind given, one to a row.</summary>
    public static SentRequest Of(string name, Surroundings surroundings, params IEnumerable<string> kinds) =>
        new(
            name,
            [.. kinds.Select((kind, i) => new SentRow($"{name}-{i + 1}", [surroundings.Url(kind, name, i)]))],
            isRepeatable: true,
            ["thumb"]);

    /// <summary>What its upload says of <see cref="Variants"/>.</summary>
    public string VariantsText =>
        string.Join(';', Variants.Select(name => name == "thumb" ? "thumb:max_width=16,max_height=16" : $"{name}:quality=20"));

    public byte[] ToCsv()
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        foreach (var row in Rows)
        {
            csv.Append(row.Serial).Append(",Mug ").Append(row.Serial).Append(",\"").AppendJoin(',', row.Urls).Append("\"\n");
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }
}
