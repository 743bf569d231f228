using Halftone.Fetch;
using Halftone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Fetch;

public class FetchOptionsTests
{
    [Fact]
    public void The_defaults_are_valid()
    {
        var options = Bind([]);

        Assert.Equal([80, 443, 8080, 8443], options.OpenPorts);
        Assert.Equal([1, 5, 20], options.RetryDelays.Select(delay => delay.TotalSeconds));
    }

    [Fact]
    public void A_list_of_ports_replaces_the_default()
    {
        Assert.Equal([443], Bind(new() { ["Fetch:Ports:0"] = "443" }).OpenPorts);
    }

    [Fact]
    public void Networks_and_headers_are_read()
    {
        var options = Bind(new()
        {
            ["Fetch:AllowNetworks:0"] = "10.0.0.0/8",
            ["Fetch:AllowNetworks:1"] = "fd00::1",
            ["Fetch:HostHeaders:cdn.example.com:Authorization"] = "Bearer abc",
        });

        Assert.Equal(["10.0.0.0/8", "fd00::1"], options.AllowNetworks);
        Assert.Equal("Bearer abc", options.HostHeaders["cdn.example.com"]["Authorization"]);
    }

    [Theory]
    [InlineData("Fetch:AllowNetworks:0", "10.0.0.1/8", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "10", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "0x0a.0.0.0/8", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "10.0.0.0/33", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "10.0.0.0/", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "fd00::/129", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "fe80::1%1", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "localhost", "AllowNetworks")]
    [InlineData("Fetch:AllowNetworks:0", "", "AllowNetworks")]
    [InlineData("Fetch:Ports:0", "0", "Ports")]
    [InlineData("Fetch:Ports:0", "65536", "Ports")]
    [InlineData("Fetch:ConnectTimeout", "00:00:00", "ConnectTimeout")]
    [InlineData("Fetch:AttemptTimeout", "00:00:05", "ConnectTimeout")]
    [InlineData("Fetch:MaxBytes", "0", "MaxBytes")]
    [InlineData("Fetch:MaxBytes", "134217729", "BudgetBytes")]
    [InlineData("Fetch:BudgetBytes", "134217727", "BudgetBytes")]
    [InlineData("Fetch:MinPerHost", "65", "MinPerHost")]
    [InlineData("Fetch:RetrySchedule:0", "-00:00:01", "RetrySchedule")]
    [InlineData("Fetch:Contact", "two words", "Contact")]
    [InlineData("Fetch:Contact", "a)b", "Contact")]
    [InlineData("Fetch:HostHeaders:https://cdn.example.com:X-Key", "1", "HostHeaders")]
    [InlineData("Fetch:HostHeaders:cdn.example.com:Host", "inner", "HostHeaders")]
    [InlineData("Fetch:HostHeaders:cdn.example.com:Transfer-Encoding", "chunked", "HostHeaders")]
    [InlineData("Fetch:HostHeaders:cdn.example.com:X-Key", "a\r\nHost: inner", "HostHeaders")]
    [InlineData("Fetch:HostHeaders:cdn.example.com:no name", "1", "HostHeaders")]
    public void A_wrong_value_is_named(string setting, string value, string named)
    {
        var e = Assert.Throws<OptionsValidationException>(() => Bind(new() { [setting] = value }));

        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Fetch:BudgetBytes", "134217728")]
    [InlineData("Fetch:Contact", "mailto:images@shop.example")]
    [InlineData("Fetch:AllowNetworks:0", "0.0.0.0/0")]
    [InlineData("Fetch:MinBytesPerSecond", "0")]
    public void A_value_at_the_edge_of_what_is_allowed_is_taken(string setting, string value) =>
        Assert.NotNull(Bind(new() { [setting] = value }));

    private static FetchOptions Bind(Dictionary<string, string?> settings)
    {
        using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddFetch()
            .BuildServiceProvider();
        return services.GetRequiredService<IOptions<FetchOptions>>().Value;
    }
}
