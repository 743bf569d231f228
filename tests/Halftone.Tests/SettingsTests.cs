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
    [InlineData("Queue:Prefetch", "many", "Queue:Prefetch is 'many': a whole number is allowed.")]
    [InlineData("Queue:SweepInterval", "soon", "Queue:SweepInterval is 'soon': a time such as 00:00:30 (hours:minutes:seconds) or 1.00:00:00 (a day) is allowed.")]
    [InlineData("Access:AllowAnonymous", "maybe", "Access:AllowAnonymous is 'maybe': true or false is allowed.")]
    [InlineData("Fetch:AllowNetworks:0", "999.1.1.1", "Fetch:AllowNetworks: \"999.1.1.1\" must be a network such as 10.0.0.0/8 or fd00::/8, or one address.")]
    [InlineData("Server:PublicUrl", "ftp://x", "Server:PublicUrl is 'ftp://x': an absolute http or https URL without a query is allowed, or nothing.")]
    [InlineData("Telemetry:OtlpEndpoint", "collector:4318", "Telemetry:OtlpEndpoint is 'collector:4318': an absolute http or https URL such as http://127.0.0.1:4318 is allowed, or nothing.")]
    [InlineData("Telemetry:OtlpProtocol", "json", "Telemetry:OtlpProtocol is 'json': http/protobuf or grpc is allowed, or nothing.")]
    [InlineData("Telemetry:TraceRatio", "2", "Telemetry:TraceRatio must be between 0 and 1.")]
    [InlineData("Telemetry:TraceRatio", "half", "Telemetry:TraceRatio is 'half': a number such as 0.5 is allowed.")]
    [InlineData("Compress:CpuSeconds", "0", "Compress:CpuSeconds must be between 1 and 3600.")]
    [InlineData("Urls", "http://0.0.0.0:0", "Without API keys the server listens on this machine only, and 'http://0.0.0.0:0' is open to others: make a key with 'halftone keys add NAME', listen on 127.0.0.1, or set Access:AllowAnonymous=true where a proxy keeps strangers out.")]
    [InlineData("Urls", "nonsense", "'nonsense' is no address to listen on: http://127.0.0.1:4300 is one.")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence_that_names_it(string name, string value, string sentence)
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => HalftoneServer.StartAsync(Cancelled, null, (name, value)));
        Assert.Equal(sentence, ServeCommand.Explain(exception));
    }

    [Theory]
    [InlineData("Queue:Prefetsh", "'Queue:Prefetsh' is not a setting: section Queue has .*Prefetch.*")]
    [InlineData("Quene:Prefetch", "'Quene' is not a section of settings: there are .*Queue.*")]
    public async Task A_misspelt_setting_is_an_error(string name, string sentence)
    {
        var exception = await Assert.ThrowsAsync<SettingException>(() => HalftoneServer.StartAsync(Cancelled, null, (name, "1")));
        Assert.Matches(new Regex($"^{sentence}$"), exception.Message);
    }
}
