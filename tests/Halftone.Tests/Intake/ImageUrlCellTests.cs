using Halftone.Catalogue;

namespace Halftone.Tests.Intake;

public sealed class ImageUrlCellTests
{
    [Theory]
    [InlineData("https://a.example/1.jpg,https://a.example/2.jpg", "https://a.example/1.jpg", "https://a.example/2.jpg")]
    [InlineData("https://a.example/w_100,h_100,c_fill/1.jpg,https://a.example/2.jpg", "https://a.example/w_100,h_100,c_fill/1.jpg", "https://a.example/2.jpg")]
    [InlineData(" https://a.example/1.jpg ,\nhttp://a.example/2.jpg;|, ", "https://a.example/1.jpg", "http://a.example/2.jpg")]
    [InlineData("https://a.example/?a=1;b=2|c;HTTP://A.EXAMPLE/2.jpg", "https://a.example/?a=1;b=2|c", "HTTP://A.EXAMPLE/2.jpg")]
    [InlineData("https://cdn.example/fetch/w_1,h_1/https://a.example/1.jpg", "https://cdn.example/fetch/w_1,h_1/https://a.example/1.jpg")]
    [InlineData("https://a.example/my photo.jpg https://a.example/2.jpg", "https://a.example/my photo.jpg", "https://a.example/2.jpg")]
    [InlineData("\u00A0https://a.example/1.jpg\u200B,\u3000https://a.example/2.jpg\uFEFF", "https://a.example/1.jpg", "https://a.example/2.jpg")]
    [InlineData("https://a.example/1.jpg,,https://a.example/1.jpg", "https://a.example/1.jpg", "https://a.example/1.jpg")]
    [InlineData("see https://a.example/1.jpg", "see", "https://a.example/1.jpg")]
    [InlineData("https://a.example/1.jpg,ftp://a.example/2.jpg", "https://a.example/1.jpg", "ftp://a.example/2.jpg")]
    [InlineData("a,://b", "a,://b")]
    [InlineData(" ,;| ")]
    [InlineData("")]
    public void Separators_split_only_where_a_scheme_follows(string cell, params string[] expected)
    {
        var pieces = new List<string>();
        ReadOnlySpan<char> rest = cell;
        for (var piece = ImageUrlCell.Next(ref rest); !piece.IsEmpty; piece = ImageUrlCell.Next(ref rest))
        {
            pieces.Add(piece.ToString());
        }

        Assert.Equal(expected, pieces);
    }

    [Theory]
    [InlineData("https://a.example/1.jpg")]
    [InlineData("http://a.example")]
    [InlineData("https://a.example:8443/1.jpg?size=1&x=%20#y")]
    [InlineData("https://A.Example/1.jpg")]
    [InlineData("https://192.0.2.1/1.jpg")]
    [InlineData("https://[2001:db8::1]/1.jpg")]
    [InlineData("https://user:password@a.example/1.jpg")]
    [InlineData("https://bücher.example/ä.jpg")]
    [InlineData("https://a_b.example/1.jpg")]
    [InlineData("https://a.example/{id}.jpg")]
    [InlineData("https://a.example/my photo.jpg")]
    [InlineData("https://localhost/1.jpg")]
    [InlineData("https://a.example?x=1")]
    public void Web_addresses_are_accepted(string url) => Assert.True(ImageUrlCell.IsUrl(url));

    [Theory]
    [InlineData("photo.jpg", "Write the whole URL")]
    [InlineData("www.a.example/1.jpg", "Write the whole URL")]
    [InlineData("//a.example/1.jpg", "Write the whole URL")]
    [InlineData("https:/a.example/1.jpg", "Write the whole URL")]
    [InlineData("C:\\photos\\1.jpg", "Write the whole URL")]
    [InlineData("ftp://a.example/1.jpg", "Only URLs that start with")]
    [InlineData("file:///1.jpg", "Only URLs that start with")]
    [InlineData("data:image/png;base64,AAAA", "embedded in the cell")]
    [InlineData("https://", "not a complete URL")]
    [InlineData("https:///1.jpg", "not a complete URL")]
    [InlineData("https://a.example:99999/1.jpg", "not a complete URL")]
    [InlineData("https://a b/1.jpg", "not a complete URL")]
    [InlineData("https://-/\n1.jpg", "not a complete URL")]
    [InlineData("https://a.example/1.jpg\n2.jpg", "not a complete URL")]
    [InlineData("https://a.example/1.jpg, 2.jpg", "several URLs")]
    [InlineData("https://a.example/1.jpg ; //a.example/2.jpg", "several URLs")]
    [InlineData("https://a.example/1.jpg www.a.example/2.jpg", "several URLs")]
    [InlineData("\"https://a.example/1.jpg", "quotation mark")]
    public void What_is_no_web_address_is_told_what_to_write_instead(string piece, string advice)
    {
        Assert.False(ImageUrlCell.IsUrl(piece));
        Assert.Contains(advice, ImageUrlCell.Explain(piece), StringComparison.Ordinal);
    }
}
