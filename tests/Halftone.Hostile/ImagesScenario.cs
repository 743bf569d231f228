using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Halftone.Codec;

namespace Halftone.Hostile;

/// <summary>Hostile image files through the whole service, each in a request of its own between two good neighbours.</summary>
internal sealed class ImagesScenario(
    string program, IReadOnlyList<ImageFile> files, TextWriter output, params (string Name, string Value)[] settings)
{
    private const long MostMiB = 1024;

    /// <summary>No file may keep the service busy for longer.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(10);

    public sealed record Report
    {
        public required IReadOnlyList<string> Wrong { get; init; }
        public required int Files { get; init; }
        public required int Completed { get; init; }
        public required IReadOnlyDictionary<string, int> Errors { get; init; }
        public required (string Name, TimeSpan Took) Slowest { get; init; }
        public required (string Name, long MiB) Largest { get; init; }
    }

    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        var byPath = files
            .Select((file, number) => (Path: $"/{number}/picture.{file.Extension}", file.Body))
            .ToDictionary(file => file.Path, file => file.Body, StringComparer.Ordinal);
        await using var origin = HostileOrigin.Start(async call =>
        {
            // Whatever it is, the host swears that it is a JPEG.
            var body = byPath.GetValueOrDefault(call.Path) ?? ImageFiles.Png(60, 40);
            await call.WriteAsync(
                $"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
            await call.WriteAsync(body);
        });
        await using var server = await ServerUnderAttack.StartAsync(program, settings);
        var wrong = new List<string>();
        var errors = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var completed = 0;
        (string Name, TimeSpan Took) slowest = ("", TimeSpan.Zero);
        (string Name, long MiB) largest = ("", 0);
        foreach (var (path, file) in byPath.Keys.Zip(files))
        {
            server.ForgetPeaks();
            var clock = Stopwatch.StartNew();
            var id = await server.UploadAsync(
                [
                    origin.Url($"/good/{path.Length}/a").AbsoluteUri, origin.Url(path).AbsoluteUri,
                    origin.Url($"/good/{path.Length}/b").AbsoluteUri,
                ],
                cancellationToken);
            var status = await server.WaitForEndAsync(id, cancellationToken);
            slowest = clock.Elapsed > slowest.Took ? (file.Name, clock.Elapsed) : slowest;
            largest = server.TreePeakMiB > largest.MiB ? (file.Name, server.TreePeakMiB) : largest;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{clock.Elapsed.TotalSeconds,5:0.0} s {server.TreePeakMiB,5} MiB  {file.Name} ({file.Body.Length:N0} bytes)"));
            var rows = status.GetProperty("products").EnumerateArray().Select(product => product.GetProperty("images")[0]).ToArray();
            wrong.AddRange((await JudgeAsync(server, file, rows[1], cancellationToken)).Select(sentence => $"{file.Name}: {sentence}"));
            if (clock.Elapsed > Longest || server.TreePeakMiB > MostMiB + 400)
            {
                wrong.Add(string.Create(
                    CultureInfo.InvariantCulture, $"{file.Name}: {clock.Elapsed.TotalSeconds:0.0} s, {server.TreePeakMiB} MiB"));
            }

            if (rows[0].GetProperty("status").GetString() != "COMPLETED" || rows[2].GetProperty("status").GetString() != "COMPLETED")
            {
                wrong.Add($"{file.Name}: a neighbour did not complete");
            }

            if (rows[1].GetProperty("status").GetString() == "COMPLETED")
            {
                completed++;
            }
            else
            {
                var code = rows[1].GetProperty("error").GetProperty("code").GetString()!;
                errors[code] = errors.GetValueOrDefault(code) + 1;
            }
        }

        if (!server.IsAlive)
        {
            wrong.Add("The server has ended.");
        }

        return new Report
        {
            Wrong = wrong,
            Files = files.Count,
            Completed = completed,
            Errors = errors,
            Slowest = slowest,
            Largest = largest,
        };
    }

    private static async Task<List<string>> JudgeAsync(
        ServerUnderAttack server, ImageFile file, JsonElement image, CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        if (image.GetProperty("status").GetString() != "COMPLETED")
        {
            var error = image.GetProperty("error");
            var code = error.GetProperty("code").GetString();
            if (file.Fate == Fate.Completed)
            {
                wrong.Add($"ended as {code}");
            }

            if (error.ToString().Contains("secret-payload", StringComparison.Ordinal))
            {
                wrong.Add("the error repeats what the file said");
            }

            // A decoder that crashed, hung or ballooned was contained; that it had to be is worth knowing.
            return code is "codec_crashed" ? [.. wrong, "a codec child crashed"] : wrong;
        }

        if (file.Fate == Fate.Refused)
        {
            wrong.Add("completed");
        }

        using var answer = await server.Client.GetAsync(image.GetProperty("output_url").GetString(), cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        if (answer.StatusCode != HttpStatusCode.OK
            || answer.Content.Headers.ContentType?.MediaType?.StartsWith("image/", StringComparison.Ordinal) != true
            || !answer.Headers.TryGetValues("X-Content-Type-Options", out _))
        {
            wrong.Add($"its output is answered with {answer.StatusCode} {answer.Content.Headers.ContentType}");
        }

        if (body.AsSpan().IndexOf("secret-payload"u8) >= 0)
        {
            wrong.Add("what was hidden in the file is in the output");
        }

        // Decoded whole and made again, by the library that is not the child's way for most of them.
        var source = ImageCodec.Compress(
            file.Body, new CodecRequest { Format = ImageFormat.Png, MaxPixels = long.MaxValue }) as CodecResult.Compressed;
        if (ImageCodec.Compress(
            body, new CodecRequest { Format = ImageFormat.Png, MaxPixels = long.MaxValue }) is not CodecResult.Compressed output)
        {
            wrong.Add("its output does not decode");
        }
        else if (source is not null && (source.WidthPixels, source.HeightPixels) != (output.WidthPixels, output.HeightPixels))
        {
            wrong.Add(
                $"its output has {output.WidthPixels} x {output.HeightPixels} pixels instead of {source.WidthPixels} "
                    + $"x {source.HeightPixels}");
        }

        return wrong;
    }
}
