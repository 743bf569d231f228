using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Tests.Servers;
using Microsoft.Data.Sqlite;

namespace Halftone.Tests.Database;

public sealed class FullDiskTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transaction_that_finds_the_disk_full_says_so_and_the_next_one_works_when_there_is_room()
    {
        var folder = Directory.CreateTempSubdirectory("halftone-disk-").FullName;
        Assert.SkipUnless(await SmallDisk.MountAsync(folder, "4m", Cancelled), "A file system of 4 MB cannot be mounted here: that takes root.");
        try
        {
            await using (var database = new SqliteDatabase(Path.Combine(folder, "halftone.db")))
            {
                await database.WriteAsync(transaction => transaction.Connection!.ExecuteAsync("CREATE TABLE t (x TEXT)"), Cancelled);
                var filler = Path.Combine(folder, "filler");
                SmallDisk.Fill(filler);
                for (var attempt = 0; attempt < 3; attempt++)
                {
                    // Larger than what SQLite keeps ready in its files.
                    var exception = await Assert.ThrowsAsync<SqliteException>(() => InsertAsync(database));
                    Assert.True(Outage.Is(exception), exception.Message);
                }

                File.Delete(filler);
                await InsertAsync(database);
                Assert.Equal(100, await database.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM t"), Cancelled));
            }
        }
        finally
        {
            await SmallDisk.UnmountAsync(folder);
            Directory.Delete(folder);
        }
    }

    private static Task InsertAsync(SqliteDatabase database) => database.WriteAsync(
        async transaction =>
        {
            for (var row = 0; row < 100; row++)
            {
                await transaction.Connection!.ExecuteAsync("INSERT INTO t VALUES (@Text)", new { Text = new string('x', 10_000) }, transaction);
            }
        },
        Cancelled);
}
