using Halftone.Codec;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Vips;
using Halftone.Codec.Webp;

namespace Halftone.Bench;

/// <summary>
/// Compresses every lossy WebP of a folder, or every JPEG of one without any, to WebP as the service does, and beside it by libwebp at an
/// effort, turn by turn in the same run. Both are compared
/// with the source in its own planes, at three qualities each, so that bytes can be read off at equal luma PSNR.
/// </summary>
internal static class WebpBench
{
    private const int Step = 8;

    public static int Run(string folder, string[] options)
    {
        int rounds = Report.Number(options, "--rounds", 3), q = Report.Number(options, "--q", 50),
            effort = Report.Number(options, "--effort", 3);
        var kind = Directory.GetFiles(folder, "*.webp").Length > 0 ? "WebP" : "JPEG";
        var bodies = Directory.GetFiles(folder, kind == "WebP" ? "*.webp"
            : "*.jp*g").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        var files = bodies.Where(body => Ours(body, q).Way == CodecWay.Planes).ToArray();
        if (files.Length == 0)
        {
            Console.Error.WriteLine($"no lossy *.webp and no *.jpg in {folder}");
            return 1;
        }

        Report.Head($"{kind} to WebP at quality {q}, beside libwebp at effort {effort}",
            $"webp {Path.GetFileName(folder)} --q {q} --effort {effort} --rounds {rounds}", ImageCodec.Initialize());
        Report.Line($"{files.Length} of {bodies.Length} files took our own way.");
        Console.WriteLine();
        PrintTimes(files, q, effort, rounds);
        PrintQuality(files, q, effort);
        return 0;
    }

    private static CodecResult.Compressed Ours(byte[] body, int q) =>
        (CodecResult.Compressed)ImageCodec.Compress(body, new CodecRequest { Q = q, Format = ImageFormat.Webp });

    private static ReadOnlyMemory<byte> Libwebp(byte[] body, int q, int effort) =>
        ((CodecResult.Compressed)VipsTranscoder.Transcode(
            body, SourceFacts.Read(body, SourceSniffer.Sniff(body).Format!.Value), ImageFormat.Webp,
            new CodecRequest { Q = q, WebpEffort = effort }, out _)).Body;

    private static void PrintTimes(byte[][] files, int q, int effort, int rounds)
    {
        for (var i = 0; i < 4; i++)
        {
            Array.ForEach(files, file => Ours(file, q)); // until the inner loops are compiled
        }

        double[] ours = new double[rounds], theirs = new double[rounds];
        for (var round = 0; round < rounds; round++)
        {
            ours[round] = Report.CpuMilliseconds(() => Array.ForEach(files, file => Ours(file, q))) / files.Length;
            theirs[round] = Report.CpuMilliseconds(() => Array.ForEach(files, file => Libwebp(file, q, effort))) / files.Length;
        }

        Console.WriteLine("| CPU-ms by image | median | least | most |");
        Console.WriteLine("| --- | --- | --- | --- |");
        Report.Line($"| ours | {Report.Median(ours):F1} | {ours.Min():F1} | {ours.Max():F1} |");
        Report.Line($"| libwebp | {Report.Median(theirs):F1} | {theirs.Min():F1} | {theirs.Max():F1} |");
        Report.Line($"| ratio | {Report.Median(ours.Zip(theirs, (a, b) => a / b)):F3} | | |");
        Console.WriteLine();
    }

