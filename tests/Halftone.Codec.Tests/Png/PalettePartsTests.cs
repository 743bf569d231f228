using System.Runtime.Intrinsics;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Png;

public sealed class PalettePartsTests
{
    private static readonly PaletteSettings At50 = PaletteSettings.ForQuality(50);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Rows_of_any_kind_become_packed_colours(int bands)
    {
        var picture = Pictures.Noise(23, 3, bands);
        var buffer = new uint[23];
        for (int y = 0; y < 3; y++)
        {
            var row = picture.Grid().Straight(y, buffer);
            for (int x = 0; x < 23; x++)
            {
                var pixel = picture[x, y];
                uint expected = (uint)(pixel[0] | pixel[bands > 2 ? 1 : 0] << 8 | pixel[bands > 2 ? 2 : 0] << 16) | (uint)(bands is 2 or 4 ? pixel[^1] : 255) << 24;
                Assert.Equal(expected, row[x]);
            }
        }
    }

    [Fact]
    public void Up_to_256_colours_are_found_exactly_and_a_257th_is_refused()
    {
        Prop.ForAll(Gen.Choose(1, 300).ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (colours, seed) =>
        {
            var picture = Pictures.FewColours(40, 30, colours, seed);
            var expected = Straight(picture);
            var rows = new RowBuffers();
            rows.Grow(picture.Width);
            var exact = new ExactColours();
            bool few = exact.TryCollect(picture.Grid(), rows);
            if (!few)
            {
                return expected.Distinct().Count() > 256;
            }
            var indices = new byte[picture.Width];
            var found = new List<uint>();
            for (int y = 0; y < picture.Height; y++)
            {
                exact.Map(rows.Straight(picture.Grid(), y), indices);
                foreach (byte index in indices)
                {
                    found.Add(exact.Colours[index]);
                }
            }
            return found.SequenceEqual(expected) && exact.Count == expected.Distinct().Count();
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Histogram_counts_every_pixel_and_keeps_the_mean_of_all()
    {
        // Neighbours that are never near each other, so that each counts once.
        var picture = Pictures.Draw(90, 70, 4, (x, y, pixel) =>
        {
            pixel[0] = (byte)(x % 2 == 0 ? y : 255 - y);
            pixel[1] = (byte)x;
            pixel[2] = (byte)(x + y);
            pixel[3] = (byte)(x < 60 ? 255 : x);
        });
        var histogram = Count(picture);
        var cloud = new ColourCloud();

        histogram.FillInto(cloud);

        double count = 0;
        var sum = Vector256<double>.Zero;
        for (int i = 0; i < cloud.Count; i++)
        {
            count += cloud.Weights[i];
            sum += BoxSplitter.Doubles(cloud.Points[i]) * cloud.Weights[i];
        }
        Assert.Equal(90 * 70, count);
        Assert.Equal(90 * 70, histogram.Counted);
        var expected = Straight(picture).Select(PackedColour.ToWorking).Aggregate(Vector256<double>.Zero, (total, colour) => total + BoxSplitter.Doubles(PackedColour.Coordinates(colour)));
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(expected[i] / count, sum[i] / count, 0.01);
        }
    }

    [Fact]
    public void A_histogram_forgets_the_image_before()
    {
        var histogram = Count(Pictures.Noise(50, 50, 4));
        var rows = new RowBuffers();
        rows.Grow(8);
        histogram.Count(Pictures.Draw(8, 8, 3, (_, _, pixel) => pixel.Fill(7)).Grid(), rows);
        var cloud = new ColourCloud();

        histogram.FillInto(cloud);

        Assert.Equal((1, false, 64L), (cloud.Count, histogram.HasAlpha, histogram.Counted));
    }

    [Fact]
    public void Search_finds_a_colour_that_none_is_nearer_than()
    {
        var random = new Random(11);
        var search = new ColourSearch();
        foreach (int count in (int[])[1, 2, 7, 8, 9, 100, 255, 256])
        {
            Vector128<float>[] points = [.. Enumerable.Range(0, count).Select(_ => Point(random))];
            search.Set(points);
            for (int i = 0; i < 200; i++)
            {
                var wanted = Point(random);
                int found = search.Nearest(wanted, out float distance);
                Assert.InRange(found, 0, count - 1);
                Assert.Equal(search.Distance(wanted, found), distance, distance * 1e-4f);
                Assert.All(points, point => Assert.True(Vector128.Dot(point - wanted, point - wanted) >= distance * 0.9999f));
            }
        }
    }

    [Fact]
    public void Fewer_colours_than_allowed_mean_that_the_error_met_the_target()
    {
        foreach (int q in (int[])[1, 10, 25, 50, 75, 90])
        {
            var settings = PaletteSettings.ForQuality(q);
            foreach (var picture in (Picture[])[Pictures.Photograph(200, 150), Pictures.CutOut(150, 150), Pictures.Graphic(120, 120), Pictures.Noise(64, 64, 4)])
            {
                var fitter = new PaletteFitter();
                var palette = new Palette();
                fitter.Fit(Count(picture), settings, palette);

                Assert.InRange(palette.Count, 1, 256);
                Assert.True(palette.Count == 256 || fitter.MeanSquaredError <= settings.TargetMse * 1.15, $"q {q}: {palette.Count} colours, error {fitter.MeanSquaredError}");
            }
        }
    }

    [Fact]
    public void More_quality_takes_more_colours_and_leaves_less_error()
    {
        var histogram = Count(Pictures.Photograph(300, 200));
        int colours = 0;
        double error = double.MaxValue;
        foreach (int q in (int[])[1, 20, 40, 60, 80])
        {
            var fitter = new PaletteFitter();
            var palette = new Palette();
            fitter.Fit(histogram, PaletteSettings.ForQuality(q), palette);
            Assert.True(palette.Count > colours && fitter.MeanSquaredError < error);
            (colours, error) = (palette.Count, fitter.MeanSquaredError);
        }
    }

    [Fact]
    public void Colours_of_long_runs_are_in_the_palette_exactly_and_found_by_the_map()
    {
        // Three grounds two steps apart, so that a rounded search would mix them up.
        var picture = Pictures.Draw(300, 300, 3, (x, y, pixel) =>
        {
            if (y < 180)
            {
                pixel.Fill((byte)(201 + y / 60 * 2));
            }
            else
            {
                new Random(x * 1000 + y).NextBytes(pixel);
            }
        });
        var palette = new Palette();
        var exact = new PaletteFitter().Fit(Count(picture), At50, palette);
        var map = new PaletteMap();
        map.Set(palette, exact);
        var indices = new byte[300];
        var rows = new RowBuffers();
        rows.Grow(300);
        foreach (int y in (int[])[0, 60, 120])
        {
            var row = rows.Working(picture.Grid(), y, out _);
            Assert.Contains(row[0], palette.Straight.ToArray());
        }
        map.MapRow(rows.Working(picture.Grid(), 10, out _), default, indices, At50.Slack);
        Assert.All(indices, index => Assert.Equal(0xFFC9C9C9u, palette.Straight[index]));
    }

    [Fact]
    public void A_palette_holds_each_colour_once_with_the_translucent_first()
    {
        var palette = new Palette();
        palette.Set([.. new uint[] { 0xFF102030, 0x80808080, 0xFF102030, 0xFFFFFFFF, PackedColour.Invisible }.Select(PackedColour.Coordinates)]);

        Assert.Equal(4, palette.Count);
        Assert.Equal([0u, 0x80808080, 0xFF102030, 0xFFFFFFFF], palette.Straight.ToArray());
    }

    [Fact]
    public void The_map_gives_an_entry_nearly_as_good_as_the_best()
    {
        var picture = Pictures.CutOut(120, 90);
        var palette = new Palette();
        var exact = new PaletteFitter().Fit(Count(picture), At50, palette);
        var map = new PaletteMap();
        map.Set(palette, exact);
        foreach (uint colour in Straight(picture).Select(PackedColour.ToWorking))
        {
            var point = PackedColour.Coordinates(colour);
            double found = Distance(point, palette.Working[map.Nearest(colour)]);
            double best = palette.Working.ToArray().Min(entry => Distance(point, entry));
            Assert.InRange(Math.Sqrt(found), 0, Math.Sqrt(best) + 2 * 4); // a cell's middle is at most 2 steps from its colours, luma weighs 1.8
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 9)]
    [InlineData(9, 1)]
    [InlineData(131, 7)]
    public void Flatness_is_the_number_of_equal_neighbours(int width, int height)
    {
        var indices = new byte[height][];
        var random = new Random(width);
        for (int y = 0; y < height; y++)
        {
            indices[y] = [.. Enumerable.Range(0, width).Select(_ => (byte)random.Next(2))];
        }
        var counts = new byte[width];
        for (int y = 0; y < height; y++)
        {
            Flatness.Count(indices[Math.Max(0, y - 1)], indices[y], indices[Math.Min(y + 1, height - 1)], counts);
            for (int x = 0; x < width; x++)
            {
                int expected = new[] { (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1) }
                    .Count(at => at.Item1 < 0 || at.Item1 >= width || at.Item2 < 0 || at.Item2 >= height || indices[at.Item2][at.Item1] == indices[y][x]);
                Assert.Equal(expected, counts[x]);
            }
        }
    }

    [Fact]
    public void Dithering_brings_the_mean_of_a_plain_between_two_colours_nearer_to_it()
    {
        const int Width = 64, Height = 64, Wanted = 108;
        var palette = new Palette();
        palette.Set([PackedColour.Coordinates(100, 100, 100, 255), PackedColour.Coordinates(120, 120, 120, 255)]);
        var map = new PaletteMap();
        map.Set(palette, []);
        var settings = At50 with { Dither = 1, DitherDamping = 0 };
        var dither = new Dither();
        dither.Begin(Width, palette, settings);
        uint[] row = [.. Enumerable.Repeat(PackedColour.Opaque | Wanted * 0x010101u, Width)];
        var plain = new byte[Width];
        var indices = new byte[Width];
        map.MapRow(row, default, plain, settings.Slack);
        double sum = 0;
        for (int y = 0; y < Height; y++)
        {
            dither.Row(row, map, plain, plain, plain, indices);
            sum += indices.Sum(index => palette.Straight[index] & 255);
        }
        Assert.All(plain, index => Assert.Equal(0, index));
        Assert.Equal(Wanted, sum / (Width * Height), 2.0);
    }

    [Fact]
    public void Where_every_neighbour_differs_nothing_is_dithered()
    {
        var palette = new Palette();
        palette.Set([PackedColour.Coordinates(100, 100, 100, 255), PackedColour.Coordinates(140, 140, 140, 255)]);
        var map = new PaletteMap();
        map.Set(palette, []);
        var dither = new Dither();
        dither.Begin(32, palette, At50);
        uint[] row = [.. Enumerable.Range(0, 32).Select(x => PackedColour.Opaque | (x % 2 == 0 ? 0x6D6D6Du : 0x838383u))];
        byte[] plain = [.. Enumerable.Range(0, 32).Select(x => (byte)(x % 2))], flipped = [.. plain.Select(index => (byte)(1 - index))];
        var indices = new byte[32];
        for (int y = 0; y < 4; y++)
        {
            dither.Row(row, map, flipped, plain, flipped, indices);
            Assert.Equal(plain[1..^1], indices[1..^1]);
        }
    }

    private static Histogram Count(Picture picture)
    {
        var rows = new RowBuffers();
        rows.Grow(picture.Width);
        var histogram = new Histogram();
        histogram.Count(picture.Grid(), rows);
        return histogram;
    }

    /// <summary>All pixels, packed; a fully transparent one is 0.</summary>
    private static List<uint> Straight(Picture picture)
    {
        var result = new List<uint>();
        var buffer = new uint[picture.Width];
        for (int y = 0; y < picture.Height; y++)
        {
            foreach (uint colour in picture.Grid().Straight(y, buffer))
            {
                result.Add(colour >> 24 == 0 ? 0 : colour);
            }
        }
        return result;
    }

    private static Vector128<float> Point(Random random) =>
        PackedColour.Coordinates(random.Next(256), random.Next(256), random.Next(256), random.Next(256));

    private static double Distance(Vector128<float> point, uint entry)
    {
        var difference = point - PackedColour.Coordinates(entry);
        return Vector128.Dot(difference, difference);
    }
}
