using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Halftone.Codec.Png;

/// <summary>
/// Error diffusion after R. W. Floyd and L. Steinberg, "An Adaptive Algorithm for Spatial Greyscale" (1976), in
/// alternating directions, damped: its strength follows the <see cref="Flatness"/> of the plain mapping. Flat places,
/// where bands would show, are dithered; busy ones stay as they are, because there nobody sees the error and everybody
/// pays for the bytes.
/// </summary>
/// <remarks>
/// Colours are kept in sixteenths of an 8-bit step in four 16-bit lanes (red, green, blue, alpha): the chain from one pixel to the next
/// is what takes the time, and whole numbers keep it short. Not thread-safe; reused from image to image.
/// </remarks>
internal sealed class Dither
{
    private const int Unit = 16;

    private readonly Vector128<short>[] _colours = new Vector128<short>[256];
    private readonly short[] _strengths = new short[Flatness.Most + 1];
    private ulong[] _current = [], _next = []; // undivided sums of errors of the row above, four lanes a pixel, one pixel of margin
    private byte[] _flatness = [];
    private Vector128<short> _threshold, _limit;
    private int _busyCut;
    private bool _backwards;

    /// <summary>Prepares for the first row of an image.</summary>
    public void Begin(int width, Palette palette, PaletteSettings settings)
    {
        if (_flatness.Length < width)
        {
            _current = new ulong[width + 2];
            _next = new ulong[width + 2];
            _flatness = new byte[width];
        }

        _current.AsSpan(0, width + 2).Clear();
        for (int i = 0; i < palette.Count; i++)
        {
            _colours[i] = InSixteenths(palette.Working[i]);
        }

        for (int i = 0; i <= Flatness.Most; i++)
        {
            // Slightly less than all of it (15/16), so that an error dies out on a plain that no colour meets.
            _strengths[i] = (short)(
                short.MaxValue * settings.Dither * (15f / 16) * MathF.Pow(i / (float)Flatness.Most, settings.DitherDamping));
        }

        _threshold = Vector128.Create((short)(settings.DitherThreshold * Unit));
        _limit = Vector128.Create((short)(settings.DitherLimit * Unit));
        _busyCut = settings.DitherBusyCut;
        _backwards = false;
    }

    /// <summary>Dithers the next row.</summary>
    /// <param name="working">Its colours.</param>
    /// <param name="map">Finds indices.</param>
    /// <param name="above">Plain indices of the row above; of the first row itself.</param>
    /// <param name="plain">Plain indices of the row.</param>
    /// <param name="below">Plain indices of the row below; of the last row itself.</param>
    /// <param name="indices">Takes the indices.</param>
    public void Row(
        ReadOnlySpan<uint> working,
        PaletteMap map,
        ReadOnlySpan<byte> above,
        ReadOnlySpan<byte> plain,
        ReadOnlySpan<byte> below,
        Span<byte> indices)
    {
        int width = working.Length;
        plain.CopyTo(indices);
        Flatness.Count(above, plain, below, _flatness.AsSpan(0, width));
        if (_backwards)
        {
            Diffuse(working, map, indices, width - 1, -1);
        }
        else
        {
            Diffuse(working, map, indices, 0, 1);
        }

        _backwards = !_backwards;
        (_current, _next) = (_next, _current);
    }

    private void Diffuse(ReadOnlySpan<uint> working, PaletteMap map, Span<byte> indices, int start, int direction)
    {
        int width = working.Length;
        indices = indices[..width];
        var flatness = _flatness.AsSpan(0, width);
        var current = _current.AsSpan(1, width);
        var next = _next.AsSpan(0, width + 2);
        var seven = Vector128.Create((short)(7 << 11)); // 7/16 as a fraction of 2^15
        var zero = Vector128<short>.Zero;
        Vector128<short> carry = zero, behind = zero, under = zero; // to the next pixel; below the last pixel; below this pixel
        uint last = 0;
        byte index = 0;
        bool clean = false; // the last pixel left no error
        for (int x = start; (uint)x < (uint)width; x += direction)
        {
            uint colour = working[x];
            int flat = flatness[x];
            ulong up = current[x];
            ref ulong behindOut = ref next[x + 1 - direction];
            if (flat <= _busyCut || colour == PackedColour.Invisible)
            {
                carry = zero;
                clean = false;
                behindOut = Lanes(behind);
                behind = under;
                under = zero;
                continue;
            }

            if (clean && colour == last && up == 0)
            {
                indices[x] = index;
                behindOut = Lanes(behind);
                behind = under;
                under = zero;
                continue;
            }

            var strength = Vector128.Create(_strengths[flat]);
            var error = MultiplyFraction(carry, MultiplyFraction(strength, seven))
                + MultiplyFraction(Vector128.CreateScalar(up).AsInt16(), strength >> 4);
            error = Vector128.AndNot(error, Vector128.LessThan(Vector128.Abs(error), _threshold));
            var wanted = InSixteenths(colour) + error;
            index = map.Nearest(InBytes(wanted, colour));
            indices[x] = index;
            carry = Vector128.Min(Vector128.Max(wanted - _colours[index], -_limit), _limit);
            clean = carry == zero;
            last = colour;
            // 3, 5 and 1 sixteenths go behind, under and ahead of the pixel in the row below; 7 went to the next one above.
            var three = carry + carry + carry;
            behindOut = Lanes(behind + three);
            behind = under + three + carry + carry;
            under = carry;
        }

        next[direction > 0 ? width : 1] = Lanes(behind);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Lanes(Vector128<short> vector) => vector.AsUInt64().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> InSixteenths(uint working) =>
        Vector128.WidenLower(Vector128.CreateScalar(working).AsByte()).AsInt16() << 4;

    /// <summary>Back to a working colour; one that was opaque stays so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint InBytes(Vector128<short> wanted, uint colour)
    {
        uint bytes = Saturate(wanted + Vector128.Create((short)(Unit / 2)) >> 4);
        return colour >= PackedColour.Opaque ? bytes | PackedColour.Opaque : bytes >> 24 == 0 ? PackedColour.Invisible : bytes;
    }

    /// <summary>left × right / 2^15, rounded, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> MultiplyFraction(Vector128<short> left, Vector128<short> right)
    {
        if (Ssse3.IsSupported)
        {
            return Ssse3.MultiplyHighRoundScale(left, right);
        }

        if (AdvSimd.IsSupported)
        {
            return AdvSimd.MultiplyRoundedDoublingSaturateHigh(left, right);
        }

        var product = Vector128.WidenLower(left) * Vector128.WidenLower(right);
        return Vector128.Narrow(product + Vector128.Create(1 << 14) >> 15, Vector128<int>.Zero);
    }

    /// <summary>The four lanes clamped to bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Saturate(Vector128<short> lanes) =>
        Vector128
            .NarrowWithSaturation(Vector128.Max(lanes, Vector128<short>.Zero).AsUInt16(), Vector128<ushort>.Zero)
            .AsUInt32()
            .ToScalar();
}
