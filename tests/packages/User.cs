using Halftone.Codec;
using Halftone.Csv;

// What a user of the two packages writes: the images of a CSV, found in a folder, made smaller.
var (csv, folder) = (args[0], args[1]);
await using var file = File.OpenRead(csv);
var limits = new CsvLimits(MaxRecordBytes: 1 << 20, MaxColumns: 100);
if (await CsvDetection.DetectAsync(file, limits, header => header.Count, CancellationToken.None) is not CsvDetected.Found found)
{
    throw new InvalidDataException($"{csv} is no CSV.");
}

long images = 0, before = 0, after = 0;
var scanner = CsvScanner.Open(file, found.Dialect, limits);
while (await scanner.ReadRecordAsync(CancellationToken.None))
{
    var cells = CsvText.ReadAll(scanner, found.Dialect);
    if (scanner.Kind != CsvRecordKind.Row)
    {
        continue;
    }

    foreach (var url in cells[^1].Split(',', StringSplitOptions.TrimEntries))
    {
        var source = await File.ReadAllBytesAsync(Path.Combine(folder, url[(url.LastIndexOf('/') + 1)..]));
        if (ImageCodec.Compress(source, new CodecRequest()) is not CodecResult.Compressed image)
        {
            throw new InvalidDataException($"{url} was refused.");
        }

        images++;
        before += source.Length;
        after += image.Body.Length;
    }
}

Console.WriteLine($"{images} images, {100 - (100.0 * after / before):0.0} % saved");
