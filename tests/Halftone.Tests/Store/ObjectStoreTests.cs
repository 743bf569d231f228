using System.Text;
using Halftone.Model;
using Halftone.Store;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Store;

/// <summary>What every store of images must do; a class derives for each.</summary>
public abstract class ObjectStoreTests : IAsyncLifetime
{
    private static readonly Guid One = new("01a1fc00-0000-7000-8000-000000000001");
    private static readonly Guid Other = new("01a1fc00-0000-7000-8000-000000000002");

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private IImageStore Store { get; set; } = null!;

    private protected abstract ValueTask<IImageStore> MakeAsync();

    public async ValueTask InitializeAsync() => Store = await MakeAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        (Store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_object_comes_back_as_it_was_put_and_is_gone_when_it_is_deleted()
    {
        var key = ObjectKey.ForImage(One, "007-1", "jpg");
        Assert.Null(await Store.LengthAsync(key, Cancelled));
        Assert.Null(await Store.OpenReadAsync(key, Cancelled));

        await Store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);

        Assert.Equal(Picture.Jpeg.Length, await Store.LengthAsync(key, Cancelled));
        await using (var stream = await Store.OpenReadAsync(key, Cancelled))
        {
            Assert.True(stream!.CanSeek);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy, Cancelled);
            Assert.Equal(Picture.Jpeg, copy.ToArray());
        }

        await Store.DeleteAsync(key, Cancelled);
        await Store.DeleteAsync(key, Cancelled);
        Assert.Null(await Store.LengthAsync(key, Cancelled));
    }

    [Fact]
    public async Task A_part_of_a_larger_buffer_is_put_alone_and_a_second_put_replaces_the_first()
    {
        var key = ObjectKey.ForImage(One, "008-1", "jpg");
        byte[] buffer = [1, 2, 3, .. Picture.Jpeg, 4, 5];
        await Store.PutAsync(key, buffer, "image/jpeg", Cancelled);
        await Store.PutAsync(key, buffer.AsMemory(3, Picture.Jpeg.Length), "image/jpeg", Cancelled);
        Assert.Equal(Picture.Jpeg.Length, await Store.LengthAsync(key, Cancelled));
    }

    [Fact]
    public async Task A_copy_is_an_object_of_its_own_and_there_is_none_of_what_is_not_there()
    {
        var (original, copy) = (ObjectKey.ForImage(One, "009-1", "jpg"), ObjectKey.ForImage(Other, "010-1", "jpg"));
        Assert.False(await Store.CopyAsync(original, copy, Picture.Jpeg.Length, Cancelled));
        Assert.Null(await Store.LengthAsync(copy, Cancelled));
        await Store.PutAsync(original, Picture.Jpeg, "image/jpeg", Cancelled);

        Assert.True(await Store.CopyAsync(original, copy, Picture.Jpeg.Length, Cancelled));
        await Store.DeleteAllAsync(One, Cancelled);

        Assert.Null(await Store.LengthAsync(original, Cancelled));
        await using (var stream = await Store.OpenReadAsync(copy, Cancelled))
        {
            using var bytes = new MemoryStream();
            await stream!.CopyToAsync(bytes, Cancelled);
            Assert.Equal(Picture.Jpeg, bytes.ToArray());
        }

        Assert.Equal(copy, (await Store.ListAsync(Other, Cancelled).ToListAsync(Cancelled)).Single().Key);
        await Store.DeleteAllAsync(Other, Cancelled);
        Assert.False(await Store.CopyAsync(copy, original, Picture.Jpeg.Length, Cancelled));
    }

    [Fact]
    public async Task Objects_are_listed_and_removed_by_request()
    {
        string[] keys = [.. Enumerable.Range(1, 5).Select(number => ObjectKey.ForImage(One, $"many-{number}", "jpg"))];
        var others = ObjectKey.ForImage(Other, "other-1", "jpg");
        foreach (var key in keys.Append(others))
        {
            await Store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);
        }

        var listed = await Store.ListAsync(One, Cancelled).ToListAsync(Cancelled);
        Assert.Equal(keys.Order(StringComparer.Ordinal), listed.Select(found => found.Key).Order(StringComparer.Ordinal));
        Assert.All(listed, found => Assert.InRange(found.ModifiedAt, TimeProvider.System.GetUtcNow().AddMinutes(-10), TimeProvider.System.GetUtcNow().AddMinutes(1)));
        Assert.Equal([One, Other], (await Store.RequestsAsync(Cancelled).ToListAsync(Cancelled)).Distinct().Order());

        await Store.DeleteAllAsync(One, Cancelled);
        await Store.DeleteAllAsync(One, Cancelled);
        Assert.Empty(await Store.ListAsync(One, Cancelled).ToListAsync(Cancelled));
        Assert.Equal(Picture.Jpeg.Length, await Store.LengthAsync(others, Cancelled));
    }
}

