using System.Text;
using Halftone.Api;
using Halftone.Catalogue;
using Halftone.Fetch;
using Halftone.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Hostile.Fuzz;

/// <summary>A cell with URLs, an image's URL, where a redirect leads, a webhook's URL: each is refused with a code, and nothing is connected to.</summary>
internal sealed class UrlTarget : FuzzTarget
{
    private readonly ServiceProvider stage = FetchStage.Create();
    private readonly FetchTarget redirecting = FetchTarget.First(new Uri("https://user:secret@shop.example/a/b?c"));

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[]
        {
            "https://shop.example/a.jpg", "http://user:pass@shop.example:8080/a/b.png?x=1&y=2#f", "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]:8080/",
            "http://[::ffff:169.254.169.254]/", "http://①②⑦.⓪.⓪.①/", "http://bücher.example/", "http://xn--bcher-kva.example/", "http://shop。example/", "//other.example/x", "../../x", "?q", "http:\\\\shop.example\\a",
            "https://a.example/1.jpg, https://a.example/2.jpg|http://b.example/3.jpg;https://c.example/4,5.jpg", "http://a.b.c.d.e.f.example/", "http://shop.example./", "HTTP://SHOP.EXAMPLE", "http://faß.example/",
            "http://xn--a.example/", "http://\u0644\u0647.example/", "http://a\u00adb.example/", "http://\u200d.example/", "data:image/png;base64,AAAA", "file:///etc/passwd", "ftp://shop.example/a", "http://[fe80::1%25eth0]/",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "http://", "https://", "@", ":", "//", "\\", "%00", "%2f", "%ff", "[", "]", "::", "127.0.0.1", "0x7f", ".", "..", "。", "xn--", "xn--0", "-", "①", "１", "\u200d", "\u00ad", "\u0301", "ß", "İ", "\ud83d\ude00", "\u0644", "%25", "#", "?", " ", "\t", ":65535", ":65536", ":0",
            "169.254.169.254", new string('a', 64), new string('a', 256), "\u202e", "\uffff", "。。",
        }.Select(text => Encoding.UTF8.GetBytes(text)),
    ];

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetString(input);
        CheckCell(text);
        if (StrangersUrl.TryParse(text, out var any))
        {
            FetchTarget.Refuse(any);
        }

        if (redirecting.TryFollow(text, out var next, out _))
        {
            using var request = next.NewRequest([]);
        }

        if (!StrangersUrl.TryParse(text, out var url))
        {
            return "no URL";
        }

        if (FetchStage.LeadsOutside(url))
        {
            return "left out";
        }

        await CallbackUrl.ProblemAsync("webhook_url", text, stage.GetRequiredService<SafeConnect>(), cancellationToken);
        return await stage.GetRequiredService<ImageFetcher>().FetchAsync(url, cancellationToken) is FetchResult.Failed failed
            ? failed.Error.Code
            : throw new FuzzException("Something was fetched.");
    }

    public override ValueTask DisposeAsync() => stage.DisposeAsync();

    private static void CheckCell(ReadOnlySpan<char> cell)
    {
        for (var rest = cell; ;)
        {
            var piece = ImageUrlCell.Next(ref rest);
            if (piece.IsEmpty)
            {
                return;
            }

            if (!ImageUrlCell.IsUrl(piece))
            {
                ImageUrlCell.Explain(piece);
            }
            else if (!Uri.TryCreate(piece.ToString(), UriKind.Absolute, out _))
            {
                throw new FuzzException($"A URL was let through that is none: {piece}");
            }
        }
    }
}
