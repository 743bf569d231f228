using System.Security.Cryptography;
using Halftone.Fetch;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Fetch;

public class ImageFetcherTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(200_000)]
    [InlineData(5_000_000)]
    public async Task A_body_arrives_as_it_was_sent(int bytes)
    {
        var sent = RandomNumberGenerator.GetBytes(bytes);
        await using var origin = await ImageOrigin.StartAsync(TestContext.Current.CancellationToken);
        origin.Serve("/a.jpg", sent);
        await using var kit = FetchKit.Open();

        Assert.Equal(sent, await kit.BodyAsync(origin.Url("/a.jpg")));
        Assert.Equal(0, kit.Budget.HeldBytes);
    }

    [Fact]
    public async Task Nothing_but_the_public_internet_is_called_unless_the_operator_opened_it()
    {
        await using var origin = await ImageOrigin.StartAsync(TestContext.Current.CancellationToken);
        await using var kit = FetchKit.Closed();

        var failed = await kit.FailAsync(origin.Url("/a.jpg"));

        Assert.Equal(FetchError.AddressForbidden, failed.Error);
        Assert.False(failed.Retryable);
        Assert.Equal(0, origin.RequestCount);
    }
}
