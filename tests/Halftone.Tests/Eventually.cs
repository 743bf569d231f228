namespace Halftone.Tests;

/// <summary>Waits for a state that raises no event.</summary>
internal static class Eventually
{
    /// <summary>Looks again and again until the condition holds; fails after 30 s.</summary>
    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    /// <summary>Looks again and again until the condition holds; fails after 30 s.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested)
            {
                Assert.Fail("did not come true within 30 s");
            }

            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
