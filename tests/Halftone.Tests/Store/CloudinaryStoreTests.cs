using Halftone.Model;
using Halftone.Store;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Store;

/// <summary>Against a stand-in (see <see cref="CloudinaryServer"/>): the live service was never called.</summary>
public sealed class CloudinaryStoreTests : ObjectStoreTests
{
    private CloudinaryServer? server;

    // Pages of two, so that every list has several.
    private protected override async ValueTask<IImageStore> MakeAsync() => new CloudinaryStore((server ??= await CloudinaryServer.StartAsync(pageSize: 2, Cancelled)).Options(), TimeProvider.System);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_image_is_delivered_under_the_public_url_with_its_type()
    {
        using var store = new CloudinaryStore(server!.Options(), TimeProvider.System);
        var key = ObjectKey.ForImage(Guid.Empty, "a-1", "jpg");
        await store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);
        using var client = new HttpClient();

        using var answer = await client.GetAsync(store.PublicUrlOf(key), Cancelled);

        Assert.Equal($"{server.Url}/shop-cloud/image/upload/shop/halftone/{key}", store.PublicUrlOf(key));
        Assert.Equal(Picture.Jpeg, await answer.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Equal("image/jpeg", answer.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task A_wrong_secret_and_a_service_that_is_gone_are_outages_and_the_secret_is_not_told()
    {
        var wrong = server!.Options();
        wrong.ApiSecret = "not-the-secret";
        var gone = server.Options();
        gone.ApiUrl = "http://127.0.0.1:9";
        foreach (var (bad, word) in new[] { (wrong, "Invalid Signature"), (gone, "cannot be reached") })
        {
            using var store = new CloudinaryStore(bad, TimeProvider.System);
            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PutAsync(ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), Picture.Jpeg, "image/jpeg", Cancelled));
            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(bad.ApiSecret, refused.ToString(), StringComparison.Ordinal);
        }
    }
}
