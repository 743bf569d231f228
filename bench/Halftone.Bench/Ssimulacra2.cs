using System.Numerics;

namespace Halftone.Bench;

/// <summary>
/// SSIMULACRA 2.1 (J. Sneyers, April 2023), from its published definition: 100 is equal, 90 hard to tell apart, 70 high quality, 50
/// medium. Six scales,
/// three channels of XYB, three error maps (structure, new edges, lost edges), two norms; the weights are those that were fitted to
/// people's votes.
/// </summary>
internal static class Ssimulacra2
{
    private const int Scales = 6, LeastSide = 8;

    private const float StructureConstant = 0.0009f;

    /// <summary>Standard deviation of the blur in pixels, and how far it is computed: beyond it the rest is 0.1 %.</summary>
    private const double Sigma = 1.5;

    private const int Radius = 5;

    // By channel, scale, norm, map, packed: a small picture has fewer scales, and its weights move up, as in the reference program. Not
    // listed is 0.
    private static readonly double[] Weights = MakeWeights();

    private static readonly float[] Kernel = MakeKernel();

    private static readonly float[] ToLinear =
        [.. Enumerable.Range(0, 256).Select(i => (float)(i <= 10 ? i / 255.0 / 12.92 : Math.Pow((i / 255.0 + 0.055) / 1.055, 2.4)))];

    /// <summary>Compares two pictures of 8-bit sRGB samples, three to a pixel, row by row.</summary>
    public static double Score(ReadOnlySpan<byte> original, ReadOnlySpan<byte> distorted, int width, int height)
    {
        var (a, b) = (Linear(original), Linear(distorted));
        double sum = 0;
        var scales = 0;
        for (var side = Math.Min(width, height); scales < Scales && side >= LeastSide; side = (side + 1) / 2)
        {
            scales++;
        }

        for (var scale = 0; scale < scales; scale++)
        {
            if (scale > 0)
            {
                (a, b) = (Half(a, width, height), Half(b, width, height));
                (width, height) = ((width + 1) / 2, (height + 1) / 2);
            }

            sum += Compare(Xyb(a), Xyb(b), width, height, scale, scales);
        }

        sum *= 0.9562382616834844;
        sum = 2.326765642916932 * sum - 0.020884521182843837 * sum * sum + 6.248496625763138e-05 * sum * sum * sum;
        return sum > 0 ? 100 - 10 * Math.Pow(sum, 0.6276336467831387) : 100;
    }

    private static float[][] Linear(ReadOnlySpan<byte> rgb)
    {
        var planes = Planes(rgb.Length / 3);
        for (var i = 0; i < rgb.Length; i++)
        {
            planes[i % 3][i / 3] = ToLinear[rgb[i]];
        }

        return planes;
    }

    private static float[][] Planes(int length) => [new float[length], new float[length], new float[length]];

    /// <summary>Means of 2 x 2 pixels; at an odd edge the last one counts twice.</summary>
    private static float[][] Half(float[][] planes, int width, int height)
    {
        int w = (width + 1) / 2, h = (height + 1) / 2;
        var halves = Planes(w * h);
        for (var c = 0; c < 3; c++)
        {
            for (var i = 0; i < w * h; i++)
            {
                int x = i % w * 2, y = i / w * 2, right = Math.Min(x + 1, width - 1), below = Math.Min(y + 1, height - 1);
                var plane = planes[c];
                halves[c][i] =
                    (plane[y * width + x] + plane[y * width + right] + plane[below * width + x] + plane[below * width + right]) / 4;
            }
        }

        return halves;
    }

    /// <summary>Linear RGB to the XYB of JPEG XL (ISO/IEC 18181-1, annex L), moved so that all three lie between 0 and 1.</summary>
    private static float[][] Xyb(float[][] rgb)
    {
        const float bias = 0.0037930732552754493f;
        var root = MathF.Cbrt(bias);
        var planes = Planes(rgb[0].Length);
        for (var i = 0; i < rgb[0].Length; i++)
        {
            float r = rgb[0][i], g = rgb[1][i], b = rgb[2][i];
            var l = MathF.Cbrt(Math.Max(0, 0.3f * r + 0.622f * g + 0.078f * b + bias)) - root;
            var m = MathF.Cbrt(Math.Max(0, 0.23f * r + 0.692f * g + 0.078f * b + bias)) - root;
            var s = MathF.Cbrt(Math.Max(0, 0.24342268924547819f * r + 0.20476744424496821f * g + 0.55180986650955360f * b + bias)) - root;
            float x = (l - m) / 2, y = (l + m) / 2;
            planes[0][i] = x * 14 + 0.42f;
            planes[1][i] = y + 0.01f;
            planes[2][i] = s - y + 0.55f;
        }

        return planes;
    }

    /// <summary>The weighted sum of one scale's errors.</summary>
    private static double Compare(float[][] a, float[][] b, int width, int height, int scale, int scales)
    {
        double sum = 0;
        Span<double> norms = stackalloc double[6];
        for (var c = 0; c < 3; c++)
        {
            norms.Clear();
            AddErrors(a[c], b[c], width, height, norms);
            for (var map = 0; map < 3; map++)
            {
                var at = (c * scales + scale) * 6 + map;
                sum += Weights[at] * norms[map] / a[c].Length + Weights[at + 3] * Math.Sqrt(Math.Sqrt(norms[map + 3] / a[c].Length));
            }
        }

        return sum;
    }

