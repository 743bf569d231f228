namespace Halftone.Codec.Jpeg;

/// <summary>
/// Memory for the tokens of one image, in chunks that all its lists share: one limit for all of them, and nothing is ever copied.
/// </summary>
internal sealed class TokenChunks
{
    /// <summary>Tokens in a chunk: 256 KiB.</summary>
    public const int Tokens = 1 << 16;

    /// <summary>256 MiB in all.</summary>
    private const int MaxChunks = 1024;

    private readonly Stack<uint[]> free = new();
    private int rented;

    /// <summary>A chunk of unknown content; null when the image may have no more.</summary>
    public uint[]? Rent()
    {
        if (rented == MaxChunks)
        {
            return null;
        }

        rented++;
        return free.TryPop(out var chunk) ? chunk : GC.AllocateUninitializedArray<uint>(Tokens);
    }

    public void Return(uint[] chunk)
    {
        rented--;
        free.Push(chunk);
    }

    /// <summary>Keeps at most <paramref name="bytes"/> of what was returned for the next image.</summary>
    public void Trim(int bytes)
    {
        while (free.Count > bytes / (Tokens * sizeof(uint)))
        {
            free.Pop();
        }
    }
}
