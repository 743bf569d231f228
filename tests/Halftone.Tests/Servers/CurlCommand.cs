using System.Diagnostics;
using System.Text.Json;

namespace Halftone.Tests.Servers;

/// <summary>Runs an upload by curl as a document shows it.</summary>
internal static class CurlCommand
{
    private const string Input = "S. No.,Product Name,Input Image Urls";

    /// <returns>The columns that the result has behind those of the file.</returns>
    public static async Task<string> NewColumnsAsync(string command, HalftoneServer server, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("halftone-curl-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "products.csv"), Input + "\n1,Mug,\n", cancellationToken);
        var here = command.Replace("http://127.0.0.1:4300/", server.Client.BaseAddress!.AbsoluteUri, StringComparison.Ordinal);
        using var curl = Process.Start(new ProcessStartInfo("bash", ["-ec", here])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = curl.StandardError.ReadToEndAsync(cancellationToken);
        var answer = await curl.StandardOutput.ReadToEndAsync(cancellationToken);
        await curl.WaitForExitAsync(cancellationToken);
        Directory.Delete(folder, recursive: true);
        // What curl skips it says there, and goes on.
        Assert.DoesNotContain("Warning", await errors);

        Assert.True(JsonDocument.Parse(answer).RootElement.TryGetProperty("request_id", out var id), answer);
        await server.WaitForEndAsync(id.GetGuid(), cancellationToken);
        var header = (await server.ResultAsync(id.GetGuid(), cancellationToken)).Split('\n')[0];
        Assert.StartsWith(Input + ",", header);
        return header[(Input.Length + 1)..];
    }
}
