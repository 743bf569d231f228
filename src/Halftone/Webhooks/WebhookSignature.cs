using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Halftone.Webhooks;

/// <summary>
/// Signatures and secrets as the Standard Webhooks specification has them (standardwebhooks.com, version 1.0.0): symmetric
/// <c>v1</c>, HMAC-SHA256 over <c>id.timestamp.body</c>.
/// </summary>
internal static class WebhookSignature
{
    /// <summary>What every secret begins with; the rest is standard base64 of the key.</summary>
    public const string SecretPrefix = "whsec_";

    private const int MinKeyBytes = 24;
    private const int MaxKeyBytes = 64;
    private const int NewKeyBytes = 32;

    /// <summary>
    /// What tells keys derived here from keys derived from the same secret for another purpose; the number goes up if the
    /// derivation ever changes, because every secret handed out changes with it.
    /// </summary>
    private const string DerivationPurpose = "halftone/webhook-secret/1/";

    /// <summary>A new secret of 32 random bytes, such as the instance's own.</summary>
    public static string NewSecret() => ToSecret(RandomNumberGenerator.GetBytes(NewKeyBytes));

    /// <summary>
    /// The secret of one registered webhook: HKDF-SHA256 (RFC 5869) of the instance secret's key, without salt, with
    /// <c>halftone/webhook-secret/1/</c> and the id in UTF-8 as info, 32 bytes long. It is never stored: the instance secret
    /// and the id give it again, so a copy of the database alone signs nothing. Changing the instance secret changes all.
    /// </summary>
    /// <param name="instanceSecret">As <see cref="IsSecret"/> allows.</param>
    /// <param name="webhookId">Not empty; never given to another endpoint.</param>
    public static string DeriveSecret(string instanceSecret, string webhookId)
    {
        ArgumentException.ThrowIfNullOrEmpty(webhookId);
        var info = Encoding.UTF8.GetBytes(DerivationPurpose + webhookId);
        return ToSecret(HKDF.DeriveKey(HashAlgorithmName.SHA256, Key(instanceSecret), NewKeyBytes, salt: [], info));
    }

    /// <summary>True for <c>whsec_</c> and the standard base64, with its padding, of 24 to 64 bytes: what the specification allows.</summary>
    public static bool IsSecret(string? secret) => TryReadKey(secret, out _);

    /// <summary>The value of <c>webhook-signature</c>: a <c>v1,…</c> for each secret, separated by spaces; the receiver needs to match one.</summary>
    /// <param name="secrets">At least one; two while a receiver changes from an old secret to a new one.</param>
    /// <param name="messageId">The value of <c>webhook-id</c>: the same at every attempt, without a full stop, which separates the signed parts.</param>
    /// <param name="timestamp">The time of this attempt; signed and sent in whole seconds since 1970.</param>
    /// <param name="body">Exactly the bytes that are sent.</param>
    /// <exception cref="ArgumentException">A secret that <see cref="IsSecret"/> refuses, or an id that is empty or has a full stop.</exception>
    public static string Sign(IReadOnlyCollection<string> secrets, string messageId, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        ArgumentOutOfRangeException.ThrowIfZero(secrets.Count);
        if (messageId.Length == 0 || messageId.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException("A message id has at least one character and no full stop.", nameof(messageId));
        }

        var head = Encoding.UTF8.GetBytes(messageId + "." + TimestampValue(timestamp) + ".");
        var signed = new byte[head.Length + body.Length];
        head.CopyTo(signed, 0);
        body.CopyTo(signed.AsSpan(head.Length));
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Key(secret), signed))));
    }

    /// <summary>The value of <c>webhook-timestamp</c>: whole seconds since 1970-01-01 UTC.</summary>
    public static string TimestampValue(DateTimeOffset timestamp) => timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static string ToSecret(byte[] key) => SecretPrefix + Convert.ToBase64String(key);

    // The message never repeats the secret: it ends in a log.
    private static byte[] Key(string secret) => TryReadKey(secret, out var key)
        ? key
        : throw new ArgumentException("A webhook secret is 'whsec_' and the base64 of 24 to 64 bytes.", nameof(secret));

    private static bool TryReadKey(string? secret, out byte[] key)
    {
        key = [];
        // Base64.IsValid and FromBase64String both let white space pass, which other implementations refuse.
        if (secret is null || !secret.StartsWith(SecretPrefix, StringComparison.Ordinal) || secret.Any(char.IsWhiteSpace)
            || !Base64.IsValid(secret.AsSpan(SecretPrefix.Length), out var length) || length is < MinKeyBytes or > MaxKeyBytes)
        {
            return false;
        }

        key = Convert.FromBase64String(secret[SecretPrefix.Length..]);
        return true;
    }
}
