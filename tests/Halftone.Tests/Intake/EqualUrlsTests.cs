using FsCheck;
using FsCheck.Fluent;
using Halftone.Intake;

namespace Halftone.Tests.Intake;

public sealed class EqualUrlsTests
{
    [Fact]
    public void Every_url_is_given_the_first_image_that_has_it() =>
        Prop.ForAll<byte[]>(choices =>
        {
            // Few different URLs, so that many are equal.
            var urls = choices.Select(choice => $"https://shop.example/{choice % 16}.jpg").ToArray();
            var found = Find(urls);
            var wanted = urls
                .Select((url, index) => Array.IndexOf(urls, url) is var first && first == index ? (long?)null : first)
                .ToArray();
            return found.SequenceEqual(wanted);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_filter_that_is_far_too_small_takes_no_two_urls_for_equal()
    {
        // 200,000 URLs in a filter made for 1,000: nearly all look as if they were there twice.
        var urls = Enumerable.Range(0, 200_000).Select(i => $"https://shop.example/{i}.jpg").ToArray();
        Assert.All(Find(urls, fileBytes: 40_000), Assert.Null);
    }

    private static long?[] Find(string[] urls, long? fileBytes = null)
    {
        var equal = new EqualUrls(fileBytes ?? urls.Length * 40L);
        foreach (var url in urls)
        {
            equal.Note(url);
        }

        return [.. urls.Select((url, index) => equal.FirstOf(url, index))];
    }
}