/// <summary>Stores that keep files as well as images.</summary>
public abstract class FileStoreTests : ObjectStoreTests
{
    [Fact]
    public async Task A_file_is_there_whole_when_its_writer_is_through_and_not_at_all_where_it_fails()
    {
        var store = Assert.IsType<IFileStore>(await MakeAsync(), exactMatch: false);
        var (good, bad) = (ObjectKey.ForFile(Guid.Empty, "upload", "csv"), ObjectKey.ForFile(Guid.Empty, "upload", "csv"));
        var line = Encoding.UTF8.GetBytes(new string('x', 1_023) + "\n");
        const int Lines = 20_000;   // 20 MB: more than one part of a multipart upload

        var answer = await store.PutAsync(good, "text/csv", async stream =>
        {
            for (var i = 0; i < Lines; i++)
            {
                await stream.WriteAsync(line, Cancelled);
            }

            return "written";
        }, Cancelled);
        await Assert.ThrowsAsync<InvalidDataException>(() => store.PutAsync<bool>(bad, "text/csv", async stream =>
        {
            await stream.WriteAsync(line, Cancelled);
            throw new InvalidDataException("cut short");
        }, Cancelled));

        Assert.Equal("written", answer);
        Assert.Equal((long)Lines * line.Length, await store.LengthAsync(good, Cancelled));
        await using var read = await store.OpenReadAsync(good, Cancelled);
        Assert.Equal((long)Lines * line.Length, read!.Length);
        Assert.Null(await store.LengthAsync(bad, Cancelled));
        await store.DeleteAllAsync(Guid.Empty, Cancelled);
        (store as IDisposable)?.Dispose();
    }
}

public sealed class FolderStoreTests : FileStoreTests
{
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;

    private protected override ValueTask<IImageStore> MakeAsync() => new(new FolderStore(folder));

    [Fact]
    public async Task What_a_crash_left_half_written_is_listed_for_the_sweep_and_never_read()
    {
        var store = new FolderStore(folder);
        var key = ObjectKey.ForImage(Guid.Empty, "a-1", "jpg") + FolderStore.PartialExtension;
        await store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);
        Assert.Equal(key, (await store.ListAsync(Guid.Empty, Cancelled).SingleAsync(Cancelled)).Key);
        Assert.Null(await store.OpenReadAsync(key, Cancelled));
    }

    [Fact]
    public async Task Objects_may_be_put_while_the_last_of_their_request_is_removed()
    {
        var store = new FolderStore(folder);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 400; i++)
                {
                    var key = ObjectKey.ForImage(Guid.Empty, "a-1", "jpg");
                    await store.PutAsync(key, new byte[100], "image/jpeg", Cancelled);
                    await store.DeleteAsync(key, Cancelled);
                }
            },
            Cancelled)));
    }

    [Fact]
    public async Task A_copy_takes_no_room_and_is_young_however_old_its_original_is()
    {
        var store = new FolderStore(folder);
        var (original, copy) = (ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), ObjectKey.ForImage(Guid.AllBitsSet, "a-1", "jpg"));
        await store.PutAsync(original, Picture.Jpeg, "image/jpeg", Cancelled);
        File.SetLastWriteTimeUtc(Path.Combine(folder, original), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.True(await store.CopyAsync(original, copy, Picture.Jpeg.Length, Cancelled));

        Assert.InRange((await store.ListAsync(Guid.AllBitsSet, Cancelled).SingleAsync(Cancelled)).ModifiedAt, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
        // Made, and the answer lost.
        Assert.True(await store.CopyAsync(original, copy, Picture.Jpeg.Length, Cancelled));
        // One file of two names.
        await File.AppendAllTextAsync(Path.Combine(folder, original), "x", Cancelled);
        Assert.Equal(Picture.Jpeg.Length + 1, await store.LengthAsync(copy, Cancelled));
    }

    [Fact]
    public async Task Of_a_file_of_another_length_there_is_no_copy()
    {
        var store = new FolderStore(folder);
        var (original, copy) = (ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), ObjectKey.ForImage(Guid.AllBitsSet, "a-1", "jpg"));
        await store.PutAsync(original, Picture.Jpeg, "image/jpeg", Cancelled);
        Assert.False(await store.CopyAsync(original, copy, Picture.Jpeg.Length + 1, Cancelled));
        Assert.Null(await store.LengthAsync(copy, Cancelled));
    }

    [Fact]
    public async Task Where_no_link_can_be_made_the_bytes_are_copied()
    {
        // A folder on another file system.
        var elsewhere = Directory.CreateDirectory($"/dev/shm/halftone-test-{Path.GetRandomFileName()}");
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, Guid.Empty.ToString("D")), elsewhere.FullName);
            var store = new FolderStore(folder);
            var (original, copy) = (ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), ObjectKey.ForImage(Guid.AllBitsSet, "a-1", "jpg"));
            await store.PutAsync(original, Picture.Jpeg, "image/jpeg", Cancelled);

            Assert.False(await store.CopyAsync(original, copy, 1, Cancelled));
            Assert.True(await store.CopyAsync(original, copy, Picture.Jpeg.Length, Cancelled));

            Assert.Equal(Picture.Jpeg, await File.ReadAllBytesAsync(Path.Combine(folder, copy), Cancelled));
            Directory.Delete(Path.Combine(folder, Guid.Empty.ToString("D")));
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

