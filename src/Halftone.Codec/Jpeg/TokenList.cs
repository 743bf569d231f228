namespace Halftone.Codec.Jpeg;

/// <summary>
/// A scan's symbols before their codes are known, in order, and how often each occurs. A token is
/// <c>place &lt;&lt; 16 | extra bits</c>; the place is <c>table &lt;&lt; 8 | symbol</c>.
/// </summary>
/// <param name="memory">Shared with the other lists of the image.</param>
/// <param name="tables">Huffman tables that the scan uses, 1 to 4.</param>
internal sealed class TokenList(TokenChunks memory, int tables)
{
    /// <summary>Tokens that may be added without asking: an MCU of 10 blocks has at most 650.</summary>
    public const int Room = 1024;

    private readonly List<uint[]> chunks = [];
    private readonly List<int> lengths = [];

    /// <summary>How often each place occurs.</summary>
    public int[] Counts { get; } = new int[tables * 256];

    public int ChunkCount => chunks.Count;

    /// <summary>The chunk that is being written to.</summary>
    public uint[] Last => chunks[^1];

    /// <summary>Empties the list and gives its memory back.</summary>
    public void Clear()
    {
        chunks.ForEach(memory.Return);
        chunks.Clear();
        lengths.Clear();
        Array.Clear(Counts);
    }

    /// <summary>
    /// Ends the chunk that was written to, after <paramref name="used"/> tokens, and yields another one; empty when the image may have no
    /// more.
    /// </summary>
    public uint[] Continue(int used)
    {
        End(used);
        if (memory.Rent() is not { } chunk)
        {
            return [];
        }

        chunks.Add(chunk);
        lengths.Add(0);
        return chunk;
    }

    /// <summary>Ends the last chunk.</summary>
    public void End(int used)
    {
        if (lengths.Count > 0)
        {
            lengths[^1] = used;
        }
    }

    /// <summary>The tokens of a chunk that was ended.</summary>
    public ReadOnlySpan<uint> Chunk(int index) => chunks[index].AsSpan(0, lengths[index]);
}
