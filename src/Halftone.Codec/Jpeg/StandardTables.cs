namespace Halftone.Codec.Jpeg;

/// <summary>The typical Huffman tables of ITU-T T.81, tables K.3 to K.6: index 0 for luminance, 1 for chrominance.</summary>
internal static class StandardTables
{
    private static readonly HuffmanTable[] Dc =
    [
        Table([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        Table([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ];

    private static readonly HuffmanTable[] Ac =
    [
        Table([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D], Convert.FromHexString(
            "01020300041105122131410613516107227114328191A1082342B1C11552D1F02"
            + "433627282090A161718191A25262728292A3435363738393A434445464748494A"
            + "535455565758595A636465666768696A737475767778797A838485868788898A9"
            + "2939495969798999AA2A3A4A5A6A7A8A9AAB2B3B4B5B6B7B8B9BAC2C3C4C5C6C7"
            + "C8C9CAD2D3D4D5D6D7D8D9DAE1E2E3E4E5E6E7E8E9EAF1F2F3F4F5F6F7F8F9FA")),
        Table([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], Convert.FromHexString(
            "0001020311040521310612415107617113223281081442"
            + "91A1B1C109233352F0156272D10A162434E125F11718191A262728292A35363738393A434445464748494A"
            + "535455565758595A636465666768696A737475767778797A82838485868788898A"
            + "92939495969798999AA2A3A4A5A6A7A8A9AAB2B3B4B5B6B7B8B9BAC2C3C4C5C6C7"
            + "C8C9CAD2D3D4D5D6D7D8D9DAE2E3E4E5E6E7E8E9EAF2F3F4F5F6F7F8F9FA")),
    ];

    /// <summary>Null where the standard has none of that index.</summary>
    public static HuffmanTable? Of(bool isDc, int index) => index > 1 ? null : (isDc ? Dc : Ac)[index];

    private static HuffmanTable Table(byte[] counts, byte[] symbols) => HuffmanTable.Read([.. counts, .. symbols])!;
}
