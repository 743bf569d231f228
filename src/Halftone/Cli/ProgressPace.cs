using System.Globalization;

namespace Halftone.Cli;

/// <summary>Images per second over the last ten seconds; a mean over the whole run would still show the pace of an hour ago.</summary>
internal sealed class ProgressPace(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private readonly Queue<(long At, long Done)> seen = [];

    /// <summary>Records how many images are done now.</summary>
    /// <returns>Text such as <c>1,200 of 5,000 images, 3 failed, 118 images/s, 32 s left</c>.</returns>
    public string Note(long completed, long failed, long total)
    {
        var (now, done) = (time.GetTimestamp(), completed + failed);
        seen.Enqueue((now, done));
        while (time.GetElapsedTime(seen.Peek().At, now) > Window)
        {
            seen.Dequeue();
        }

        var first = seen.Peek();
        var seconds = time.GetElapsedTime(first.At, now).TotalSeconds;
        var perSecond = seconds < 0.5 ? 0 : (done - first.Done) / seconds;
        return string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {total:N0} images")
            + (failed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {failed:N0} failed") : "")
            + (perSecond > 0 ? $", {perSecond.ToString(perSecond < 10 ? "0.0" : "N0", CultureInfo.InvariantCulture)} images/s" : "")
            + (perSecond > 0 && done < total ? $", {Left(TimeSpan.FromSeconds((total - done) / perSecond))} left" : "");
    }

    private static string Left(TimeSpan time) => time switch
    {
        { TotalMinutes: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
        { TotalHours: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):0} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:N0} days"),
    };
}
