using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Halftone.Tests.Webhooks;

/// <summary>The C# snippet of docs/webhook.md, word for word: <see cref="WebhookDocumentTests"/> compares the two.</summary>
internal static class DocumentedReceiver
{
    public static bool Accepts(string secret, string id, string timestamp, string signatures, byte[] body) =>
        IsGenuine(secret, id, timestamp, signatures, body);

    private static bool IsGenuine(string secret, string id, string timestamp, string signatures, byte[] body)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
        var age = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - long.Parse(timestamp, CultureInfo.InvariantCulture);
        return Math.Abs(age) <= 300
            && signatures.Split(' ').Any(one => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), expected));
    }
}
