using Halftone.Io;

namespace Halftone.Tests.Store;

public sealed class ScratchFileTests
{
    [Fact]
    public async Task It_has_no_name_that_could_outlive_a_process_that_is_killed()
    {
        await using var scratch = ScratchFile.Create();
        await scratch.WriteAsync(new byte[] { 1, 2, 3 }, TestContext.Current.CancellationToken);
        scratch.Position = 0;

        Assert.False(File.Exists(scratch.Name));
        Assert.Equal(1, scratch.ReadByte());
    }
}
