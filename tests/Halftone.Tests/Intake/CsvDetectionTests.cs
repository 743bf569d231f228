using System.Text;
using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Tests.Intake;

public sealed class CsvDetectionTests
{
    [Theory]
    [InlineData("S. No.;Product Name;Input Image Urls\n1;Chair, red;https://a.example/w_1,h_1/1.jpg\n", "utf-8 semicolon")]
    [InlineData("S. No.\tProduct Name\tInput Image Urls\n1\tChair\thttps://a.example/1.jpg\n", "utf-8 tab")]
    [InlineData("S. No.|Product Name|Input Image Urls\n1|Chair|https://a.example/1.jpg\n", "utf-8 pipe")]
    [InlineData("S. No.,Product Name,Input Image Urls\n1,Chair; red; oak; old,https://a.example/1.jpg\n", "utf-8 comma")]
    [InlineData("Input Image Urls,\"a;b;c;d;e\"\nhttps://a.example/1.jpg,\n", "utf-8 comma")]
    [InlineData("Input Image Urls\nhttps://a.example/1.jpg\n", "utf-8 comma")]
    [InlineData(",,,\nInput Image Urls;Title\nhttps://a.example/1.jpg;Chair\n", "utf-8 semicolon")]
    [InlineData("sep=|\nInput Image Urls|Title\nhttps://a.example/1.jpg|Chair\n", "utf-8 pipe")]
    [InlineData("SEP=;\r\nImages\r\nhttps://a.example/1.jpg\r\n", "utf-8 semicolon")]
    public async Task The_delimiter_is_the_one_that_shows_the_columns(string text, string dialect)
    {
        var file = await CsvFile.ReadAsync(text);

        Assert.Single(file.Accepted());
        Assert.Equal(dialect, file.Reader.Dialect!.ToString());
    }

