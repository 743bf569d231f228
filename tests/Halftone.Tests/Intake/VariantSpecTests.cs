using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec;
using Halftone.Model;

namespace Halftone.Tests.Intake;

public sealed class VariantSpecTests
{
    [Theory]
    [InlineData("thumb:max_width=200,max_height=200,format=webp;zoom:max_width=1600,quality=70", "thumb:max_width=200,max_height=200,format=webp;zoom:max_width=1600,quality=70")]
    [InlineData(" zoom : quality = 70 , max_width = 16 ; full ", "zoom:max_width=16,quality=70;full")]
    [InlineData("a:format=KEEP;0_-:", "a:format=keep;0_-")]
    [InlineData("a:format=JPG;b:format=jpg", "a:format=jpeg;b:format=jpeg")]
    public void A_spec_is_written_in_one_way(string text, string expected)
    {
        Assert.Null(VariantSpec.Read(text, 8, out var variants));
        Assert.Equal(expected, VariantSpec.TextOf(variants));
    }

    [Theory]
    [InlineData("thumb:max_width=0", "max_width of 'thumb' must be a whole number of pixels from 1 to 65535. Leave it out for no limit.")]
    [InlineData("a;thumb:max_height=12cm", "max_height of 'thumb' must be a whole number of pixels from 1 to 65535. Leave it out for no limit.")]
    [InlineData("thumb:quality=101", "quality of 'thumb' must be a whole number from 1 to 100. Default: the quality of the request.")]
    [InlineData("thumb:format=tiff", "format of 'thumb' must be keep or one of jpeg, png, webp, gif, avif. Default: the format of the request.")]
    [InlineData("thumb:width=20", "'width' of 'thumb' is not a variant option. Options: max_width, max_height, format and quality, written option=value.")]
    [InlineData("thumb:webp", "'webp' of 'thumb' is not a variant option. Options: max_width, max_height, format and quality, written option=value.")]
    [InlineData("thumb:quality=5,quality=6", "quality of 'thumb' is given twice.")]
    [InlineData("thumb:quality=5,", "'' of 'thumb' is not a variant option. Options: max_width, max_height, format and quality, written option=value.")]
    [InlineData("Thumb:quality=5", "'Thumb' is not a valid variant name; use 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit.")]
    [InlineData("../../x", "'../../x' is not a valid variant name; use 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit.")]
    [InlineData("-", "'-' is not a valid variant name; use 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit.")]
    [InlineData("thümb", "'thümb' is not a valid variant name; use 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit.")]
    [InlineData("abcdefghijabcdefghijabcdefghijabc", "'abcdefghijabcdefghijabcdefghijabc' is not a valid variant name; use 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit.")]
    [InlineData("a;b;a:quality=5", "the name 'a' is used twice; names must be unique.")]
    [InlineData("thumb;", "a name is missing; write name:option=value,option=value, and separate variants with semicolons.")]
    [InlineData(":quality=5", "a name is missing; write name:option=value,option=value, and separate variants with semicolons.")]
    [InlineData("a;b;c;d", "4 variants are too many; at most 3 are allowed (Intake:MaxVariants).")]
    public void What_is_wrong_is_told_of_the_variant_and_the_option_that_it_is_in(string text, string problem)
    {
        Assert.Equal($"'variants': {problem}", VariantSpec.Read(text, 3, out var variants));
        Assert.Empty(variants);
    }

    [Fact]
    public void What_is_not_said_is_the_requests_but_for_the_bounds()
    {
        var variants = VariantSpec.Parse("a;b:max_width=5,format=keep,quality=9");
        Assert.Equal(new CodecRequest { Q = 70, Format = ImageFormat.Webp }, variants[0].ToRequest(70, "webp"));
        Assert.Equal(new CodecRequest { Q = 9, MaxWidth = 5 }, variants[1].ToRequest(70, "webp"));
        Assert.Empty(VariantSpec.Parse(null));
    }

    [Fact]
    public void Whatever_is_accepted_survives_being_stored() =>
        Prop.ForAll(
            Gen.ListOf(Gen.Elements("a", "thumb", "0", "-", "_", ":", ",", ";", "=", " ", "max_width", "max_height", "format", "quality", "webp", "keep", "70", "1600", "max_width=16", "a:quality=5", "é", "\n"))
                .Select(string.Concat).ToArbitrary(),
            text =>
            {
                if (VariantSpec.Read(text, 64, out var variants) is { } problem)
                {
                    Assert.Empty(variants);
                    Assert.EndsWith(".", problem, StringComparison.Ordinal);
                    return;
                }

                Assert.NotEmpty(variants);
                Assert.Equal(variants, VariantSpec.Parse(VariantSpec.TextOf(variants)));
                Assert.Matches("^[a-z0-9_:,;=-]+$", VariantSpec.TextOf(variants));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
}
