using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Halftone.Webhooks;

/// <summary>
/// Signatures and secrets of the Standard Webhooks specification (standardwebhooks.com, version 1.0.0): symmetric
/// <c>v1</c>, HMAC-SHA256 over <c>id.timestamp.body</c>.
/// </summary>
internal static class WebhookSignature
{
    /// <summary>The prefix of every secret; the rest is standard base64 of the key.</summary>
    public const string SecretPrefix = "whsec_";

    private const int MinKeyBytes = 24;
    private const int MaxKeyBytes = 64;
    private const int NewKeyBytes = 32;

    /// <summary>
    /// Separates keys derived here from keys derived from the same secret for other purposes. Its version increases if
    /// the derivation ever changes, because that changes every secret handed out.
    /// </summary>
    private const string DerivationPurpose = "halftone/webhook-secret/1/";

    /// <summary>Creates a secret of 32 random bytes, such as the instance's own.</summary>
    public static string NewSecret() => ToSecret(RandomNumberGenerator.GetBytes(NewKeyBytes));

    /// <summary>
    /// The secret of one registered webhook: HKDF-SHA256 (RFC 5869) of the instance secret's key, without salt, with
    /// <c>halftone/webhook-secret/1/</c> and the ID in UTF-8 as info, 32 bytes long. It is never stored, but derived
    /// again from the instance secret and the ID, so a copy of the database alone cannot sign. Changing the instance
    /// secret changes all.
    /// </summary>
    /// <param name="instanceSecret">A secret that passes <see cref="IsSecret"/>.</param>
    /// <param name="webhookId">Not empty; never given to another endpoint.</param>
    public static string DeriveSecret(string instanceSecret, string webhookId)
    {
        ArgumentException.ThrowIfNullOrEmpty(webhookId);
        var info = Encoding.UTF8.GetBytes(DerivationPurpose + webhookId);
        return ToSecret(HKDF.DeriveKey(HashAlgorithmName.SHA256, Key(instanceSecret), NewKeyBytes, salt: [], info));
    }

    /// <summary>True for <c>whsec_</c> and the standard base64, with padding, of 24 to 64 bytes, as the specification allows.</summary>
    public static bool IsSecret(string? secret) => TryReadKey(secret, out _);

    /// <summary>
    /// The value of <c>webhook-signature</c>: a <c>v1,…</c> per secret, separated by spaces; the receiver needs to
    /// match one.
    /// </summary>
    /// <param name="secrets">At least one; two while a receiver changes from an old secret to a new one.</param>
    /// <param name="messageId">The value of <c>webhook-id</c>: the same for every attempt, without a full stop, which
    /// separates the signed parts.</param>
    /// <param name="timestamp">The time of this attempt; signed and sent in whole seconds since 1970.</param>
    /// <param name="body">Exactly the bytes that are sent.</param>
    /// <exception cref="ArgumentException">A secret that <see cref="IsSecret"/> refuses, or an ID that is empty or
    /// contains a full stop.</exception>
    public static string Sign(IReadOnlyCollection<string> secrets, string messageId, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        ArgumentOutOfRangeException.ThrowIfZero(secrets.Count);
        if (messageId.Length == 0 || messageId.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException("A message ID must have at least one character and no full stop.", nameof(messageId));
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

    // The message never repeats the secret, because it ends up in a log.
    private static byte[] Key(string secret) => TryReadKey(secret, out var key)
        ? key
        : throw new ArgumentException("A webhook secret must be 'whsec_' and the base64 of 24 to 64 bytes.", nameof(secret));

    private static bool TryReadKey(string? secret, out byte[] key)
    {
        key = [];
        // Base64.IsValid and FromBase64String both accept white space, which other implementations refuse.
        if (secret is null || !secret.StartsWith(SecretPrefix, StringComparison.Ordinal) || secret.Any(char.IsWhiteSpace)
            || !Base64.IsValid(secret.AsSpan(SecretPrefix.Length), out var length) || length is < MinKeyBytes or > MaxKeyBytes)
        {
            return false;
        }

        key = Convert.FromBase64String(secret[SecretPrefix.Length..]);
        return true;
    }
}
