using System.Diagnostics;

namespace Halftone.Codec.Tests;

public sealed class LibVipsMissingTests
{
    [Fact]
    public async Task Without_its_own_library_the_program_takes_one_of_the_system_that_serves_or_says_what_is_missing()
    {
        var folder = Directory.CreateTempSubdirectory("halftone-without-libvips-").FullName;
        try
        {
            var program = CopyWithoutNatives(folder);
            using var tests = Process.Start(new ProcessStartInfo(program, ["-class", typeof(CleanSourceTests).FullName!])
            {
                RedirectStandardOutput = true,
            })!;

            var output = await tests.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await tests.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(
                tests.ExitCode == 0
                || output.Contains("libvips was not found: the program brings it for Linux, macOS and Windows", StringComparison.Ordinal)
                || (output.Contains(" of this system is too old: install 8.15 or newer", StringComparison.Ordinal) && output.Contains("libvips 8.", StringComparison.Ordinal)),
                output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>This test program in another folder, without the list of files that it comes with.</summary>
    private static string CopyWithoutNatives(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory).Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        return Path.Combine(folder, Path.GetFileName(Environment.ProcessPath!));
    }
}
