using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Webhooks;

namespace Halftone.Tests.Webhooks;

public sealed class WebhookEventTests
{
    [Fact]
    public void The_body_is_the_documented_json_in_the_documented_order() =>
        Assert.Equal(
            """
            {"type":"request.completed","request_id":"0192f0c1-7a3e-7bbb-8c4d-0123456789ab","status":"COMPLETED",
            "result_url":"https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv",
            "progress":{"total":12,"completed":11,"failed":1,"percent":100},
            "bytes":{"input":1519308,"output":421007,"saved_percent":72.3},
            "timestamp":"2026-11-21T08:30:00Z"}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(SampleEvent.Completed.ToBody()));

    [Theory]
    [InlineData("COMPLETED", "request.completed")]
    [InlineData("FAILED", "request.failed")]
    [InlineData("CANCELLED", "request.cancelled")]
    public void The_type_follows_the_final_state(string status, string type) =>
        Assert.Equal(type, (SampleEvent.Completed with { Status = status }).Type);

    [Theory]
    [InlineData("PROCESSING")]
    [InlineData("completed")]
    public void A_request_that_has_not_ended_has_no_event(string status) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SampleEvent.Completed with { Status = status });

    [Fact]
    public void A_time_that_is_not_utc_is_refused() =>
        Assert.Throws<ArgumentException>(() => SampleEvent.Completed with { Timestamp = new DateTime(2026, 11, 21) });

    [Fact]
    public void Percent_is_100_only_when_every_image_is_done() =>
        Prop.ForAll<ushort, ushort, ushort>((completed, failed, open) =>
        {
            var percent = WebhookProgress.Of((long)completed + failed + open, completed, failed).Percent;
            return percent is >= 0 and <= 100 && (percent == 100) == (open == 0);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Saved_percent_of_nothing_is_0() => Assert.Equal(0, WebhookBytes.Of(0, 0).SavedPercent);
}
