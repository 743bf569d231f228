using System.Text;
using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Intake;

namespace Halftone.Tests.Intake;

/// <summary>Makes and reads small CSV files in memory.</summary>
internal static class CsvFile
{
    public const string Header = "S. No.,Product Name,Input Image Urls\n";

    /// <summary>A file's bytes: the text in an encoding, its byte order mark before it.</summary>
    public static byte[] Bytes(string text, CsvEncoding encoding = CsvEncoding.Utf8) =>
        [.. new CsvDialect(encoding, (byte)',').ByteOrderMark, .. Encoder(encoding).GetBytes(text)];

    public static Encoding Encoder(CsvEncoding encoding) => encoding switch
    {
        CsvEncoding.Utf16Le => new UnicodeEncoding(bigEndian: false, byteOrderMark: false),
        CsvEncoding.Utf16Be => new UnicodeEncoding(bigEndian: true, byteOrderMark: false),
        CsvEncoding.Windows1252 => CodePagesEncodingProvider.Instance.GetEncoding(1252)!,
        _ => new UTF8Encoding(false),
    };

    public static Task<ReadFile> ReadAsync(string text, IntakeOptions? options = null) => ReadAsync(Bytes(text), options);

    public static async Task<ReadFile> ReadAsync(byte[] bytes, IntakeOptions? options = null)
    {
        var reader = await ProductCsvReader.OpenAsync(new MemoryStream(bytes, writable: false), options ?? new IntakeOptions(), TestContext.Current.CancellationToken);
        var rows = new List<ProductRow>();
        await foreach (var row in reader.ReadRowsAsync(TestContext.Current.CancellationToken))
        {
            rows.Add(row);
        }

        return new ReadFile(reader, rows);
    }
}

internal sealed record ReadFile(ProductCsvReader Reader, List<ProductRow> Rows)
{
    public IReadOnlyList<CsvProblem> Problems => Reader.Problems.Listed;

    /// <summary>The rows, where the file was accepted.</summary>
    public List<ProductRow> Accepted()
    {
        Assert.Empty(Problems);
        return Rows;
    }

    /// <summary>The one problem of a refused file.</summary>
    public CsvProblem Refused(CsvProblemCode code)
    {
        var problem = Assert.Single(Problems);
        Assert.Equal(code, problem.Code);
        return problem;
    }
}
