using Halftone.Hosting;
using Microsoft.Extensions.Configuration;

namespace Halftone.Tests;

public sealed class SettingListTests
{
    [Fact]
    public void A_list_and_a_time_can_be_written_as_people_write_them()
    {
        var expanded = SettingLists.Expand(Configuration(
            ("Webhook:RetrySchedule", "1s, 5m,00:00:07,1.5h"), ("Fetch:Ports", "80,443"), ("Webhook:Timeout", "90s"),
            ("Queue:Name", "a,b")));
        Assert.Equal("00:00:01", expanded["Webhook:RetrySchedule:0"]);
        Assert.Equal("00:05:00", expanded["Webhook:RetrySchedule:1"]);
        Assert.Equal("00:00:07", expanded["Webhook:RetrySchedule:2"]);
        Assert.Equal("01:30:00", expanded["Webhook:RetrySchedule:3"]);
        Assert.Equal("443", expanded["Fetch:Ports:1"]);
        Assert.Equal("00:01:30", expanded["Webhook:Timeout"]);
        Assert.Equal(7, expanded.Count);
    }

    [Theory]
    [InlineData("1,1,2", "1")]
    [InlineData("1s,soon", "soon")]
    public void An_entry_that_is_no_time_is_named(string value, string entry)
    {
        var refused = Assert.Throws<SettingException>(() => SettingLists.Expand(Configuration(("Webhook:RetrySchedule", value))));
        Assert.Contains($"'{entry}' in it is not a time", refused.Message, StringComparison.Ordinal);
    }

    private static IConfigurationRoot Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
            .Build();
}
