using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Csv;
using Halftone.Intake;
using Halftone.Tests.Results;

namespace Halftone.Tests.Intake;

/// <summary>
/// A CSV made from a model together with what must come of it. It is written here cell by cell without any help of the code under test:
/// what the reader should give and what the result should be follow from the model.
/// </summary>
internal sealed record GeneratedCsv
{
    public required CsvEncoding Encoding { get; init; }

    public required char Delimiter { get; init; }

    /// <summary>The file's text, without byte order mark.</summary>
    public required string Text { get; init; }

    /// <summary>The text of its result when <see cref="Outcome"/> tells each image's fate.</summary>
    public required string ResultText { get; init; }

    public required IReadOnlyList<ProductRow> Rows { get; init; }

    /// <summary>The variants of its result.</summary>
    public required string[] Variants { get; init; }

    public byte[] Bytes => CsvFile.Bytes(Text, Encoding);

    public byte[] ResultBytes => CsvFile.Bytes(ResultText, Encoding);

    /// <summary>URLs with an "x" have no output.</summary>
    public static (string? OutputUrl, string? Error) Outcome(string url) =>
        url.Contains('x') ? (null, "http_404") : ($"https://out.example/{url.Length}.jpg", null);

    public override string ToString() => $"{Encoding} {Delimiter} {Text.Replace("\r", "␍", StringComparison.Ordinal).Replace("\n", "␊\n", StringComparison.Ordinal)}";

    public static Arbitrary<GeneratedCsv> Any => Arb.From(
        from encoding in Gen.Elements(Enum.GetValues<CsvEncoding>())
        from layout in Layouts(encoding)
        from delimiter in Delimiters(layout)
        from separatorLine in Gen.Frequency((9, Gen.Constant("")), (1, LineEndings.Select(ending => $"sep={delimiter}{ending}")))
        from header in Records(layout.Length, delimiter, index => Gen.Constant(layout[index]))
        from rows in Gen.ListOf(RowRecords(encoding, layout, delimiter))
        from lastEnding in Gen.Elements(true, false)
        from variants in Gen.SubListOf("thumb", "a-b", "ab").SelectMany(Gen.Shuffle)
        select new Builder(encoding, delimiter, layout, [.. variants]).Build(separatorLine, header, [.. rows], lastEnding));

    /// <summary>A file with one column shows no delimiter; then it is a comma.</summary>
    private static Gen<char> Delimiters(string[] layout) => layout.Length == 1 ? Gen.Constant(',') : Gen.Elements(',', ';', '\t', '|');

    private static readonly Gen<string> LineEndings = Gen.Elements("\n", "\r\n", "\r");

    /// <summary>Column names in file order. The column with an umlaut makes plain bytes of Windows-1252 recognisable.</summary>
    private static Gen<string[]> Layouts(CsvEncoding encoding) =>
        from url in Gen.Elements("Input Image Urls", "inputImageUrls", "Image Src")
        from optional in Gen.SubListOf("S. No.", "Product Name", "Price", "a\nb", "", "“Colour”", "Output Image Urls", "Output Image Urls (thumb)", "Output Image Urls (ab)", "Image Errors")
        from names in Gen.Shuffle([url, .. encoding == CsvEncoding.Windows1252 ? optional.Append("Größe") : optional])
        select names;

    private static Gen<RecordModel> RowRecords(CsvEncoding encoding, string[] layout, char delimiter) => Gen.Frequency(
        (8, Records(layout.Length, delimiter, index => Values(encoding, layout[index]))),
        (1, from length in Gen.Choose(1, layout.Length) from record in Records(length, delimiter, index => Values(encoding, layout[index])) select record),
        (1, from extra in Gen.Choose(1, 3)
            from record in Records(layout.Length, delimiter, index => Values(encoding, layout[index]))
            select record with { Cells = [.. record.Cells, .. Enumerable.Repeat(("", ""), extra)] }),
        (1, LineEndings.Select(ending => new RecordModel([("", "")], ending))));

    private static Gen<RecordModel> Records(int length, char delimiter, Func<int, Gen<string>> values) =>
        from cells in Gen.CollectToArray(Enumerable.Range(0, length).ToArray(), index => Cells(values(index), delimiter))
        from ending in LineEndings
        select new RecordModel(cells, ending);

    private static Gen<(string Raw, string Value)> Cells(Gen<string> values, char delimiter) =>
        from value in values
        from quote in Gen.Frequency((2, Gen.Constant(false)), (1, Gen.Constant(true)))
        from spaces in Gen.Frequency((9, Gen.Constant("")), (1, Gen.Constant("  ")))
        let needed = value.IndexOfAny([delimiter, '\r', '\n']) >= 0 || value.StartsWith('"')
        select quote || needed ? ('"' + value.Replace("\"", "\"\"", StringComparison.Ordinal) + '"' + spaces, value) : (value, value);

    private static Gen<string> Values(CsvEncoding encoding, string column) =>
        column is "Input Image Urls" or "inputImageUrls" or "Image Src" ? UrlLists() : Texts(encoding);

    private static Gen<string> Texts(CsvEncoding encoding) =>
        from pieces in Gen.ListOf(Gen.Elements(
            ["a", "Chair", "007", " ", ",", ";", "|", "\t", "\"", "\n", "\r\n", "\r", "=", "-5", "é", "€", .. encoding == CsvEncoding.Windows1252 ? [] : new[] { "椅", "🪑", "\u2028" }]))
        select string.Concat(pieces);