    private static void PrintQuality(byte[][] files, int q, int effort)
    {
        int[] qualities = [Math.Max(1, q - Step), q, Math.Min(100, q + Step)];
        using var reference = new Picture();
        using var output = new Picture();
        List<double> atEqualPsnr = [], atEqualSsim = [], bytes = [], luma = [], u = [], v = [], ssim = [];
        foreach (var file in files)
        {
            reference.Read(file);
            Point[] ours = [.. qualities.Select(quality => Measure(Ours(file, quality).Body))];
            Point[] theirs = [.. qualities.Select(quality => Measure(Libwebp(file, quality, effort)))];
            bytes.Add((double)ours[1].Bytes / theirs[1].Bytes);
            luma.Add(ours[1].Luma - theirs[1].Luma);
            u.Add(ours[1].U - theirs[1].U);
            v.Add(ours[1].V - theirs[1].V);
            ssim.Add(ours[1].Ssim - theirs[1].Ssim);
            Add(atEqualPsnr, ours, theirs[1], point => point.Luma);
            Add(atEqualSsim, ours, theirs[1], point => point.Ssim);
        }

        Report.Line($"| against libwebp | mean | median | least | most |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        PrintRatios("bytes at equal luma PSNR", atEqualPsnr);
        PrintRatios("bytes at equal luma SSIM", atEqualSsim);
        PrintRatios("bytes at equal quality number", bytes);
        foreach (var (name, values) in ((string, List<double>)[])[("luma PSNR, dB", luma), ("U PSNR, dB", u), ("V PSNR, dB", v),
            ("luma SSIM", ssim)])
        {
            string mean = Signed(
                values.Average()), median = Signed(Report.Median(values)), least = Signed(values.Min()), most = Signed(values.Max());
            Report.Line($"| {name} | {mean} | {median} | {least} | {most} |");
        }

        Point Measure(ReadOnlyMemory<byte> file)
        {
            output.Read(file.ToArray());
            return reference.Compare(output, file.Length);
        }
    }

    /// <summary>The bytes by which ours would be as good, between two of its points or beyond them, by their logarithm.</summary>
    private static void Add(List<double> ratios, Point[] ours, Point theirs, Func<Point, double> measure)
    {
        var wanted = measure(theirs);
        var (low, high) = wanted < measure(ours[1]) ? (ours[0], ours[1]) : (ours[1], ours[2]);
        var range = measure(high) - measure(low);
        if (range > 0.00001 && high.Bytes > low.Bytes)
        {
            var part = Math.Clamp((wanted - measure(low)) / range, -1, 2);
            ratios.Add(Math.Exp(Math.Log(low.Bytes) + part * Math.Log((double)high.Bytes / low.Bytes)) / theirs.Bytes);
        }
    }

    private static void PrintRatios(string name, List<double> ratios)
    {
        double mean = Math.Exp(ratios.Average(Math.Log)), median = Report.Median(ratios);
        Report.Line($"| {name} ({ratios.Count} files) | {mean:F3} × | {median:F3} × | {ratios.Min():F3} × | {ratios.Max():F3} × |");
    }

    private static string Signed(double value) => value.ToString("+0.0000;-0.0000", System.Globalization.CultureInfo.InvariantCulture);

    private readonly record struct Point(int Bytes, double Luma, double U, double V, double Ssim);

    /// <summary>
    /// A file's planes: of WebP, libwebp's, bit for bit (Vp8DecoderTests), of a JPEG, what its own become in the range of VP8.
    /// </summary>
    private sealed class Picture : IDisposable
    {
        private readonly Vp8Decoder decoder = new();
        private readonly Planes planes = new();

        private readonly JpegWorkspace workspace = new();

        private int Width { get; set; }

        private int Height { get; set; }

        public void Read(byte[] body)
        {
            if (JpegHeader.Read(body, long.MaxValue, out _) is { } jpeg)
            {
                (Width, Height) = (jpeg.Frame.WidthPixels, jpeg.Frame.HeightPixels);
                var samples = JpegSamples.For(jpeg.Frame, planes)!;
                if (new JpegCoefficients(workspace, jpeg, samples).Read(body) is not null)
                {
                    throw new InvalidOperationException("not a JPEG of whole scans");
                }

                samples.Finish();
                return;
            }

            if (WebpFile.Read(body, out var file) is not null || !decoder.Header.ReadSize(file.Frame)
                || !decoder.Decode(file.Frame, planes))
            {
                throw new InvalidOperationException("not a lossy WebP");
            }

            (Width, Height) = (decoder.Header.WidthPixels, decoder.Header.HeightPixels);
        }

        public Point Compare(Picture output, int bytes)
        {
            int chromaWide = (Width + 1) / 2, chromaHigh = (Height + 1) / 2;
            return new Point(
                bytes,
                Samples.Psnr(planes.Luma, output.planes.Luma, planes.LumaStride, Width, Height),
                Samples.Psnr(planes.U, output.planes.U, planes.ChromaStride, chromaWide, chromaHigh),
                Samples.Psnr(planes.V, output.planes.V, planes.ChromaStride, chromaWide, chromaHigh),
                Samples.Ssim(planes.Luma, output.planes.Luma, planes.LumaStride, Width, Height));
        }

        public void Dispose()
        {
            decoder.Dispose();
            workspace.Dispose();
            planes.Dispose();
        }
    }
}
