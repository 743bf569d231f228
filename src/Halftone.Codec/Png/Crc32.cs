namespace Halftone.Codec.Png;

/// <summary>The checksum of PNG chunks (PNG, 5.5 and annex D; ISO 3309).</summary>
internal static class Crc32
{
    /// <summary>Checksum of the bytes of <paramref name="first"/> and then <paramref name="second"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var crc = new System.IO.Hashing.Crc32();
        crc.Append(first);
        crc.Append(second);
        return crc.GetCurrentHashAsUInt32();
    }
}
