using Halftone.Tests.Servers;

namespace Halftone.Tests.Cli;

public sealed class HealthCommandTests
{
    [Fact]
    public async Task Health_asks_the_probes_and_its_exit_code_is_their_answer()
    {
        var server = await HalftoneServer.StartAsync(TestContext.Current.CancellationToken);
        var address = server.Client.BaseAddress!.AbsoluteUri;
        await using (server)
        {
            var (live, ready) = (await Verb.RunAsync("health", "--server", address), await Verb.RunAsync("health", "--ready", "--server", address));
            Assert.Equal((0, "live\n", 0, "ready\n"), (live.ExitCode, live.Output, ready.ExitCode, ready.Output));
        }

        var gone = await Verb.RunAsync("health", "--server", address);
        Assert.Equal((1, ""), (gone.ExitCode, gone.Output));
    }
}