public sealed class S3StoreTests : FileStoreTests
{
    private S3Options? options;

    private protected override async ValueTask<IImageStore> MakeAsync() => new S3Store(options ??= await OptionsAsync(await CephServer.CommonAsync(Cancelled)), TimeProvider.System);

    [Fact]
    public async Task A_presigned_link_lets_anybody_read_one_image_and_no_other()
    {
        var ceph = await CephServer.CommonAsync(Cancelled);
        var own = await OptionsAsync(ceph);
        own.LinkLifetime = TimeSpan.FromHours(1);
        using var store = new S3Store(own, TimeProvider.System);
        var (key, other) = (ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), ObjectKey.ForImage(Guid.Empty, "b-1", "jpg"));
        await store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);
        await store.PutAsync(other, Picture.Jpeg, "image/jpeg", Cancelled);
        var link = store.PublicUrlOf(key)!;
        using var client = new HttpClient();

        using var answer = await client.GetAsync(link, Cancelled);
        using var stranger = await client.GetAsync(link.Replace(key, other, StringComparison.Ordinal), Cancelled);

        Assert.Equal(Picture.Jpeg, await answer.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Equal(("image/jpeg", "public, max-age=31536000, immutable"), (answer.Content.Headers.ContentType!.ToString(), answer.Headers.CacheControl!.ToString()));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, stranger.StatusCode);
    }

    [Fact]
    public async Task A_server_that_is_gone_a_wrong_secret_and_a_missing_bucket_are_outages_that_name_the_bucket()
    {
        var ceph = await CephServer.CommonAsync(Cancelled);
        var gone = await OptionsAsync(ceph);
        gone.Endpoint = "http://127.0.0.1:9";
        var wrong = await OptionsAsync(ceph);
        wrong.SecretAccessKey = "wrong";
        var missing = await OptionsAsync(ceph);
        missing.Bucket = "no-such-bucket";
        foreach (var bad in new[] { gone, wrong, missing })
        {
            using var store = new S3Store(bad, TimeProvider.System);
            var put = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PutAsync(ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), Picture.Jpeg, "image/jpeg", Cancelled));
            Assert.Contains(bad.Bucket, put.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(bad.SecretAccessKey, put.ToString(), StringComparison.Ordinal);
            var (from, to) = (ObjectKey.ForImage(Guid.Empty, "a-1", "jpg"), ObjectKey.ForImage(Guid.Empty, "b-1", "jpg"));
            if (bad == wrong)
            {
                // A key that may write and not read would be told the same.
                Assert.False(await store.CopyAsync(from, to, 1, Cancelled));
            }
            else
            {
                await Assert.ThrowsAsync<StoreUnavailableException>(() => store.CopyAsync(from, to, 1, Cancelled));
            }

            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ListAsync(Guid.Empty, Cancelled).ToListAsync(Cancelled).AsTask());
        }
    }

    [Fact]
    public async Task A_connection_that_fell_silent_is_given_up_and_a_new_one_serves()
    {
        var ceph = await CephServer.CommonAsync(Cancelled);
        await using var proxy = new TcpProxy(ceph.Port);
        var own = await OptionsAsync(ceph);
        own.Endpoint = $"http://127.0.0.1:{proxy.Port}";
        own.Timeout = TimeSpan.FromSeconds(2);
        using var store = new S3Store(own, TimeProvider.System);
        var key = ObjectKey.ForImage(Guid.Empty, "a-1", "jpg");
        await store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled);

        proxy.Swallow();
        var put = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PutAsync(key, Picture.Jpeg, "image/jpeg", Cancelled));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenReadAsync(key, Cancelled));
        proxy.Heal();

        Assert.Contains("no answer within 2 s", put.Message, StringComparison.Ordinal);
        await using var read = await store.OpenReadAsync(key, Cancelled);
        Assert.Equal(Picture.Jpeg.Length, read!.Length);
    }

    [Fact]
    public async Task An_object_that_stops_coming_is_an_outage()
    {
        await using var silent = HostileOrigin.Start(async call =>
        {
            await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\na beginning");
            await call.StallAsync();
        });
        using var store = StoreAt(silent.Port, TimeSpan.FromSeconds(1));

        var read = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenReadAsync("a/b.jpg", Cancelled));

        Assert.Contains("no answer within 1 s", read.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_stops_in_its_middle_is_an_outage_whatever_was_asked()
    {
        await using var silent = HostileOrigin.Start(async call =>
        {
            await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 1000\r\n\r\n<?xml version=\"1.0\"?>");
            await call.StallAsync();
        });
        using var store = StoreAt(silent.Port, TimeSpan.FromSeconds(1));

        foreach (var call in new Func<Task>[]
        {
            () => store.CopyAsync("a/b.jpg", "c/d.jpg", 1, Cancelled),
            () => store.ListAsync(Guid.Empty, Cancelled).ToListAsync(Cancelled).AsTask(),
            () => store.PutAsync("a/b.jpg", Picture.Jpeg, "image/jpeg", Cancelled),
            () => store.DeleteAsync("a/b.jpg", Cancelled),
        })
        {
            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(call);
            Assert.Contains("no answer within 1 s", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_put_over_a_slow_line_may_take_longer_than_the_longest_silence()
    {
        var longest = TimeSpan.FromSeconds(3);
        await using var line = SlowLine.Start(bytesPerSecond: 400_000);
        using var store = StoreAt(line.Port, longest);

        await store.PutAsync("a/b.jpg", new byte[2_000_000], "image/jpeg", Cancelled);

        Assert.True(line.Took > longest, $"{line.Took}");
    }

    [Fact]
    public void Links_of_a_public_bucket_name_prefix_and_key_under_the_address_that_was_set()
    {
        var own = new S3Options { Bucket = "b", Prefix = "shop/", PublicBaseUrl = "https://cdn.example.com/", AccessKeyId = "a", SecretAccessKey = "s" };
        using var store = new S3Store(own, TimeProvider.System);
        Assert.Equal("https://cdn.example.com/shop/x/y.jpg", store.PublicUrlOf("x/y.jpg"));
        own.PublicBaseUrl = "";
        Assert.Null(store.PublicUrlOf("x/y.jpg"));
    }

    private static S3Store StoreAt(int port, TimeSpan timeout) =>
        new(new() { Bucket = "bucket", Endpoint = $"http://127.0.0.1:{port}", AccessKeyId = "a", SecretAccessKey = "s", Timeout = timeout }, TimeProvider.System);

    private static async Task<S3Options> OptionsAsync(CephServer ceph)
    {
        var settings = (await ceph.NewBucketAsync(Cancelled)).ToDictionary(setting => setting.Name, setting => setting.Value!);
        return new S3Options
        {
            Bucket = settings["Store:S3:Bucket"],
            Endpoint = settings["Store:S3:Endpoint"],
            Prefix = settings["Store:S3:Prefix"],
            AccessKeyId = settings["Store:S3:AccessKeyId"],
            SecretAccessKey = settings["Store:S3:SecretAccessKey"],
        };
    }
}
