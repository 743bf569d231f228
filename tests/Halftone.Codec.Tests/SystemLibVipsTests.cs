using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Tests;

public sealed class SystemLibVipsTests
{
    [Fact]
    public async Task Fidelity_and_refusals_are_the_same_with_the_library_of_the_system()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("libvips.so.42", out _), "libvips42 is not installed");
        using var tests = Start("system", typeof(ImageCodecTests), typeof(FidelityTests), typeof(HostileTests), typeof(BareSourceTests), typeof(IccProfileTests));

        var output = await tests.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await tests.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(tests.ExitCode == 0, output);
    }

    [Fact]
    public async Task Without_any_library_one_sentence_says_what_to_install()
    {
        using var tests = Start("/nowhere/libvips.so", typeof(BareSourceTests));

        var output = await tests.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.Contains("libvips was not found: install it with 'apt-get install -y libvips42'", output, StringComparison.Ordinal);
    }

    /// <summary>This test program again, with another choice of library, which a process makes once.</summary>
    private static Process Start(string libVips, params Type[] classes)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, classes.SelectMany(tests => (string[])["-class", tests.FullName!])) { RedirectStandardOutput = true };
        start.Environment["HALFTONE_LIBVIPS"] = libVips;
        return Process.Start(start)!;
    }
}
