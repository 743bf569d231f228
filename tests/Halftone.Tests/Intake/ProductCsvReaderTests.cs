using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Intake;

namespace Halftone.Tests.Intake;

public sealed class ProductCsvReaderTests
{
    [Fact]
    public async Task Rows_come_with_line_serial_name_and_urls_as_written()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "007,Chair,https://a.example/1.jpg\n2,\"Table, oak\",\"https://a.example/2.jpg,https://a.example/3.jpg\"\n");

        Assert.Collection(
            file.Accepted(),
            row => AssertRow(row, 2, "007", "Chair", "https://a.example/1.jpg"),
            row => AssertRow(row, 3, "2", "Table, oak", "https://a.example/2.jpg", "https://a.example/3.jpg"));
        Assert.Equal((2, 3), (file.Reader.Rows, file.Reader.Images));
    }

    [Theory]
    [InlineData("serialNumber,productName,inputImageUrls")]
    [InlineData("S. No.,Product Name,Input Image Urls")]
    [InlineData("S NO,PRODUCT-NAME,INPUT_IMAGE_URLS")]
    [InlineData("\"Serial Number\",\"Title\",\"Image Src\"")]
    [InlineData("sku,name,images")]
    public async Task Columns_are_known_by_name_whatever_the_case_and_punctuation(string header)
    {
        var file = await CsvFile.ReadAsync(header + "\n1,Chair,https://a.example/1.jpg\n");

        AssertRow(Assert.Single(file.Accepted()), 2, "1", "Chair", "https://a.example/1.jpg");
    }

    [Fact]
    public async Task Columns_may_stand_in_any_order_among_others()
    {
        var file = await CsvFile.ReadAsync("Price,Input Image Urls,Colour,Product Name,S. No.\n9.50,https://a.example/1.jpg,red,Chair,1\n");

        AssertRow(Assert.Single(file.Accepted()), 2, "1", "Chair", "https://a.example/1.jpg");
    }

    [Fact]
    public async Task Only_the_url_column_is_required()
    {
        var file = await CsvFile.ReadAsync("Images\nhttps://a.example/1.jpg\n");

        AssertRow(Assert.Single(file.Accepted()), 2, "", "", "https://a.example/1.jpg");
    }

    [Fact]
    public async Task The_better_name_wins_where_two_columns_could_hold_urls()
    {
        var file = await CsvFile.ReadAsync("Url,Images,Title\nhttps://shop.example/chair,https://a.example/1.jpg,Chair\n");

        AssertRow(Assert.Single(file.Accepted()), 2, "", "Chair", "https://a.example/1.jpg");
    }

    [Fact]
    public async Task Two_url_columns_of_one_name_are_refused()
    {
        var file = await CsvFile.ReadAsync("S. No.,Images,images\n1,https://a.example/1.jpg,https://a.example/2.jpg\n");

        var problem = file.Refused(CsvProblemCode.DuplicateColumn);
        Assert.Contains("Columns 2 and 3", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_url_column_is_refused_with_what_was_found_and_what_is_accepted()
    {
        var problem = (await CsvFile.ReadAsync("S. No.,Product Name,Foto\n1,Chair,https://a.example/1.jpg\n")).Refused(CsvProblemCode.MissingColumn);

        Assert.Equal(1, problem.Line);
        Assert.Contains("“Foto”", problem.Message, StringComparison.Ordinal);
        Assert.Contains("Image Src", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Input Imgae Urls")]
    [InlineData("Input Image Ulr")]
    [InlineData("Imagess")]
    public async Task A_slip_in_the_name_of_the_url_column_is_pointed_out(string name)
    {
        var problem = (await CsvFile.ReadAsync($"S. No.,Product Name,{name}\n1,Chair,https://a.example/1.jpg\n")).Refused(CsvProblemCode.MissingColumn);

        Assert.Contains($"If “{name}” is the column", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_header_is_told_so()
    {
        var problem = (await CsvFile.ReadAsync("1,Chair,https://a.example/1.jpg\n")).Refused(CsvProblemCode.NoHeader);

        Assert.Equal(1, problem.Line);
    }

    [Fact]
    public async Task Lines_are_counted_as_a_text_editor_counts_them()
    {
        var file = await CsvFile.ReadAsync("\r\n" + CsvFile.Header + "1,\"two\nlines\r\nthree\",https://a.example/1.jpg\r2,x,\n\n3,y,\n");

        Assert.Equal([3L, 6L, 8L], file.Accepted().Select(row => row.Line));
    }

    [Fact]
    public async Task An_empty_url_cell_is_a_row_without_images()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1,Chair,\n2,Table,\"  \"\n3,Stool\n");

        Assert.Equal(3, file.Accepted().Count);
        Assert.All(file.Rows, row => Assert.Empty(row.ImageUrls));
    }

    [Fact]
    public async Task Rows_with_only_empty_cells_are_no_products()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1,Chair,\n,,\n  \n\"\",\"\",\"\"\n\n");

        Assert.Single(file.Accepted());
    }

    [Fact]
    public async Task A_bad_url_is_named_with_line_and_column_and_reading_goes_on()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1,Chair,chair.jpg\n2,Table,https://a.example/1.jpg\n3,Stool,ftp://a.example/3.jpg\n");

        Assert.Collection(
            file.Problems,
            problem => Assert.Equal((2, "Input Image Urls", CsvProblemCode.InvalidUrl), (problem.Line, problem.Column, problem.Code)),
            problem => Assert.Equal((4, "Input Image Urls", CsvProblemCode.InvalidUrl), (problem.Line, problem.Column, problem.Code)));
        Assert.Equal("2", Assert.Single(file.Rows).SerialNumber);
    }

    [Fact]
    public async Task Of_many_problems_the_first_are_listed_and_all_are_counted()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + string.Concat(Enumerable.Range(1, 250).Select(number => $"{number},x,nowhere\n")));

        Assert.Equal(100, file.Problems.Count);
        Assert.Equal(250, file.Reader.Problems.Count);
        Assert.Equal(101, file.Problems[^1].Line);
    }

    [Fact]
    public async Task A_row_with_filled_cells_beyond_the_header_is_refused()
    {
        var problem = (await CsvFile.ReadAsync(CsvFile.Header + "1,Chair,https://a.example/1.jpg,https://a.example/2.jpg\n")).Refused(CsvProblemCode.ExtraCells);

        Assert.Equal(2, problem.Line);
        Assert.Contains("comma in quotation marks", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_cells_beyond_the_header_do_no_harm()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1,Chair,https://a.example/1.jpg,,\n");

        AssertRow(Assert.Single(file.Accepted()), 2, "1", "Chair", "https://a.example/1.jpg");
    }

    [Fact]
    public async Task An_unclosed_quote_is_named_by_the_line_where_it_opens()
    {
        var problem = (await CsvFile.ReadAsync(CsvFile.Header + "1,\"two\nlines\",\n2,\"Chair,\n3,Table,\n")).Refused(CsvProblemCode.UnclosedQuote);

        Assert.Equal(4, problem.Line);
    }

    [Fact]
    public async Task Text_behind_a_closing_quote_is_refused_with_its_column()
    {
        var problem = (await CsvFile.ReadAsync(CsvFile.Header + "1,\"5\" pipe\",\n")).Refused(CsvProblemCode.TextAfterQuote);

        Assert.Equal((2, "Product Name"), (problem.Line, problem.Column));
    }

    [Fact]
    public async Task A_quote_inside_a_plain_cell_is_a_character()
    {
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1,5\" pipe,\n");

        Assert.Equal("5\" pipe", Assert.Single(file.Accepted()).ProductName);
    }

    [Fact]
    public async Task An_endless_record_is_refused_where_it_begins_and_names_the_quote()
    {
        var options = new IntakeOptions { MaxRecordBytes = 1_024 };
        var problem = (await CsvFile.ReadAsync(CsvFile.Header + "1,x,\n2,\"Chair\n" + new string('x', 300_000), options)).Refused(CsvProblemCode.RecordTooLong);

        Assert.Equal(3, problem.Line);
        Assert.Contains("opens a cell on line 3", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_024, true)]
    [InlineData(1_025, false)]
    public async Task A_record_may_be_as_long_as_the_limit(int length, bool accepted)
    {
        var options = new IntakeOptions { MaxRecordBytes = 1_024 };
        var file = await CsvFile.ReadAsync(CsvFile.Header + "1," + new string('x', length - 3) + ",\r\n", options);

        Assert.Equal(accepted, file.Problems.Count == 0);
    }

    [Fact]
    public async Task Limits_on_columns_rows_images_and_urls_are_kept()
    {
        (await CsvFile.ReadAsync("Images,a,b\n", new() { MaxColumns = 2 })).Refused(CsvProblemCode.TooManyColumns);
        (await CsvFile.ReadAsync("Images\nhttps://a.example/1\nhttps://a.example/2\n", new() { MaxRows = 1 })).Refused(CsvProblemCode.TooManyRows);
        (await CsvFile.ReadAsync("Images\nhttps://a.example/1 https://a.example/2\n", new() { MaxImages = 1 })).Refused(CsvProblemCode.TooManyImages);
        (await CsvFile.ReadAsync("Images\nhttps://a.example/1 https://a.example/2\n", new() { MaxUrlsPerRow = 1 })).Refused(CsvProblemCode.TooManyUrls);
        (await CsvFile.ReadAsync("Images\nhttps://a.example/" + new string('x', 64) + "\n", new() { MaxUrlChars = 64 })).Refused(CsvProblemCode.UrlTooLong);
    }

    [Fact]
    public async Task A_file_of_known_dialect_is_read_again_without_a_look_at_all_its_bytes()
    {
        var file = new MemoryStream(CsvFile.Bytes("Titel;Images\nChair;https://a.example/1.jpg\n", CsvEncoding.Utf16Le));
        var reader = await ProductCsvReader.ReopenAsync(file, CsvDialect.Parse("utf-16le semicolon"), new IntakeOptions(), TestContext.Current.CancellationToken);

        Assert.Equal("https://a.example/1.jpg", Assert.Single(await reader.ReadRowsAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken)).ImageUrls[0]);
    }

    [Theory]
    [InlineData("", "empty_file")]
    [InlineData("\n\r\n , ,\n", "empty_file")]
    [InlineData("\uFEFF", "empty_file")]
    [InlineData("S. No.,Product Name,Input Image Urls\n", "no_rows")]
    [InlineData("S. No.,Product Name,Input Image Urls", "no_rows")]
    public async Task A_file_without_products_is_refused(string text, string code) =>
        Assert.Equal(code, CsvProblems.Word(Assert.Single((await CsvFile.ReadAsync(text)).Problems).Code));

    [Fact]
    public async Task The_names_of_the_codes_on_the_wire_are_snake_case()
    {
        var problem = (await CsvFile.ReadAsync("Images\nnowhere\n")).Refused(CsvProblemCode.InvalidUrl);

        Assert.Equal("invalid_url", CsvProblems.Word(problem.Code));
        Assert.Equal("not_a_csv", CsvProblems.Word(CsvProblemCode.NotACsv));
    }

    private static void AssertRow(ProductRow row, long line, string serial, string name, params string[] urls)
    {
        Assert.Equal((line, serial, name), (row.Line, row.SerialNumber, row.ProductName));
        Assert.Equal(urls, row.ImageUrls);
    }
}
