using System.Diagnostics;

namespace Halftone.Telemetry;

/// <summary>One stage of an image: <c>fetch</c>, <c>compress</c>, <c>store</c> or <c>record</c>.</summary>
internal static class Stage
{
    /// <summary>Runs the work in its own span and records its duration, including waiting.</summary>
    public static async Task<(T Result, TimeSpan Took)> RunAsync<T>(string name, Func<Task<T>> work)
    {
        using var span = Traces.Step(name);
        var started = Stopwatch.GetTimestamp();
        var result = await work();
        var took = Stopwatch.GetElapsedTime(started);
        Instruments.Stage(name, took);
        return (result, took);
    }
}
