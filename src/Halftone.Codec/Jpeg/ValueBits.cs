using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>A value as JPEG writes it: its size in a symbol, then that many bits (ITU-T T.81, F.1.2.1).</summary>
internal static class ValueBits
{
    /// <summary>Size of the longest difference between two DC coefficients of an 8-bit image.</summary>
    public const int MaxDcSize = 11;

    /// <summary>Size of the longest AC coefficient.</summary>
    public const int MaxAcSize = 10;

    /// <summary>The bits after the symbol; of a value longer than 16 bits, which no image has, the lower ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(int value, out int size)
    {
        var sign = value >> 31;
        var magnitude = (uint)((value ^ sign) - sign);
        size = 32 - BitOperations.LeadingZeroCount(magnitude);
        return (magnitude ^ (uint)sign) & ((1u << size) - 1) & 0xFFFF;
    }
}
