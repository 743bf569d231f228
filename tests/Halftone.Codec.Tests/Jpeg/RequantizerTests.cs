using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Jpeg;

public sealed class RequantizerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(25)]
    [InlineData(49)]
    [InlineData(50)]
    [InlineData(77)]
    [InlineData(100)]
    public void Steps_are_those_that_libvips_writes(int q)
    {
        var header = JpegHeader.Read(Picture.Draw(32, 32).Save("jpegsave_buffer", $"Q={q},subsample_mode=on"), 10_000, out _)!;

        for (var k = 0; k < 64; k++)
        {
            Assert.Equal(header.Tables.Steps[0]![k], QualitySteps.Step(k, q, isChroma: false));
            Assert.Equal(header.Tables.Steps[1]![k], QualitySteps.Step(k, q, isChroma: true));
        }
    }

    [Fact]
    public void A_step_never_gets_finer_and_an_equal_step_changes_nothing()
    {
        var requantizer = new Requantizer();
        ushort[] coarse = [.. Enumerable.Range(0, 64).Select(k => (ushort)(k % 2 == 0 ? 255 : 1))];

        Assert.True(requantizer.Prepare(coarse, QualitySteps.Steps(50, isChroma: false), isChroma: false));

        Assert.False(requantizer.IsIdentity);
        for (var k = 0; k < 64; k++)
        {
            Assert.Equal(k % 2 == 0 ? 255 : QualitySteps.Step(k, 50, false), requantizer.OutputSteps[k]);
            Assert.Equal(k % 2 == 0, requantizer.Multipliers[k] == 1 << Requantizer.Shift);
        }
    }

    [Fact]
    public void Below_the_least_kept_magnitude_all_round_to_zero_and_at_it_not_all()
    {
        foreach (var source in Enumerable.Range(51, 49))
        {
            var requantizer = new Requantizer();
            requantizer.Prepare(
                [.. Enumerable.Range(0, 64).Select(k => (ushort)QualitySteps.Step(k, source, false))],
                QualitySteps.Steps(50, isChroma: false),
                isChroma: false);
            var rounded = (int magnitude) => Enumerable.Range(1, 63).Max(k => Multiply(requantizer, k, magnitude));

            Assert.Equal(0, rounded(requantizer.LeastKept - 1));
            Assert.Equal(1, rounded(requantizer.LeastKept));
        }
    }

    [Fact]
    public void Steps_that_baseline_cannot_hold_are_refused() =>
        Assert.False(
            new Requantizer().Prepare([.. Enumerable.Repeat((ushort)256, 64)], QualitySteps.Steps(50, isChroma: false), isChroma: false));

    private static int Multiply(Requantizer requantizer, int k, int magnitude) =>
        (magnitude * requantizer.Multipliers[k] + Requantizer.AcBias) >> Requantizer.Shift;
}
