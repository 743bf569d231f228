using System.Text.Json;
using Halftone.Model;

namespace Halftone.Tests.Queue;

/// <summary>Old and new versions run side by side for a while.</summary>
public sealed class MessageTests
{
    private const string Image = """{"type":"image","image_id":7,"url":"https://shop.example/a.jpg","attempt":1,"quality":50,"name":"1-1","request_id":"01a1fb87-bfc2-7efa-b984-f394a11c618f","run":2""";

    [Fact]
    public void The_message_of_a_version_before_traces_is_read_as_one_without()
    {
        var read = Assert.IsType<Message.Image>(Message.FromJson(Image + "}"));
        Assert.Equal((7, null), (read.ImageId, read.TraceParent));
    }

    [Fact]
    public void The_message_of_a_version_before_sizes_and_variants_has_none_and_one_without_them_is_the_same_bytes_as_before()
    {
        var read = Assert.IsType<Message.Image>(Message.FromJson(Image + "}"));
        Assert.Equal((null, null, null), (read.Outputs.MaxWidth, read.Outputs.MaxHeight, read.Outputs.Variants));
        Assert.DoesNotContain("max_", read.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("variants", read.ToJson(), StringComparison.Ordinal);
        Assert.Equal(
            read with { Outputs = read.Outputs with { MaxWidth = 800, MaxHeight = 600 } },
            Message.FromJson(Image + ""","max_width":800,"max_height":600}"""));
    }

    [Fact]
    public void Options_of_outputs_are_members_of_the_message_itself_and_come_back()
    {
        var options = new OutputOptions { Quality = 70, Format = "webp", MaxWidth = 800, MaxHeight = 600, Variants = "thumb:max_width=200" };
        var message = Assert.IsType<Message.Image>(Message.FromJson(Image + "}")) with { Outputs = options };
        var json = JsonDocument.Parse(message.ToJson()).RootElement;
        Assert.Equal(
            (70, "webp", 800, 600, "thumb:max_width=200"),
            (json.GetProperty("quality").GetInt32(), json.GetProperty("format").GetString(), json.GetProperty("max_width").GetInt32(),
                json.GetProperty("max_height").GetInt32(), json.GetProperty("variants").GetString()));
        Assert.False(json.TryGetProperty("outputs", out _));
        Assert.Equal(message, Message.FromJson(message.ToJson()));
    }

    [Fact]
    public void Members_of_a_later_version_are_not_looked_at() =>
        Assert.Equal(Message.FromJson(Image + "}"), Message.FromJson(Image + ""","later":{"a":[1]}}"""));

    [Fact]
    public void An_image_that_is_not_traced_is_the_same_bytes_as_before() =>
        Assert.DoesNotContain("trace", Message.FromJson(Image + "}").ToJson(), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"image_id":7}""")]
    [InlineData("""{"type":null}""")]
    [InlineData("""{"type":7}""")]
    [InlineData("""{"type":"of-tomorrow"}""")]
    [InlineData("""{"type":"image"}""")]
    [InlineData("""{"type":"image","image_id":7,"url":"https://shop.example/a.jpg","attempt":1,"name":"1-1","request_id":"01a1fb87-bfc2-7efa-b984-f394a11c618f","run":2}""")]
    [InlineData(Image + ""","max_width":"wide"}""")]
    [InlineData("""{"request_id":"01a1fb87-bfc2-7efa-b984-f394a11c618f","run":2,"type":"finish"}""")]
    [InlineData("""{"type":"finish","request_id":"no id","run":2}""")]
    [InlineData("""{"type":"finish","request_id":"01a1fb87-bfc2-7efa-b984-f394a11c618f","run":99999999999}""")]
    public void What_is_no_message_of_this_version_is_refused_in_one_way(string json) =>
        Assert.ThrowsAny<JsonException>(() => Message.FromJson(json));
}
