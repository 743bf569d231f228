using System.Text.Json;
using Halftone.Api;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Tests.Requests;

/// <summary>A new option of outputs is a property of <see cref="OutputOptions"/>; these tests name every place that does not know it yet.</summary>
public sealed class OutputOptionsTests
{
    private static readonly OutputOptions Plain = new() { Quality = 50 };

    private static string[] Names => [.. typeof(OutputOptions).GetProperties().Where(option => option.CanWrite).Select(option => option.Name)];

    public static TheoryData<string, string> Values => new()
    {
        { "quality", "70" },
        { "format", "webp" },
        { "max_width", "800" },
        { "max_height", "600" },
        { "variants", "thumb:max_width=200" },
    };

    [Fact]
    public void Every_option_has_a_name_a_column_and_a_parameter()
    {
        string[] words = [.. Names.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
        Assert.Equal(words, OutputOptions.Names);
        Assert.Equal(OutputOptions.Columns, string.Join(", ", words));
        Assert.Equal(OutputOptions.Selected, string.Join(", ", words.Select(word => $"r.{word}")));
        Assert.Equal(OutputOptions.Parameters, string.Join(", ", Names.Select(name => $"@{name}")));
        Assert.Equal(OutputOptions.SplitOn, words[0]);
    }

    [Fact]
    public void Every_option_is_a_field_of_an_upload_and_is_shown_in_the_status()
    {
        Assert.Empty(OutputOptions.Names.Except(UploadForm.Fields));
        Assert.Equal(Names, typeof(StatusOptions).GetProperties().Select(option => option.Name));
    }

    [Fact]
    public void Every_option_has_a_value_here() => Assert.Equal(OutputOptions.Names, Values.Select(row => row.Data.Item1));

    [Theory]
    [MemberData(nameof(Values))]
    public void An_option_that_is_set_changes_the_message_the_keys_the_status_and_the_outputs(string name, string value)
    {
        Assert.Null(Plain.Set(name, value, 8, out var changed));

        Assert.NotEqual(Plain, changed);
        Assert.NotEqual(KeyOf(Plain), KeyOf(changed));
        Assert.NotEqual(StatusOptions.Of(Plain), StatusOptions.Of(changed));
        Assert.NotEqual(Plain.Wanted(), changed.Wanted());
        Assert.Contains($"\"{name}\":", MessageOf(changed).ToJson(), StringComparison.Ordinal);
        Assert.Equal(MessageOf(changed), Message.FromJson(MessageOf(changed).ToJson()));
    }

    [Theory]
    [InlineData("quality", "101")]
    [InlineData("format", "bmp")]
    [InlineData("max_width", "0")]
    [InlineData("max_height", "-1")]
    [InlineData("variants", "a;a")]
    public void A_value_that_is_not_allowed_changes_nothing_and_is_answered_with_a_sentence_that_names_the_option(string name, string value)
    {
        Assert.Contains($"'{name}'", Plain.Set(name, value, 8, out var changed), StringComparison.Ordinal);
        Assert.Equal(Plain, changed);
    }

    [Fact]
    public void Keys_of_the_first_version_stay_good() => Assert.Equal("50 ", KeyOf(Plain));

    private static string KeyOf(OutputOptions options) => options.FirstKeyPart(' ') + options.LaterKeyPart(' ');

    private static Message.Image MessageOf(OutputOptions options) => new()
    {
        RequestId = Guid.AllBitsSet,
        Run = 1,
        ImageId = 1,
        Url = "https://shop.example/a.jpg",
        Attempt = 0,
        Outputs = options,
        Name = "a-1",
    };
}
