using Halftone.Webhooks;

namespace Halftone.Tests.Webhooks;

/// <summary>Valid events in one line.</summary>
internal static class SampleEvent
{
    public static WebhookEvent Completed { get; } = new()
    {
        RequestId = Guid.Parse("0192f0c1-7a3e-7bbb-8c4d-0123456789ab"),
        Status = "COMPLETED",
        ResultUrl = "https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv",
        Progress = WebhookProgress.Of(total: 12, completed: 11, failed: 1),
        Bytes = WebhookBytes.Of(input: 1_519_308, output: 421_007),
        Timestamp = new DateTime(2026, 11, 21, 8, 30, 0, DateTimeKind.Utc),
    };
}
