using System.CommandLine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Halftone.Cli;

/// <summary>
/// Progress of a verb on standard error: a bar on a terminal, otherwise a line from time to time. Standard output is
/// for the result.
/// </summary>
internal abstract class ProgressDisplay
{
    /// <summary>Shows progress while <paramref name="work"/> runs.</summary>
    public static Task<T> WhileAsync<T>(ParseResult result, string title, TimeProvider time, Func<ProgressDisplay, Task<T>> work)
    {
        var error = result.InvocationConfiguration.Error;
        if (error != Console.Error || Console.IsErrorRedirected)
        {
            return work(new Lines(title, error, time));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return Bar.WhileAsync(title, console, work);
    }

    /// <summary>Shows the current progress.</summary>
    /// <param name="part">0 to 1; null if the end is not known.</param>
    /// <param name="text">The progress in words.</param>
    public abstract void Show(double? part, string text);

    /// <summary>Prints a sentence that stays on screen.</summary>
    public abstract void Say(string sentence);

    private sealed class Lines(string title, TextWriter error, TimeProvider time) : ProgressDisplay
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
        private string last = "";
        private long? lastAt;

        public override void Show(double? part, string text)
        {
            if (text != last && (lastAt is null || time.GetElapsedTime(lastAt.Value) >= Interval))
            {
                (last, lastAt) = (text, time.GetTimestamp());
                Say($"{title}: {text}");
            }
        }

        public override void Say(string sentence) => error.WriteLine(sentence);
    }

    private sealed class Bar(IAnsiConsole console, ProgressTask task) : ProgressDisplay
    {
        private string text = "";

        public static Task<T> WhileAsync<T>(string title, IAnsiConsole console, Func<ProgressDisplay, Task<T>> work)
        {
            var words = new Words();
            return console.Progress()
                .AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), words)
                .StartAsync(bars =>
                {
                    words.Bar = new Bar(console, bars.AddTask(Markup.Escape(title), maxValue: 1));
                    return work(words.Bar);
                });
        }

        public override void Show(double? part, string text)
        {
            task.IsIndeterminate = part is null;
            task.Value = part ?? 0;
            this.text = text;
        }

        public override void Say(string sentence) => console.WriteLine(sentence);

        private sealed class Words : ProgressColumn
        {
            public Bar? Bar { get; set; }

            public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(Bar?.text ?? "");
        }
    }
}
