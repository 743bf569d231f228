using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Halftone.Codec;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Png;
using Halftone.Codec.Vips;

namespace Halftone.Bench;

/// <summary>The steps of both codecs, one by one, on one file each: where the time of an image goes.</summary>
internal static class CodecParts
{
    public static int Run(string jpeg, string png)
    {
        (JpegParts.Path, PngParts.Path) = (jpeg, png);
        // In this process: the benchmarks look at internal types, and the files are named here.
        var job = Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance);
        var config = DefaultConfig.Instance.AddJob(job).WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(System.IO.Path.Combine(System.IO.Path.GetTempPath(), "halftone-bench-parts"));
        BenchmarkRunner.Run([typeof(JpegParts), typeof(PngParts)], config);
        return 0;
    }
}

/// <summary>JPEG to JPEG in the DCT domain. Each step works on what the one before it left, made once before the measurement.</summary>
[MemoryDiagnoser]
public sealed class JpegParts : IDisposable
{
    private const int Q = 50;
    private readonly JpegWorkspace workspace = new();
    private byte[] source = [];
    private JpegFrame frame = null!;
    private OutputLayout layout = null!;

    internal static string Path { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        source = File.ReadAllBytes(Path);
        if (!Decode())
        {
            throw new InvalidOperationException($"{Path} is not a baseline JPEG of one scan.");
        }

        for (var c = 0; c < frame.Components.Length; c++)
        {
            var component = frame.Components[c];
            var wanted = PerceptualSteps.Steps(Q, isChroma: c > 0, isFine: false);
            workspace.Requantizers[c].Prepare(component.Steps, wanted, isChroma: c > 0);
            OptimisedEncoder.Prepare(workspace.Requantizers[c], wanted, isChroma: c > 0);
        }

        layout = OutputLayout.Of(frame, mergeFinerChroma: true) ?? throw new InvalidOperationException($"{Path} has an unusual sampling.");
        for (var c = 1; layout.Merges && c < frame.Components.Length; c++)
        {
            workspace.Merges[c].Prepare(frame.Components[c].Steps, workspace.Requantizers[c].OutputSteps, layout);
        }

        Choose();
        OptimalTables();
        ImageCodec.Initialize();
    }

    [GlobalCleanup]
    public void Dispose() => workspace.Dispose();

    /// <summary>Markers, tables, metadata.</summary>
    [Benchmark]
    public int ReadHeader() => Header().DataStart;

    /// <summary>Takes the stuffed zero bytes out of the scan.</summary>
    [Benchmark]
    public int ReadScanData() => workspace.Data.Read(source, Header().DataStart, hasRestarts: false);

    /// <summary>Header, scan data and every coefficient, none merged away.</summary>
    [Benchmark]
    public bool Decode()
    {
        var header = Header();
        frame = header.Frame;
        foreach (var component in frame.Components)
        {
            component.Steps = header.Tables.Steps[component.TableIndex]!;
        }

        workspace.Lookups.Reset();
        if (frame.IsProgressive || !workspace.Lookups.Prepare(header.FirstScan, header.Tables, isProgressive: false))
        {
            return false;
        }

        workspace.Data.Read(source, header.DataStart, header.Tables.RestartInterval > 0);
        for (var c = 0; c < frame.Components.Length; c++)
        {
            workspace.Planes[c].Reset(frame.Components[c].PaddedWide, frame.Components[c].PaddedHigh);
        }

        var scan = new SequentialScan(workspace.Data, workspace.Lookups, header.FirstScan, frame, header.Tables.RestartInterval, [1, 1, 1]);
        return scan.Begin() is null && scan.ReadRows(workspace.Planes, 0, scan.Rows) is null;
    }

    /// <summary>Coefficients to tokens by plain rounding, as <see cref="JpegStyle.Classic"/> does.</summary>
    [Benchmark]
    public bool Round() => Encode(new PlaneEncoder(workspace.Baseline, frame, layout, workspace.Requantizers, workspace.Merges));

    /// <summary>Coefficients to the tokens of a progressive output, levels chosen by rate and distortion.</summary>
    [Benchmark]
    public bool Choose() =>
        Encode(new OptimisedEncoder(workspace.Progressive, frame, layout, workspace.Requantizers, workspace.Merges, isLossless: false));

    /// <summary>Optimal Huffman tables from the tokens' counts.</summary>
    [Benchmark]
    public long OptimalTables() => workspace.Progressive.Prepare();

    /// <summary>Tokens to bits.</summary>
    [Benchmark]
    public int WriteBits()
    {
        workspace.Output.Clear();
        workspace.Progressive.Write(workspace.Output, workspace.Writer, frame, layout, workspace.Requantizers);
        return workspace.Output.Length;
    }