    /// <summary>Sums of structure, new and lost edges, then of their fourth powers.</summary>
    private static void AddErrors(float[] a, float[] b, int width, int height, Span<double> norms)
    {
        float[] meanA = Blur(a, width, height), meanB = Blur(b, width, height);
        float[] aa = Blur(Product(a, a), width, height), bb = Blur(Product(b, b), width, height), ab = Blur(Product(a, b), width, height);
        for (var i = 0; i < a.Length; i++)
        {
            float ma = meanA[i], mb = meanB[i];
            var luminance = 1 - (ma - mb) * (ma - mb);
            var structure = (2 * (ab[i] - ma * mb) + StructureConstant) / (aa[i] - ma * ma + (bb[i] - mb * mb) + StructureConstant);
            var edges = (1.0 + Math.Abs(b[i] - mb)) / (1.0 + Math.Abs(a[i] - ma)) - 1;
            Add(norms, 0, Math.Max(0, 1.0 - luminance * structure));
            Add(norms, 1, Math.Max(0, edges));
            Add(norms, 2, Math.Max(0, -edges));
        }
    }

    private static void Add(Span<double> norms, int map, double error)
    {
        norms[map] += error;
        norms[map + 3] += error * error * error * error;
    }

    private static float[] Product(float[] a, float[] b)
    {
        var product = new float[a.Length];
        for (var i = 0; i < a.Length; i++)
        {
            product[i] = a[i] * b[i];
        }

        return product;
    }

    /// <summary>Gaussian blur; beyond the edge there is nothing, as in the definition's recursive filter.</summary>
    private static float[] Blur(float[] plane, int width, int height)
    {
        var across = new float[plane.Length];
        for (var y = 0; y < height; y++)
        {
            AddTaps(plane.AsSpan(y * width, width), across.AsSpan(y * width, width));
        }

        var blurred = new float[plane.Length];
        for (var y = 0; y < height; y++)
        {
            var row = blurred.AsSpan(y * width, width);
            for (var tap = Math.Max(-Radius, -y); tap <= Math.Min(Radius, height - 1 - y); tap++)
            {
                AddScaled(across.AsSpan((y + tap) * width, width), Kernel[tap + Radius], row);
            }
        }

        return blurred;
    }

    private static void AddTaps(ReadOnlySpan<float> row, Span<float> target)
    {
        for (var tap = -Radius; tap <= Radius; tap++)
        {
            var from = Math.Max(0, -tap);
            var length = row.Length - Math.Abs(tap);
            if (length > 0)
            {
                AddScaled(row.Slice(Math.Max(0, tap), length), Kernel[tap + Radius], target.Slice(from, length));
            }
        }
    }

    private static void AddScaled(ReadOnlySpan<float> values, float factor, Span<float> target)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= values.Length; i += Vector<float>.Count)
        {
            (new Vector<float>(target[i..]) + new Vector<float>(values[i..]) * factor).CopyTo(target[i..]);
        }

        for (; i < values.Length; i++)
        {
            target[i] += values[i] * factor;
        }
    }

    private static float[] MakeKernel()
    {
        var weights = Enumerable.Range(-Radius, 2 * Radius + 1).Select(x => Math.Exp(-x * x / (2 * Sigma * Sigma))).ToArray();
        return [.. weights.Select(w => (float)(w / weights.Sum()))];
    }

    private static double[] MakeWeights()
    {
        var weights = new double[3 * Scales * 6];
        (int Place, double Weight)[] given =
        [
            (1, 0.0007376606707406586), (4, 0.0007793481682867309), (7, 0.0004371155730107379), (9, 1.1041726426657346),
            (10, 0.00066284834129271),
            (11, 0.00015231632783718752), (13, 0.0016406437456599754), (15, 1.8422455520539298), (16, 11.441172603757666),
            (18, 0.0007989109436015163),
            (19, 0.000176816438078653), (21, 1.8787594979546387), (22, 10.94906990605142), (24, 0.0007289346991508072),
            (25, 0.9677937080626833),
            (27, 0.00014003424285435884), (28, 0.9981766977854967), (29, 0.00031949755934435053), (30, 0.0004550992113792063),
            (33, 0.0013648766163243398),
            (39, 7.466890328078848), (41, 17.445833984131262), (42, 0.0006235601634041466), (45, 6.683678146179332),
            (46, 0.00037724407979611296),
            (47, 1.027889937768264), (48, 225.20515300849274), (51, 19.213238186143016), (52, 0.0011401524586618361),
            (53, 0.001237755635509985),
            (54, 176.39317598450694), (57, 24.43300999870476), (58, 0.28520802612117757), (59, 0.0004485436923833408),
            (63, 34.77906344483772),
            (64, 44.835625328877896), (73, 0.0008680556573291698), (79, 0.0005313191874358747), (81, 0.00016533814161379112),
            (87, 0.0004179171803251336),
            (88, 0.0017290828234722833), (90, 0.0020827005846636437), (93, 8.826982764996862), (94, 23.19243343998926),
            (96, 95.1080498811086),
            (97, 0.9863978034400682), (98, 0.9834382792465353), (99, 0.0012286405048278493), (100, 171.2667255897307),
            (101, 0.9807858872435379),
            (105, 0.0005130064588990679), (107, 0.00010854057858411537),
        ];
        foreach (var (place, weight) in given)
        {
            weights[place] = weight;
        }

        return weights;
    }
}
