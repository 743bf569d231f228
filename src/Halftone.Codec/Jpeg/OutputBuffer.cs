namespace Halftone.Codec.Jpeg;

/// <summary>The bytes of an output, kept between images.</summary>
internal sealed class OutputBuffer
{
    private const int FirstBytes = 1 << 16;

    private byte[] bytes = new byte[FirstBytes];

    /// <summary>How far the memory was written.</summary>
    public int Length { get; set; }

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Append(ReadOnlySpan<byte> more)
    {
        more.CopyTo(Reserve(Length, more.Length)[Length..]);
        Length += more.Length;
    }

    /// <summary>
    /// All the memory, with room for <paramref name="more"/> bytes after the first <paramref name="used"/>, which are kept.
    /// </summary>
    public Span<byte> Reserve(int used, int more)
    {
        if (used + more > bytes.Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(checked(Math.Max(used + more, bytes.Length + bytes.Length / 2)));
            bytes.AsSpan(0, used).CopyTo(larger);
            bytes = larger;
        }

        return bytes;
    }

    /// <summary>Gives memory back where it is more than <paramref name="most"/> bytes.</summary>
    public void Trim(int most) => bytes = bytes.Length > most ? new byte[FirstBytes] : bytes;
}
