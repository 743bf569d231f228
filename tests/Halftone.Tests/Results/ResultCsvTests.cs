using Halftone.Csv;
using Halftone.Results;
using Halftone.Tests.Intake;

namespace Halftone.Tests.Results;

public sealed class ResultCsvTests
{
    private const string Header = CsvFile.Header;

    [Fact]
    public async Task Outputs_and_errors_are_added_behind_the_last_column()
    {
        var result = await CsvResult.WriteAsync(Header + "1,Chair,https://a.example/1.jpg\n2,Table,https://a.example/404.jpg\n", Outcome);

        Assert.Equal(
            "S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors\n"
            + "1,Chair,https://a.example/1.jpg,https://out.example/1.jpg,\n"
            + "2,Table,https://a.example/404.jpg,,1: http_404\n",
            result);
    }

    [Fact]
    public async Task The_nth_output_stands_in_the_nth_place_and_a_failed_image_leaves_its_place_empty()
    {
        var result = await CsvResult.WriteAsync(
            Header + "1,Chair,\"https://a.example/1.jpg,https://a.example/404.jpg https://a.example/3.jpg https://a.example/404.jpg\"", Outcome);

        Assert.EndsWith(",\"https://out.example/1.jpg,,https://out.example/3.jpg,\",2: http_404; 4: http_404", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Existing_columns_are_replaced_in_place()
    {
        var result = await CsvResult.WriteAsync(
            "Image Errors,output_image_urls,Images,Note\n\"old, error\",https://old.example/1,https://a.example/404.jpg,x\nold,old\n", Outcome);

        Assert.Equal("Image Errors,output_image_urls,Images,Note\n1: http_404,,https://a.example/404.jpg,x\n,\n", result);
    }

    [Fact]
    public async Task One_existing_column_is_replaced_and_the_other_added()
    {
        var result = await CsvResult.WriteAsync("Output Image Urls,Images\n,https://a.example/1.jpg\n", Outcome);

        Assert.Equal("Output Image Urls,Images,Image Errors\nhttps://out.example/1.jpg,https://a.example/1.jpg,\n", result);
    }

    [Fact]
    public async Task Of_several_columns_of_ours_none_keeps_what_an_earlier_run_wrote()
    {
        var result = await CsvResult.WriteAsync(
            "Output Image Urls,Images,output image urls,Image Errors,Output Image Urls (thumb),Output Image Urls (Thumb),IMAGE_ERRORS\nold,https://a.example/1.jpg,old,old,old,old,old\nold,https://a.example/404.jpg,old\n",
            Outcome, false, "thumb");

        Assert.Equal(
            "Output Image Urls,Images,output image urls,Image Errors,Output Image Urls (thumb),Output Image Urls (Thumb),IMAGE_ERRORS\n"
            + "https://out.example/1.jpg,https://a.example/1.jpg,https://out.example/1.jpg,,https://out.example/1.jpg-thumb.webp,https://out.example/1.jpg-thumb.webp,\n"
            + ",https://a.example/404.jpg,,1: http_404,,,1: http_404\n",
            result);
    }

    [Fact]
    public async Task Everything_else_is_kept_as_it_came()
    {
        const string Odd = "\r\n\"S. No.\" ,Product Name,Images\r\n\"007\", \"x ,https://a.example/1.jpg\n\n,,\n2,\"a\r\nb\"\"c\",\"\"\r3,5\" pipe,";

        var result = await CsvResult.WriteAsync(Odd, Outcome);

        Assert.Equal(
            "\r\n\"S. No.\" ,Product Name,Images,Output Image Urls,Image Errors\r\n\"007\", \"x ,https://a.example/1.jpg,https://out.example/1.jpg,\n\n,,\n"
            + "2,\"a\r\nb\"\"c\",\"\",,\r3,5\" pipe,,,",
            result);
    }

    [Fact]
    public async Task Short_rows_are_filled_up_and_long_rows_keep_their_empty_cells()
    {
        var result = await CsvResult.WriteAsync("Images,a,b\nhttps://a.example/1.jpg\nhttps://a.example/1.jpg,1,2,,\n", Outcome);

        Assert.Equal(
            "Images,a,b,Output Image Urls,Image Errors\nhttps://a.example/1.jpg,,,https://out.example/1.jpg,\nhttps://a.example/1.jpg,1,2,https://out.example/1.jpg,,,\n",
            result);
    }

    [Fact]
    public async Task Each_variant_has_a_column_behind_the_outputs_in_the_order_that_they_were_asked_for()
    {
        var result = await CsvResult.WriteAsync(
            Header + "1,Chair,\"https://a.example/1.jpg,https://a.example/404.jpg,https://a.example/3.jpg\"\n2,Stool,\n", Outcome, false, "zoom", "a-b");

        Assert.Equal(
            "S. No.,Product Name,Input Image Urls,Output Image Urls,Output Image Urls (zoom),Output Image Urls (a-b),Image Errors\n"
            + "1,Chair,\"https://a.example/1.jpg,https://a.example/404.jpg,https://a.example/3.jpg\",\"https://out.example/1.jpg,,https://out.example/3.jpg\","
            + "\"https://out.example/1.jpg-zoom.webp,,https://out.example/3.jpg-zoom.webp\",\"https://out.example/1.jpg-a-b.webp,,https://out.example/3.jpg-a-b.webp\",2: http_404\n"
            + "2,Stool,,,,,\n",
            result);
        Assert.Equal(result, await CsvResult.WriteAsync(result, Outcome, false, "zoom", "a-b"));
    }

    [Fact]
    public async Task The_column_of_a_variant_is_known_by_its_very_name_and_that_of_no_variant_passes_through()
    {
        const string File = "OUTPUT IMAGE URLS (A-B),Output Image Urls (ab),Output Image Urls (old),Images\nx,y,z,https://a.example/1.jpg\n";

        Assert.Equal(
            "OUTPUT IMAGE URLS (A-B),Output Image Urls (ab),Output Image Urls (old),Images,Output Image Urls,Output Image Urls (a_b),Image Errors\n"
            + "https://out.example/1.jpg-a-b.webp,https://out.example/1.jpg-ab.webp,z,https://a.example/1.jpg,https://out.example/1.jpg,https://out.example/1.jpg-a_b.webp,\n",
            await CsvResult.WriteAsync(File, Outcome, true, "ab", "a_b", "a-b"));
    }

    [Fact]
    public async Task A_result_can_be_uploaded_again()
    {
        var first = await CsvResult.WriteAsync(Header + "1,Chair,https://a.example/1.jpg\n", Outcome);

        Assert.Equal(first, await CsvResult.WriteAsync(first, Outcome));
    }

    [Fact]
    public async Task Formulas_are_guarded_when_asked_for()
    {
        const string File = "Images,=Header,c,d,e,f,g\n,=1+1,\"@SUM(\"\"a\"\")\",-5,\"\t=x\",+a\"b,＝1\n";

        Assert.Equal(
            "Images,\"'=Header\",c,d,e,f,g,Output Image Urls,Image Errors\n,\"'=1+1\",\"'@SUM(\"\"a\"\")\",\"'-5\",\"'\t=x\",\"'+a\"\"b\",\"'＝1\",,\n",
            await CsvResult.WriteAsync(File, Outcome, escapeFormulas: true));
        Assert.Equal("Images,=Header,c,d,e,f,g,Output Image Urls,Image Errors\n,=1+1,\"@SUM(\"\"a\"\")\",-5,\"\t=x\",+a\"b,＝1,,\n", await CsvResult.WriteAsync(File, Outcome));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2, 3)]
    [InlineData(4, 2)]
    [InlineData(2, 4, 5)]
    public async Task Outcomes_that_do_not_belong_to_the_rows_are_never_written(params int[] lines)
    {
        var file = CsvFile.Bytes(Header + "1,Chair,https://a.example/1.jpg\n\n2,Table,https://a.example/2.jpg\n");
        var outcomes = lines.Select(line => new ImageOutcome(line, "https://out.example/x", null)).ToAsyncEnumerable();

        await Assert.ThrowsAsync<InvalidDataException>(() => ResultCsv.WriteAsync(
            new MemoryStream(file), new CsvDialect(CsvEncoding.Utf8, (byte)','), new MemoryStream(), outcomes, [], false, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Failed_rows_come_alone_with_only_their_failed_urls()
    {
        var failed = await CsvResult.WriteFailedAsync(
            Header + "1,Chair,https://a.example/1.jpg\n\n2,\"Table\",\"https://a.example/404.jpg , https://a.example/2.jpg;https://a.example/404.png\"\r\n3,Stool,https://a.example/404.jpg", Outcome);

        Assert.Equal(
            Header + "2,\"Table\",\"https://a.example/404.jpg,https://a.example/404.png\"\r\n3,Stool,https://a.example/404.jpg", failed);
    }

    private static (string?, string?) Outcome(string url) => url.Contains("404", StringComparison.Ordinal)
        ? (null, "http_404")
        : (url.Replace("a.example", "out.example", StringComparison.Ordinal), null);
}
