using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Halftone.Database;

namespace Halftone.Api.Access;

/// <summary>A key as listed. Only a hash of the key itself is stored.</summary>
internal sealed record ApiKey
{
    public required string KeyId { get; init; }
    public required string Name { get; init; }
    public required long CreatedAt { get; init; }
    public long? RevokedAt { get; init; }
}

/// <summary>
/// API keys: 256 random bits, shown once and stored as SHA-256. Such a key cannot be guessed, so it needs no slow hash.
/// </summary>
internal sealed class ApiKeys(HalftoneDatabase database, TimeProvider time)
{
    /// <summary>A prefix that tells secret scanners what they found.</summary>
    public const string Prefix = "halftone_";

    /// <summary>
    /// Maximum age of the cached answer of <see cref="AreAskedForAsync"/>: a running server recognises a first key
    /// after this time.
    /// </summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private (bool Any, long ReadAt)? known;

    /// <summary>Creates a key.</summary>
    /// <returns>The key itself, which cannot be shown again.</returns>
    public async Task<string> AddAsync(string name, CancellationToken cancellationToken)
    {
        var key = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var row = new
        {
            KeyId = Guid.CreateVersion7(time.GetUtcNow()).ToString("D", CultureInfo.InvariantCulture),
            Name = name,
            KeyHash = Hash(key),
            Now = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.Insert, row), cancellationToken);
        return key;
    }

    public async Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellationToken) =>
        (await database.ReadAsync(connection => connection.QueryAsync<ApiKey>(Sql.List), cancellationToken)).AsList();

    /// <returns>False if there is no such key, or it was already revoked.</returns>
    public async Task<bool> RevokeAsync(string keyId, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            transaction => transaction.ExecuteAsync(Sql.Revoke, new { KeyId = keyId, Now = time.GetUtcNow().ToUnixTimeMilliseconds() }),
            cancellationToken) > 0;

    /// <summary>True once a key was ever created: a server whose last key was revoked is closed, not open.</summary>
    public async ValueTask<bool> AreAskedForAsync(CancellationToken cancellationToken)
    {
        if (known is { } fresh && (fresh.Any || time.GetElapsedTime(fresh.ReadAt) < Freshness))
        {
            return fresh.Any;
        }

        var any = await database.ReadAsync(async connection => await connection.ExecuteScalarAsync<long>(Sql.Any) > 0, cancellationToken);
        known = (any, time.GetTimestamp());
        return any;
    }

    /// <summary>The ID of a valid key, or null.</summary>
    public async Task<string?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var hash = Hash(key);
        var row = await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<KeyRow>(Sql.Find, new { KeyHash = hash }),
            cancellationToken);
        // The index finds it by hash, which reveals nothing about the key; it is still compared in constant time.
        return row is not null
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(row.KeyHash), Encoding.ASCII.GetBytes(hash))
            ? row.KeyId
            : null;
    }

    /// <summary>
    /// True if a caller that was let in still has access; long-lived streams ask again. An owner without a key has
    /// access until the first key exists.
    /// </summary>
    public async ValueTask<bool> IsGoodAsync(string owner, CancellationToken cancellationToken) => owner.Length == 0
        ? !await AreAskedForAsync(cancellationToken)
        : await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>(Sql.IsGood, new { KeyId = owner }), cancellationToken);

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private sealed record KeyRow
    {
        public required string KeyId { get; init; }
        public required string KeyHash { get; init; }
    }

    private static class Sql
    {
        public const string Insert = "INSERT INTO api_key (key_id, name, key_hash, created_at) VALUES (@KeyId, @Name, @KeyHash, @Now)";

        public const string List = "SELECT key_id, name, created_at, revoked_at FROM api_key ORDER BY key_id";

        public const string Revoke = "UPDATE api_key SET revoked_at = @Now WHERE key_id = @KeyId AND revoked_at IS NULL";

        public const string IsGood = "SELECT EXISTS (SELECT 1 FROM api_key WHERE key_id = @KeyId AND revoked_at IS NULL)";

        public const string Any = "SELECT EXISTS (SELECT 1 FROM api_key)";

        public const string Find = "SELECT key_id, key_hash FROM api_key WHERE key_hash = @KeyHash AND revoked_at IS NULL";
    }
}
