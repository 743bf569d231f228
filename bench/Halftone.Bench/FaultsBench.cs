using System.Globalization;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Bench;

/// <summary>What an image costs the kernel in a codec child: page faults and processor time per image, by format, and the child's memory after it.</summary>
internal static class FaultsBench
{
    private const int WarmUps = 10;

    /// <param name="folder">Images of any format that is read; those of one extension are measured together.</param>
    /// <param name="images">Images of each format, after ten that are not counted.</param>
    public static async Task<int> RunAsync(string folder, int images)
    {
        Console.WriteLine("| format | images | minor faults an image | user ms | system ms | resident MiB after |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var format in Directory.EnumerateFiles(folder).GroupBy(file => Path.GetExtension(file).TrimStart('.')).OrderBy(group => group.Key))
        {
            var files = format.Select(File.ReadAllBytes).ToArray();
            using var pool = new CodecPool(
                Options.Create(new CompressOptions { Children = 1 }),
                Options.Create(new ServerOptions()),
                TimeProvider.System,
                NullLogger<CodecPool>.Instance);
            await pool.StartAsync(CancellationToken.None);
            await CompressAsync(pool, files, WarmUps);
            var child = pool.Children.Single();
            var before = Usage(child);
            await CompressAsync(pool, files, images);
            var after = Usage(child);
            var row = string.Create(
                CultureInfo.InvariantCulture,
                $"| {format.Key} | {images} | {(after.Faults - before.Faults) / (double)images:F1} | {Milliseconds(after.User - before.User, images):F1} | {Milliseconds(after.System - before.System, images):F1} | {pool.ResidentBytes >> 20} |");
            Console.WriteLine(row);
            await pool.StopAsync(CancellationToken.None);
        }

        return 0;
    }

    private static async Task CompressAsync(CodecPool pool, byte[][] files, int images)
    {
        for (var index = 0; index < images; index++)
        {
            await pool.CompressAsync(files[index % files.Length], new CodecRequest { Q = 50 }, CancellationToken.None);
        }
    }

    /// <summary>In clock ticks of 10 ms, which is what Linux counts in everywhere.</summary>
    private static double Milliseconds(long ticks, int images) => ticks * 10.0 / images;

    /// <summary>Fields 10, 14 and 15 of /proc/PID/stat; see proc_pid_stat(5).</summary>
    private static (long Faults, long User, long System) Usage(int process)
    {
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Field(10), Field(14), Field(15));

        long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
    }
}