    [Theory]
    [InlineData("utf-8 comma")]
    [InlineData("utf-8-bom comma")]
    [InlineData("utf-16le comma")]
    [InlineData("utf-16be comma")]
    [InlineData("windows-1252 comma")]
    public async Task The_encoding_is_found_and_names_are_read_in_it(string dialect)
    {
        var encoding = CsvDialect.Parse(dialect).Encoding;
        var file = await CsvFile.ReadAsync(CsvFile.Bytes("Title,Images\nStühle „groß“ 5 €,https://a.example/ü.jpg\n", encoding));

        var row = Assert.Single(file.Accepted());
        Assert.Equal(("Stühle „groß“ 5 €", "https://a.example/ü.jpg"), (row.ProductName, row.ImageUrls[0]));
        Assert.Equal(dialect, file.Reader.Dialect!.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_character_across_two_reads_is_still_one(int shift)
    {
        // More than one chunk of four-byte characters, which then end at every place of a chunk.
        var name = string.Concat(Enumerable.Repeat("🪑", 1_000));
        var text = "Title,Images\n" + new string('x', shift) + string.Concat(Enumerable.Repeat(name + ",\n", 100));

        foreach (var encoding in new[] { CsvEncoding.Utf8, CsvEncoding.Utf16Le, CsvEncoding.Utf16Be })
        {
            var file = await CsvFile.ReadAsync(CsvFile.Bytes(text, encoding));

            Assert.Equal(100, file.Accepted().Count);
            Assert.Equal(encoding, file.Reader.Dialect!.Encoding);
            Assert.All(file.Rows.Skip(1), row => Assert.Equal(name, row.ProductName));
        }
    }

    [Fact]
    public async Task One_byte_that_is_no_utf8_far_behind_makes_the_file_windows_1252()
    {
        var file = await CsvFile.ReadAsync([.. CsvFile.Bytes("Title,Images\n" + string.Concat(Enumerable.Repeat("Chair,\n", 100_000))), 0x80, (byte)',']);

        Assert.Equal("€", file.Accepted()[^1].ProductName);
        Assert.Equal(CsvEncoding.Windows1252, file.Reader.Dialect!.Encoding);
    }

    [Fact]
    public async Task A_character_cut_by_the_end_of_the_file_is_no_utf8()
    {
        var file = await CsvFile.ReadAsync([.. CsvFile.Bytes("Title,Images\nChair"), 0xC3]);

        Assert.Equal("ChairÃ", Assert.Single(file.Accepted()).ProductName);
    }

    [Fact]
    public async Task Bytes_that_windows_1252_leaves_open_come_back_as_they_were()
    {
        byte[] open = [0x81, 0x8D, 0x8F, 0x90, 0x9D];
        var name = Assert.Single((await CsvFile.ReadAsync([.. CsvFile.Bytes("Title,Images\n"), .. open, (byte)','])).Accepted()).ProductName;

        Assert.Equal(open, CsvFile.Encoder(CsvEncoding.Windows1252).GetBytes(name));
    }

    [Fact]
    public async Task A_file_that_breaks_its_own_byte_order_mark_is_refused_with_the_line()
    {
        var text = "Title,Images\r\n" + string.Concat(Enumerable.Repeat("Stühle,\r\n", 50_000));
        byte[] utf8 = [.. CsvFile.Bytes(text, CsvEncoding.Utf8Bom), 0xE9, (byte)',', (byte)'\n'];
        byte[] half = [.. CsvFile.Bytes(text, CsvEncoding.Utf16Le), 0x00, 0xD8, (byte)',', 0];
        byte[] odd = [.. CsvFile.Bytes(text, CsvEncoding.Utf16Be), 0];
        byte[] cut = [.. CsvFile.Bytes(text, CsvEncoding.Utf16Be), 0xD8, 0];

        foreach (var bytes in new[] { utf8, half, odd, cut })
        {
            Assert.Equal(50_002, (await CsvFile.ReadAsync(bytes)).Refused(CsvProblemCode.BadEncoding).Line);
        }
    }

    [Fact]
    public async Task Zero_bytes_are_refused_with_the_line()
    {
        var unmarked = Encoding.Unicode.GetBytes("Title,Images\nChair,\n");

        Assert.Equal(1, (await CsvFile.ReadAsync(unmarked)).Refused(CsvProblemCode.BadEncoding).Line);
        Assert.Equal(3, (await CsvFile.ReadAsync("Title,Images\rChair,\r\n\0,\n")).Refused(CsvProblemCode.BadEncoding).Line);
        Assert.Equal(3, (await CsvFile.ReadAsync(CsvFile.Bytes("Title,Images\nChair,\n\0,\n", CsvEncoding.Utf16Le))).Refused(CsvProblemCode.BadEncoding).Line);
    }

    [Theory]
    [InlineData("504B0304140006000800", "Excel workbook or a ZIP")]
    [InlineData("D0CF11E0A1B11AE10000", "(.xls)")]
    [InlineData("255044462D312E370A25", "PDF")]
    [InlineData("89504E470D0A1A0A", "image")]
    [InlineData("FFD8FFE000104A464946", "image")]
    [InlineData("474946383961", "image")]
    [InlineData("524946460000000057454250", "image")]
    [InlineData("1F8B0800", "gzip")]
    [InlineData("0A3C21646F63747970652068746D6C3E", "web page")]
    [InlineData("EFBBBF3C48544D4C3E", "web page")]
    [InlineData("5B7B2273657269616C223A317D5D", "JSON")]
    [InlineData("3C3F786D6C2076657273696F6E", "XML")]
    [InlineData("7B5C72746631", "rich text")]
    public async Task Another_kind_of_file_is_called_what_it_is(string hex, string words) =>
        Assert.Contains(words, (await CsvFile.ReadAsync(Convert.FromHexString(hex))).Refused(CsvProblemCode.NotACsv).Message, StringComparison.Ordinal);

    [Fact]
    public void A_dialect_that_was_never_stored_is_not_guessed() => Assert.Throws<FormatException>(() => CsvDialect.Parse("utf-7 comma"));
}
