namespace Halftone.Codec.Jpeg;

/// <summary>
/// The output's symbols before their codes are known, in order, and how often each occurs. A token is
/// <c>place &lt;&lt; 16 | extra bits</c>; the place is <c>chroma &lt;&lt; 9 | AC &lt;&lt; 8 | symbol</c>. Kept in chunks, so that the memory
/// follows what an image needs and nothing is ever copied.
/// </summary>
internal sealed class TokenList
{
    /// <summary>Tokens that may be added without asking: an MCU of 10 blocks has at most 650.</summary>
    public const int Room = 1024;

    /// <summary>Four tables of 256 symbols.</summary>
    public const int Places = 1024;

    private const int ChunkTokens = 1 << 18;

    /// <summary>256 MiB in all.</summary>
    private const int MaxChunks = 256;

    private readonly List<uint[]> chunks = [];
    private readonly List<int> lengths = [];

    /// <summary>How often each place occurs.</summary>
    public int[] Counts { get; } = new int[Places];

    public int ChunkCount => lengths.Count;

    /// <summary>Empties the list.</summary>
    public void Clear()
    {
        lengths.Clear();
        Array.Clear(Counts);
    }

    /// <summary>Ends the chunk that was written to, after <paramref name="used"/> tokens, and yields another one; empty when the image may have no more.</summary>
    public Span<uint> Continue(int used)
    {
        End(used);
        var index = lengths.Count;
        if (index == MaxChunks)
        {
            return default;
        }
        if (index == chunks.Count)
        {
            chunks.Add(GC.AllocateUninitializedArray<uint>(ChunkTokens));
        }
        lengths.Add(0);
        return chunks[index];
    }

    /// <summary>Ends the last chunk.</summary>
    public void End(int used)
    {
        if (lengths.Count > 0)
        {
            lengths[^1] = used;
        }
    }

    /// <summary>The chunk that is being written to.</summary>
    public Span<uint> Last => chunks[lengths.Count - 1];

    /// <summary>The tokens of a chunk that was ended.</summary>
    public ReadOnlySpan<uint> Chunk(int index) => chunks[index].AsSpan(0, lengths[index]);

    /// <summary>Keeps at most <paramref name="bytes"/> for the next image.</summary>
    public void Trim(int bytes)
    {
        var kept = bytes / (ChunkTokens * sizeof(uint));
        if (chunks.Count > kept)
        {
            chunks.RemoveRange(kept, chunks.Count - kept);
        }
    }
}
