using System.Text.RegularExpressions;
using Halftone.Cli;
using Halftone.Hosting;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

public sealed class SettingsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Queue:Prefetch", "0", "Queue:Prefetch must be between 1 and 1024.")]
    [InlineData("Queue:Prefetch", "many", "Queue:Prefetch is 'many'; it must be a whole number.")]
    [InlineData(
        "Queue:SweepInterval",
        "soon",
        "Queue:SweepInterval is 'soon'; it must be a time such as 00:00:30 (hours:minutes:seconds) or 1.00:00:00 (a day).")]
    [InlineData("Access:AllowAnonymous", "maybe", "Access:AllowAnonymous is 'maybe'; it must be true or false.")]
    [InlineData(
        "Fetch:AllowNetworks:0",
        "999.1.1.1",
        "Fetch:AllowNetworks: \"999.1.1.1\" must be a network such as 10.0.0.0/8 or fd00::/8, or one address.")]
    [InlineData(
        "Server:PublicUrl",
        "ftp://x",
        "Server:PublicUrl is 'ftp://x'; it must be an absolute http or https URL without a query, or empty.")]
    [InlineData(
        "Telemetry:OtlpEndpoint",
        "collector:4318",
        "Telemetry:OtlpEndpoint is 'collector:4318'; it must be an absolute http or https URL such as http://127.0.0.1:4318, or empty.")]
    [InlineData("Telemetry:OtlpProtocol", "json", "Telemetry:OtlpProtocol is 'json'; it must be http/protobuf or grpc, or empty.")]
    [InlineData("Telemetry:TraceRatio", "2", "Telemetry:TraceRatio must be between 0 and 1.")]
    [InlineData("Telemetry:TraceRatio", "half", "Telemetry:TraceRatio is 'half'; it must be a number such as 0.5.")]
    [InlineData("Compress:Sandbox", "maybe", "Compress:Sandbox is 'maybe'; it must be auto or required.")]
    [InlineData("Compress:CpuSeconds", "0", "Compress:CpuSeconds must be between 1 and 3600.")]
    [InlineData(
        "Urls",
        "http://0.0.0.0:0",
        "Without API keys the server listens only on this machine, but 'http://0.0.0.0:0' is reachable by others. Create a key with "
            + "'halftone keys add NAME', listen on 127.0.0.1, or set Access:AllowAnonymous=true if a proxy keeps strangers out.")]
    [InlineData("Urls", "nonsense", "'nonsense' is not a valid address to listen on. Example: http://127.0.0.1:4300")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence_that_names_it(string name, string value, string sentence)
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => HalftoneServer.StartAsync(Cancelled, null, (name, value)));
        Assert.Equal(sentence, ServeCommand.Explain(exception));
    }

    [Theory]
    [InlineData("Queue:Prefetsh", "'Queue:Prefetsh' is not a setting. Section Queue has .*Prefetch.*")]
    [InlineData("Quene:Prefetch", "'Quene' is not a section of settings. Sections: .*Queue.*")]
    public async Task A_misspelt_setting_is_an_error(string name, string sentence)
    {
        var exception = await Assert.ThrowsAsync<SettingException>(() => HalftoneServer.StartAsync(Cancelled, null, (name, "1")));
        Assert.Matches(new Regex($"^{sentence}$"), exception.Message);
    }
}
