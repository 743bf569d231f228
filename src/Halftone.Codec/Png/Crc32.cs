namespace Halftone.Codec.Png;

/// <summary>The checksum of PNG chunks (PNG, 5.5 and annex D; ISO 3309, polynomial 0xEDB88320 reflected).</summary>
internal static class Crc32
{
    private static readonly uint[] Table = MakeTable();

    /// <summary>Checksum of the bytes of <paramref name="first"/> and then <paramref name="second"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => ~Update(Update(uint.MaxValue, first), second);

    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] table = Table;
        foreach (byte b in bytes)
        {
            crc = table[(byte)(crc ^ b)] ^ crc >> 8;
        }
        return crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
            }
            table[i] = crc;
        }
        return table;
    }
}