    private static Gen<string> UrlLists() =>
        from urls in Gen.ListOf(Gen.Elements(
            "https://a.example/1.jpg", "http://a.example:8080/w_100,h_100/x.jpg", "HTTPS://A.example/?a=1;b|c", "https://ü.example/é.jpg", "https://a.example/my photo.png"))
        from separators in Gen.ArrayOf(Gen.Elements(",", ", ", " ", ";", "|", "\n", "\r\n", ",,", "\t"), urls.Count)
        select string.Concat(urls.Zip(separators, (url, separator) => url + separator));

    private sealed record RecordModel((string Raw, string Value)[] Cells, string Ending);

    private sealed class Builder(CsvEncoding encoding, char delimiter, string[] layout, string[] variants)
    {
        private readonly StringBuilder text = new();
        private readonly StringBuilder result = new();
        private readonly List<ProductRow> rows = [];
        private long line = 1;
        private int counted;
        private readonly string[] ours = ["Output Image Urls", .. variants.Select(variant => $"Output Image Urls ({variant})"), "Image Errors"];

        public GeneratedCsv Build(string separatorLine, RecordModel header, RecordModel[] records, bool lastEnding)
        {
            Add(separatorLine, separatorLine);
            AddRecord(header, ours, isHeader: true, records.Length > 0 || lastEnding);
            for (var index = 0; index < records.Length; index++)
            {
                AddRow(records[index], index < records.Length - 1 || lastEnding);
            }

            return new GeneratedCsv { Encoding = encoding, Delimiter = delimiter, Text = text.ToString(), ResultText = result.ToString(), Rows = rows, Variants = variants };
        }

        private void AddRow(RecordModel record, bool ends)
        {
            if (record.Cells.All(cell => cell.Raw.All(" \t,;|\"".Contains)))
            {
                var blank = string.Join(delimiter, record.Cells.Select(cell => cell.Raw)) + (ends ? record.Ending : "");
                Add(blank, blank);
                return;
            }

            var row = new ProductRow(
                NextLine(), Value(record, "S. No."), Value(record, "Product Name"),
                [.. Enumerable.Range(0, layout.Length).Where(IsUrl).Take(1).Where(index => index < record.Cells.Length).SelectMany(index => Urls(record.Cells[index].Value))]);
            rows.Add(row);
            var outcomes = row.ImageUrls.Select(Outcome).ToList();
            AddRecord(
                record,
                [
                    Quoted(string.Join(',', outcomes.Select(made => made.OutputUrl))),
                    .. variants.Select(variant => Quoted(string.Join(',', outcomes.Select(made => CsvResult.VariantUrl(made.OutputUrl, variant))))),
                    Quoted(string.Join("; ", outcomes.Select((made, index) => made.Error is null ? null : $"{index + 1}: {made.Error}").OfType<string>())),
                ],
                isHeader: false, ends);
        }

        private void AddRecord(RecordModel record, string[] ourCells, bool isHeader, bool ends)
        {
            var ending = ends ? record.Ending : "";
            var cells = record.Cells.Select(cell => cell.Raw).ToList();
            Add(string.Join(delimiter, cells) + ending, "");
            var places = ours.Select(name => Array.IndexOf(layout, name)).ToArray();
            while (cells.Count < (places.Contains(-1) ? layout.Length : places.Max() + 1))
            {
                cells.Add("");
            }

            foreach (var (index, cell) in places.Zip(ourCells).Where(ours => ours.First >= 0 && !isHeader))
            {
                cells[index] = cell;
            }

            cells.InsertRange(layout.Length <= cells.Count ? layout.Length : cells.Count, places.Zip(ourCells).Where(ours => ours.First < 0).Select(ours => ours.Second));
            Add("", string.Join(delimiter, cells) + ending);
        }

        private void Add(string input, string expected)
        {
            // A line feed after a carriage return would make one line ending of two.
            if (input.StartsWith('\n') && text.Length > 0 && text[^1] == '\r')
            {
                text.Append('\n');
                result.Append('\n');
            }

            text.Append(input);
            result.Append(expected);
        }

        private string Value(RecordModel record, string column)
        {
            var index = Array.IndexOf(layout, column);
            return index < 0 || index >= record.Cells.Length ? "" : record.Cells[index].Value;
        }

        private bool IsUrl(int index) => layout[index] is "Input Image Urls" or "inputImageUrls" or "Image Src";

        private string Quoted(string cell) => cell.IndexOfAny([delimiter, '"']) >= 0 ? $"\"{cell}\"" : cell;

        // The generator ends every URL with a separator, and none of its URLs holds "http" inside.
        private static IEnumerable<string> Urls(string cell) =>
            Regex.Split(cell, "(?=https?://)", RegexOptions.IgnoreCase).Where(url => url.Length > 0).Select(url => url.TrimEnd(',', ';', '|', ' ', '\t', '\r', '\n'));

        private long NextLine()
        {
            for (; counted < text.Length; counted++)
            {
                line += text[counted] == '\r' || (text[counted] == '\n' && (counted == 0 || text[counted - 1] != '\r')) ? 1 : 0;
            }

            return line;
        }
    }
}
