using Halftone.Webhooks;
using Microsoft.Extensions.Configuration;

namespace Halftone.Tests.Webhooks;

public sealed class WebhookOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Problems([]));

    [Theory]
    [InlineData("Webhook:Secret", "hunter2", "whsec_")]
    [InlineData("Webhook:Timeout", "00:00:00", "Timeout")]
    [InlineData("Webhook:RetrySchedule:0", "-00:00:01", "0 to 7 days")]
    public void A_wrong_value_is_named_with_what_is_allowed(string name, string value, string part)
    {
        var problem = Assert.Single(Problems([(name, value)]));
        Assert.Contains(part, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configured_schedule_replaces_the_default() =>
        Assert.Equal(
            [TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)],
            Bind([("Webhook:RetrySchedule:0", "00:00:01"), ("Webhook:RetrySchedule:1", "1.00:00:00")]).RetryDelays);

    private static IEnumerable<string> Problems((string Name, string Value)[] settings) =>
        new WebhookOptionsValidator().Validate(null, Bind(settings)).Failures ?? [];

    private static WebhookOptions Bind((string Name, string Value)[] settings)
    {
        var options = new WebhookOptions();
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
            .Build().GetSection("Webhook").Bind(options);
        return options;
    }
}
