using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Intake;
using Halftone.Tests.Results;

namespace Halftone.Tests.Intake;

/// <summary>What holds for every CSV of every dialect.</summary>
public sealed class CsvProperties
{
    private static readonly Config ThousandFiles = Config.QuickThrowOnFailure.WithMaxTest(1_000);

    [Fact]
    public void Every_generated_file_is_read_as_it_was_meant() =>
        Prop.ForAll(GeneratedCsv.Any, async csv =>
        {
            var read = await CsvFile.ReadAsync(csv.Bytes);

            Assert.Equal(new CsvDialect(csv.Encoding, (byte)csv.Delimiter), read.Reader.Dialect);
            AssertSameRows(csv.Rows, csv.Rows.Count == 0 ? read.Rows : read.Accepted());
        }).Check(ThousandFiles);

    [Fact]
    public void Checking_a_file_finds_what_reading_it_finds() =>
        Prop.ForAll(GeneratedCsv.Any, Gen.Elements("\"", "x", ",", "\n").ToArbitrary(), async (csv, damage) =>
        {
            // Any piece of text in any place: most files then have problems.
            var file = csv.Bytes;
            byte[] damaged = [.. file[..(file.Length / 2)], .. CsvFile.Encoder(csv.Encoding).GetBytes(damage), .. file[(file.Length / 2)..]];
            var read = await CsvFile.ReadAsync(damaged);
            var checking = await ProductCsvReader.OpenAsync(new MemoryStream(damaged), new IntakeOptions(), TestContext.Current.CancellationToken);
            await checking.CheckRowsAsync(TestContext.Current.CancellationToken);

            Assert.Equal(read.Problems, checking.Problems.Listed);
            Assert.Equal((read.Reader.Rows, read.Reader.Images), (checking.Rows, checking.Images));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Every_result_equals_its_input_outside_our_columns() =>
        Prop.ForAll(GeneratedCsv.Any, async csv =>
        {
            if (csv.Rows.Count > 0)
            {
                Assert.Equal(csv.ResultBytes, await CsvResult.WriteAsync(csv.Bytes, GeneratedCsv.Outcome, false, csv.Variants));
            }
        }).Check(ThousandFiles);

    [Fact]
    public void Another_reader_finds_the_same_cells_on_the_same_lines() =>
        Prop.ForAll(GeneratedCsv.Any, async csv =>
        {
            var file = new UTF8Encoding(false).GetBytes(csv.Text);
            var scanner = CsvScanner.Reopen(new MemoryStream(file), new CsvDialect(CsvEncoding.Utf8, (byte)csv.Delimiter));
            using var other = CsvHelper.CsvReader.Create(
                file, new CsvHelper.CsvReaderOptions { HasHeader = false, SkipEmptyLines = false, TrackLineNumbers = true, Separator = csv.Delimiter });
            while (await scanner.ReadRecordAsync(TestContext.Current.CancellationToken))
            {
                if (scanner.Kind == CsvRecordKind.SeparatorLine)
                {
                    continue; // the other reader takes it for an order, not for a record
                }

                Assert.True(other.Read());
                Assert.Equal(other.LineNumber, scanner.Line);
                Assert.Equal(
                    Enumerable.Range(0, other.FieldCount).Select(index => Encoding.UTF8.GetString(other.GetRawSpan(index))),
                    Enumerable.Range(0, scanner.CellCount).Select(index => Encoding.UTF8.GetString(scanner.Bytes[scanner.Cells[index].Start..scanner.Cells[index].End])));
            }

            Assert.False(other.Read());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void The_failed_rows_read_again_are_the_failed_images_and_no_others() =>
        Prop.ForAll(GeneratedCsv.Any, async csv =>
        {
            var expected = csv.Rows
                .Select(row => (row.SerialNumber, row.ProductName, Urls: row.ImageUrls.Where(url => GeneratedCsv.Outcome(url).Error is not null).ToArray()))
                .Where(row => row.Urls.Length > 0).ToList();
            if (expected.Count > 0)
            {
                var again = (await CsvFile.ReadAsync(await CsvResult.WriteFailedAsync(csv.Bytes, GeneratedCsv.Outcome))).Accepted();

                Assert.Equal(expected.Select(row => (row.SerialNumber, row.ProductName)), again.Select(row => (row.SerialNumber, row.ProductName)));
                Assert.Equal(expected.SelectMany(row => row.Urls), again.SelectMany(row => row.ImageUrls));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_file_reads_the_same_in_whatever_pieces_it_arrives() =>
        Prop.ForAll(GeneratedCsv.Any, Gen.Choose(1, 7).ToArbitrary(), async (csv, piece) =>
        {
            using var trickle = new TrickleStream(csv.Bytes, piece);
            var reader = await ProductCsvReader.OpenAsync(trickle, new IntakeOptions(), TestContext.Current.CancellationToken);

            AssertSameRows(csv.Rows, await reader.ReadRowsAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_guarded_result_holds_no_formula() =>
        Prop.ForAll(GeneratedCsv.Any, async csv =>
        {
            if (csv.Rows.Count == 0)
            {
                return;
            }

            var guarded = await CsvResult.WriteAsync(csv.Bytes, GeneratedCsv.Outcome, true, csv.Variants);
            var (cells, guardedCells) = (await CellsAsync(csv.ResultBytes), await CellsAsync(guarded));

            // Blank lines stay as they are, and a row can become one when its old outputs go.
            Assert.Equal(cells.Where(HasText).Select(cell => cell.Length > 0 && "=+-@\t\r\n".Contains(cell[0], StringComparison.Ordinal) ? "'" + cell : cell), guardedCells.Where(HasText));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Any_bytes_at_all_are_read_or_refused_with_a_sentence() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), async bytes =>
        {
            byte[] file = [.. "Images\n"u8, .. bytes];
            foreach (var input in new[] { bytes, file })
            {
                var read = await CsvFile.ReadAsync(input);

                Assert.All(read.Problems, problem => Assert.EndsWith(".", problem.Message, StringComparison.Ordinal));
                Assert.True(read.Problems.Count > 0 || read.Rows.Count > 0);
            }
        }).Check(ThousandFiles);

    [Fact]
    public void What_passes_for_a_url_is_one_to_the_platform() =>
        Prop.ForAll(
            Gen.ListOf(Gen.Elements("a", "1", "-", ".", "xn--", "/", ":", "80", "@", "?", "#", "%", "[", "]", " ", "ü", "example")).Select(pieces => "https://" + string.Concat(pieces)).ToArbitrary(),
            url => !ImageUrlCell.IsUrl(url) || (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Host.Length > 0))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    [Fact]
    public void A_dialect_survives_being_stored() =>
        Assert.All(
            Enum.GetValues<CsvEncoding>().SelectMany(encoding => CsvDialect.Delimiters.ToArray().Select(delimiter => new CsvDialect(encoding, delimiter))),
            dialect => Assert.Equal(dialect, CsvDialect.Parse(dialect.ToString())));

    private static bool HasText(string cell) => cell.Any(char.IsLetterOrDigit);

    private static void AssertSameRows(IReadOnlyList<ProductRow> expected, IReadOnlyList<ProductRow> actual)
    {
        Assert.Equal(expected.Select(row => (row.Line, row.SerialNumber, row.ProductName)), actual.Select(row => (row.Line, row.SerialNumber, row.ProductName)));
        Assert.Equal(expected.Select(row => string.Join(' ', row.ImageUrls)), actual.Select(row => string.Join(' ', row.ImageUrls)));
    }

    private static async Task<List<string>> CellsAsync(byte[] file)
    {
        var detected = await CsvDetection.DetectAsync(new MemoryStream(file), new IntakeOptions().CsvLimits, CsvColumns.Score, TestContext.Current.CancellationToken);
        var dialect = (detected as CsvDetected.Found)?.Dialect;
        var scanner = CsvScanner.Reopen(new MemoryStream(file), dialect!);
        var cells = new List<string>();
        while (await scanner.ReadRecordAsync(TestContext.Current.CancellationToken))
        {
            if (scanner.Kind is CsvRecordKind.Header or CsvRecordKind.Row)
            {
                cells.AddRange(Enumerable.Range(0, scanner.CellCount).Select(index => CsvText.Read(scanner, index, dialect!)));
            }
        }

        return cells;
    }

    /// <summary>Gives a few bytes with each read.</summary>
    private sealed class TrickleStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
            base.ReadAsync(destination[..Math.Min(piece, destination.Length)], cancellationToken);
    }
}
