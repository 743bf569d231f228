namespace Halftone.Codec.Png;

/// <summary>
/// The door of this folder: decoded pixels in, a palette PNG out. One pass counts colours, a palette is fitted to them, a second pass maps,
/// dithers and writes row by row, so that beside the pixels it needs a few rows, eight megabytes of tables and the output.
/// Not thread-safe: one instance a worker, which keeps its tables from image to image.
/// </summary>
internal sealed class PaletteEncoder
{
    private readonly ExactColours _exactColours = new();
    private readonly Histogram _histogram = new();
    private readonly PaletteFitter _fitter = new();
    private readonly Palette _palette = new();
    private readonly PaletteMap _map = new();
    private readonly Dither _dither = new();
    private readonly RowBuffers[] _rows = [new(), new()];
    private readonly byte[][] _plain = [[], [], []];
    private byte[] _indices = [];

    [ThreadStatic]
    private static PaletteEncoder? _ofThisThread;

    /// <summary>The one that belongs to the thread that asks.</summary>
    public static PaletteEncoder OfThisThread => _ofThisThread ??= new PaletteEncoder();

    /// <summary>Encodes. There is no image it refuses.</summary>
    /// <param name="pixels">The image, in sRGB or in the colours of <paramref name="iccProfile"/>.</param>
    /// <param name="settings">How far to reduce it: <see cref="PaletteSettings.ForQuality"/>.</param>
    /// <param name="iccProfile">An RGB profile to embed, or empty.</param>
    /// <param name="sourceBytes">Length of the source file: a lossless palette is kept when it is small beside it.</param>
    /// <returns>A whole PNG file.</returns>
    /// <exception cref="ArgumentException">The profile is not of RGB, which a palette PNG must have (11.3.2.3).</exception>
    public ReadOnlyMemory<byte> Encode(PixelGrid pixels, PaletteSettings settings, ReadOnlySpan<byte> iccProfile, long sourceBytes)
    {
        if (!iccProfile.IsEmpty && !IsRgbProfile(iccProfile))
        {
            throw new ArgumentException("A palette PNG takes an RGB profile only", nameof(iccProfile));
        }

        Grow(pixels.Width);
        if (!_exactColours.TryCollect(pixels, _rows[0]))
        {
            return EncodeReduced(pixels, settings, iccProfile);
        }

        var lossless = EncodeExact(pixels, settings, iccProfile);
        if (_exactColours.Count <= settings.LosslessColours || lossless.Length <= sourceBytes * settings.LosslessShare)
        {
            return lossless;
        }

        // A grey photograph or a dithered palette: it has few colours, but does not shrink without loss.
        var reduced = EncodeReduced(pixels, settings, iccProfile);
        return lossless.Length <= reduced.Length ? lossless : reduced;
    }

    /// <summary>Whether an ICC profile is of RGB (ICC.1:2022, 7.2.6: bytes 16 to 19 of the header).</summary>
    public static bool IsRgbProfile(ReadOnlySpan<byte> profile) => profile.Length > 128 && profile[16..20].SequenceEqual("RGB "u8);

    private ReadOnlyMemory<byte> EncodeExact(PixelGrid pixels, PaletteSettings settings, ReadOnlySpan<byte> iccProfile)
    {
        using var writer = new PngWriter(
            pixels.Width,
            pixels.Height,
            _exactColours.Colours,
            iccProfile,
            Level(settings, pixels.Pixels, _exactColours.RunCount));
        var indices = _indices.AsSpan(0, pixels.Width);
        for (int y = 0; y < pixels.Height; y++)
        {
            _exactColours.Map(_rows[0].Straight(pixels, y), indices);
            writer.WriteRow(indices);
        }

        return writer.Finish();
    }

    private ReadOnlyMemory<byte> EncodeReduced(PixelGrid pixels, PaletteSettings settings, ReadOnlySpan<byte> iccProfile)
    {
        _histogram.Count(pixels, _rows[0]);
        var exact = _fitter.Fit(_histogram, settings, _palette);
        _map.Set(_palette, exact);
        _dither.Begin(pixels.Width, _palette, settings);
        using var writer = new PngWriter(
            pixels.Width,
            pixels.Height,
            _palette.Straight,
            iccProfile,
            Level(settings, _histogram.Counted, _histogram.RunCount));
        WriteReduced(pixels, settings, writer);
        return writer.Finish();
    }

    private static int Level(PaletteSettings settings, long pixels, long runs) =>
        pixels >= runs * settings.DrawingRunPixels ? settings.DeflateLevelOfDrawings : settings.DeflateLevel;

    /// <summary>Dithering looks one row ahead: while row y is dithered, row y + 1 is already mapped.</summary>
    private void WriteReduced(PixelGrid pixels, PaletteSettings settings, PngWriter writer)
    {
        int width = pixels.Width, lastRow = pixels.Height - 1;
        var indices = _indices.AsSpan(0, width);
        var ahead = MapPlain(pixels, 0, settings);
        for (int y = 0; y <= lastRow; y++)
        {
            var working = ahead;
            if (y < lastRow)
            {
                ahead = MapPlain(pixels, y + 1, settings);
            }

            if (settings.Dither > 0)
            {
                _dither.Row(
                    working,
                    _map,
                    Plain(Math.Max(0, y - 1), width),
                    Plain(y, width),
                    Plain(Math.Min(y + 1, lastRow), width),
                    indices);
                writer.WriteRow(indices);
            }
            else
            {
                writer.WriteRow(Plain(y, width));
            }
        }
    }

    /// <summary>Reads a row and maps it without dithering; returns its colours, good until the row after the next is mapped.</summary>
    private ReadOnlySpan<uint> MapPlain(PixelGrid pixels, int y, PaletteSettings settings)
    {
        var working = _rows[y & 1].Working(pixels, y, out _);
        _map.MapRow(working, y == 0 ? default : Plain(y - 1, pixels.Width), Plain(y, pixels.Width), settings.Slack);
        return working;
    }

    private Span<byte> Plain(int y, int width) => _plain[y % 3].AsSpan(0, width);

    private void Grow(int width)
    {
        foreach (var rows in _rows)
        {
            rows.Grow(width);
        }

        if (_indices.Length < width)
        {
            _indices = new byte[width];
            for (int i = 0; i < _plain.Length; i++)
            {
                _plain[i] = new byte[width];
            }
        }
    }
}
