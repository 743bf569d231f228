namespace Halftone.Tests.Servers;

public sealed class OwnedProcessTests
{
    [Fact]
    public async Task A_server_ends_and_its_folder_goes_when_the_run_is_killed()
    {
        var folder = await OwnedProcess.NewFolderAsync("owned", TestContext.Current.CancellationToken);
        var server = await OwnedProcess.StartAsync(folder, "TERM", ["sleep", "1000"], null, TestContext.Current.CancellationToken);
        Assert.False(server.HasExited);
        await server.LetGoAsync();
        Assert.True(server.HasExited);
        Assert.False(Directory.Exists(folder));
    }
}