    /// <summary>All of it, as an image has it.</summary>
    [Benchmark]
    public CodecResult Whole() => ImageCodec.Compress(source, new CodecRequest { Q = Q });

    /// <summary>The same file decoded to pixels and encoded by libvips.</summary>
    [Benchmark]
    public CodecResult LibVips() =>
        VipsTranscoder.Transcode(
            source, new SourceFacts { Format = ImageFormat.Jpeg }, ImageFormat.Jpeg, new CodecRequest { Q = Q }, out _);

    private bool Encode(IPlaneEncoder encoder) =>
        encoder.EncodeRows(workspace.Planes, 0, 0, layout.McusHigh(frame)) is null && encoder.End() is null;

    private JpegHeader Header() =>
        JpegHeader.Read(source, long.MaxValue, out _) ?? throw new InvalidOperationException($"{Path} is not for the DCT domain.");
}

/// <summary>PNG to palette PNG. Each step works on what the one before it left, made once before the measurement.</summary>
[MemoryDiagnoser]
public sealed class PngParts
{
    private static readonly PaletteSettings Settings = PaletteSettings.ForQuality(50);
    private readonly Histogram histogram = new();
    private readonly PaletteFitter fitter = new();
    private readonly Palette palette = new();
    private readonly PaletteMap map = new();
    private readonly Dither dither = new();
    private readonly RowBuffers rows = new();
    private byte[] source = [];
    private byte[] pixels = [];
    private byte[][] plain = [];
    private byte[][] dithered = [];
    private int width;
    private int height;
    private int bands;

    internal static string Path { get; set; } = "";

    private PixelGrid Grid => new(pixels, width, height, bands);

    [GlobalSetup]
    public void Prepare()
    {
        source = File.ReadAllBytes(Path);
        ImageCodec.Initialize();
        DecodeByLibVips();
        rows.Grow(width);
        (plain, dithered) =
            ([.. Enumerable.Range(0, height).Select(_ => new byte[width])], [.. Enumerable.Range(0, height).Select(_ => new byte[width])]);
        CountColours();
        map.Set(palette, fitter.Fit(histogram, Settings, palette));
        Map();
        Diffuse();
    }

    /// <summary>The file to pixels.</summary>
    [Benchmark]
    public int DecodeByLibVips()
    {
        using var pinned = source.AsMemory().Pin();
        using var pipeline = new VipsPipeline(VipsTranscoder.Open(pinned, source.Length, ImageFormat.Png, ImageFormat.Png));
        ColourPolicy.Apply(pipeline, new SourceFacts { Format = ImageFormat.Png }, ImageFormat.Png);
        (width, height, bands) = (pipeline.Image.Width, pipeline.Image.Height, pipeline.Image.Bands);
        using var blob = pipeline.Image.Pixels();
        if (pixels.Length == 0)
        {
            pixels = blob.Bytes.ToArray();
        }

        return blob.Bytes.Length;
    }

    /// <summary>The histogram and the long runs.</summary>
    [Benchmark]
    public long CountColours()
    {
        histogram.Count(Grid, rows);
        return histogram.Counted;
    }

    /// <summary>The histogram again, because fitting takes from it, then splits and k-means.</summary>
    [Benchmark]
    public int CountAndFit()
    {
        histogram.Count(Grid, rows);
        fitter.Fit(histogram, Settings, palette);
        return palette.Count;
    }

    /// <summary>Every pixel to its nearest entry, without dithering.</summary>
    [Benchmark]
    public void Map()
    {
        var grid = Grid;
        for (var y = 0; y < height; y++)
        {
            map.MapRow(rows.Working(grid, y, out _), y == 0 ? default : plain[y - 1], plain[y], Settings.Slack);
        }
    }

    /// <summary>Error diffusion over the mapped rows.</summary>
    [Benchmark]
    public void Diffuse()
    {
        var grid = Grid;
        dither.Begin(width, palette, Settings);
        for (var y = 0; y < height; y++)
        {
            dither.Row(
                rows.Working(grid, y, out _), map, plain[Math.Max(0, y - 1)], plain[y], plain[Math.Min(y + 1, height - 1)], dithered[y]);
        }
    }

    /// <summary>Indices to a PNG file.</summary>
    [Benchmark]
    public int Write()
    {
        using var writer = new PngWriter(width, height, palette.Straight, default, Settings.DeflateLevel);
        foreach (var row in dithered)
        {
            writer.WriteRow(row);
        }

        return writer.Finish().Length;
    }

    /// <summary>All of it, as an image has it.</summary>
    [Benchmark]
    public CodecResult Whole() => ImageCodec.Compress(source, new CodecRequest { Q = 50 });
}
