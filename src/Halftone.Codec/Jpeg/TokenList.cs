using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// The output's symbols before their codes are known, in order, and how often each occurs. A token is
/// <c>place &lt;&lt; 16 | extra bits</c>; the place is <c>chroma &lt;&lt; 9 | AC &lt;&lt; 8 | symbol</c>. Kept in chunks, so that the memory
/// follows what an image needs and nothing is ever copied.
/// </summary>
internal sealed unsafe class TokenList : IDisposable
{
    /// <summary>Tokens that a writer may add without asking: an MCU of 10 blocks has at most 650.</summary>
    public const int Room = 1024;

    /// <summary>Four tables of 256 symbols.</summary>
    public const int Places = 1024;

    private const int ChunkTokens = 1 << 18;

    /// <summary>256 MiB in all.</summary>
    private const int MaxChunks = 256;

    private readonly List<NativeBuffer<uint>> chunks = [];
    private readonly List<int> lengths = [];
    private readonly int[] counts = GC.AllocateArray<int>(Places, pinned: true);

    /// <summary>How often each place occurs.</summary>
    public ReadOnlySpan<int> Counts => counts;

    /// <summary>The same, for the inner loops.</summary>
    public int* CountsPointer => (int*)Unsafe.AsPointer(ref counts[0]);

    public int ChunkCount => lengths.Count;

    /// <summary>Empties the list; returns where to write.</summary>
    public uint* Start(out uint* limit)
    {
        lengths.Clear();
        Array.Clear(counts);
        return NextChunk(out limit);
    }

    /// <summary>Ends the chunk that <paramref name="token"/> points into and returns where to go on; null when the image may have no more.</summary>
    public uint* Continue(uint* token, out uint* limit)
    {
        End(token);
        return NextChunk(out limit);
    }

    /// <summary>Ends the list.</summary>
    public void End(uint* token) => lengths[^1] = checked((int)(token - chunks[lengths.Count - 1].Start));

    public uint* Chunk(int index, out int length)
    {
        length = lengths[index];
        return chunks[index].Start;
    }

    /// <summary>Keeps at most <paramref name="bytes"/> for the next image.</summary>
    public void Trim(nuint bytes)
    {
        for (var i = (int)(bytes / (ChunkTokens * sizeof(uint))); i < chunks.Count; i++)
        {
            chunks[i].Trim(0);
        }
    }

    public void Dispose()
    {
        foreach (var chunk in chunks)
        {
            chunk.Dispose();
        }
    }

    private uint* NextChunk(out uint* limit)
    {
        limit = null;
        var index = lengths.Count;
        if (index == MaxChunks)
        {
            return null;
        }
        if (index == chunks.Count)
        {
            chunks.Add(new NativeBuffer<uint>());
        }
        chunks[index].Reserve(ChunkTokens);
        lengths.Add(0);
        limit = chunks[index].Start + ChunkTokens - Room;
        return chunks[index].Start;
    }
}
