namespace Halftone.Tests;

/// <summary>Waits for a state that raises no event.</summary>
internal static class Eventually
{
    // Only a test that fails waits so long; a machine may have much else to do.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(32);

    /// <summary>Looks again and again until the condition holds; fails after 2 min.</summary>
    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    /// <summary>Looks again and again until the condition holds; fails after 2 min.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Longest);
        var pause = TimeSpan.FromMilliseconds(1);
        while (!await condition())
        {
            if (deadline.IsCancellationRequested)
            {
                Assert.Fail($"did not come true within {Longest.TotalMinutes} min");
            }

            await Task.Delay(pause, TimeProvider.System, TestContext.Current.CancellationToken);
            pause = pause < LongestPause ? pause * 2 : pause;
        }
    }
}
