namespace Halftone.Codec.Webp;

/// <summary>
/// The decisions that code a frame's coefficients, before their probabilities are known. One is <c>place &lt;&lt; 1 | bit</c>, the place
/// being that of
/// its probability in <see cref="CoefficientModel"/>. Kept in chunks, so that memory follows what a picture needs, up to a limit that
/// does not depend
/// on the picture's size.
/// </summary>
internal sealed class DecisionList
{
    /// <summary>
    /// Decisions that may be added without asking: a macroblock has 400 coefficients of at most 23 each, and 25 ends; a pattern writes 8
    /// at once.
    /// </summary>
    public const int Room = 10_000;

    /// <summary>As many as are held: 16 MiB, about 16 megapixels of a photograph at quality 50.</summary>
    public const int MaxDecisions = ChunkLength * MaxChunks;

    private const int ChunkLength = 1 << 18, MaxChunks = 32;

    private readonly List<ushort[]> chunks = [];
    private readonly List<int> lengths = [];

    /// <summary>The chunk that is being written to.</summary>
    public ushort[] Current { get; private set; } = [];

    /// <summary>No further chunk may be had before <see cref="Clear"/>.</summary>
    public bool IsFull => lengths.Count == MaxChunks - 1;

    public int ChunkCount => lengths.Count;

    public ReadOnlySpan<ushort> Chunk(int index) => chunks[index].AsSpan(0, lengths[index]);

    /// <summary>Empties the list and starts its first chunk.</summary>
    public void Clear()
    {
        lengths.Clear();
        Take();
    }

    /// <summary>Ends the current chunk after <paramref name="used"/> decisions and starts the next.</summary>
    public void Continue(int used)
    {
        End(used);
        Take();
    }

    /// <summary>Ends the current chunk after <paramref name="used"/> decisions.</summary>
    public void End(int used) => lengths.Add(used);

    /// <summary>Keeps at most <paramref name="bytes"/> for the next picture.</summary>
    public void Trim(int bytes)
    {
        var kept = Math.Max(1, bytes / (ChunkLength * sizeof(ushort)));
        if (chunks.Count > kept)
        {
            chunks.RemoveRange(kept, chunks.Count - kept);
        }
    }

    private void Take()
    {
        if (lengths.Count == chunks.Count)
        {
            chunks.Add(GC.AllocateUninitializedArray<ushort>(ChunkLength));
        }

        Current = chunks[lengths.Count];
    }
}
