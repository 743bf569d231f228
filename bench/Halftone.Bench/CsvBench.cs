using System.Diagnostics;
using System.Globalization;
using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Intake;
using Halftone.Results;

namespace Halftone.Bench;

/// <summary>
/// What a CSV costs: the scan alone, finding the dialect, checking all rows, making all rows, writing the result. The first round is what a
/// fresh process pays, with compilation; the later ones are the steady cost.
/// </summary>
internal static class CsvBench
{
    private const int Rounds = 3;

    public static async Task<int> RunAsync(int rows)
    {
        var folder = Directory.CreateTempSubdirectory("halftone-csv-bench-");
        try
        {
            var input = Path.Combine(folder.FullName, "input.csv");
            await WriteInputAsync(input, rows);
            Console.WriteLine($"{rows:N0} rows, {new FileInfo(input).Length:N0} bytes");
            for (var round = 1; round <= Rounds; round++)
            {
                Console.WriteLine($"round {round}");
                await RunRoundAsync(input, Path.Combine(folder.FullName, "result.csv"), rows);
            }

            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunRoundAsync(string input, string result, int rows)
    {
        var options = new IntakeOptions();
        CsvDialect? dialect = null;
        await MeasureAsync("find the dialect", rows, async file => dialect = ((CsvDetected.Found)await CsvDetection.DetectAsync(file, options.CsvLimits, CsvColumns.Score, default)).Dialect, input);
        await MeasureAsync("scan", rows, file => ScanAsync(CsvScanner.Reopen(file, dialect!)), input);
        await MeasureAsync("open and check", rows, async file => await (await ProductCsvReader.OpenAsync(file, options, default)).CheckRowsAsync(default), input);
        await MeasureAsync("reopen and make rows", rows, file => ReadAsync(file, dialect!, options), input);
        await MeasureAsync("write the result", rows, async file =>
        {
            await using var destination = new FileStream(result, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1);
            await ResultCsv.WriteAsync(file, dialect!, destination, OutcomesAsync(rows), [], escapeFormulas: false, default);
        }, input);
    }

    private static async Task MeasureAsync(string step, int rows, Func<Stream, Task> act, string input)
    {
        using var process = Process.GetCurrentProcess();
        await using var file = new FileStream(input, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        var (cpu, allocated, started) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(), Stopwatch.GetTimestamp());
        await act(file);
        var elapsed = Stopwatch.GetElapsedTime(started);
        process.Refresh();
        var used = process.TotalProcessorTime - cpu;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {step,-22} {used.TotalMilliseconds,7:F0} CPU-ms {elapsed.TotalMilliseconds,7:F0} ms {rows / used.TotalSeconds / 1e6,7:F2} M rows per CPU-s {(GC.GetTotalAllocatedBytes() - allocated) / 1e6,7:F1} MB allocated, peak {process.PeakWorkingSet64 / 1e6:F0} MB"));
    }

    private static async Task ScanAsync(CsvScanner scanner)
    {
        while (await scanner.ReadRecordAsync(default))
        {
        }
    }

    private static async Task ReadAsync(Stream file, CsvDialect dialect, IntakeOptions options)
    {
        var reader = await ProductCsvReader.ReopenAsync(file, dialect, options, default);
        await foreach (var row in reader.ReadRowsAsync(default))
        {
            GC.KeepAlive(row);
        }
    }

    private static async Task WriteInputAsync(string path, int rows)
    {
        await using var file = new StreamWriter(path);
        await file.WriteAsync("S. No.,Product Name,Input Image Urls\n");
        for (var row = 1; row <= rows; row++)
        {
            await file.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{row},\"Chair, oak {row}\",https://images.example/products/{row}.jpg\n"));
        }
    }

    private static async IAsyncEnumerable<ImageOutcome> OutcomesAsync(int rows)
    {
        await Task.CompletedTask;
        for (var row = 1; row <= rows; row++)
        {
            yield return row % 10 == 0
                ? new ImageOutcome(row + 1, null, "http_404")
                : new ImageOutcome(row + 1, "http://127.0.0.1:8080/images/0198a7c5-0000-7000-8000-000000000000/chair-1-0123456789abcdef0123456789abcdef.jpg", null);
        }
    }
}
