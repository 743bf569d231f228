using System.Collections.Concurrent;
using Halftone.Cli;

namespace Halftone.Tests.Cli;

/// <summary>Keeps what a verb showed of its progress.</summary>
internal sealed class Watcher : ProgressDisplay
{
    private readonly ConcurrentQueue<string> texts = [];

    public ConcurrentQueue<string> Sentences { get; } = [];

    public override void Show(double? part, string text) => texts.Enqueue(text);

    public override void Say(string sentence) => Sentences.Enqueue(sentence);

    public Task SeenAsync(string beginning) => Eventually.TrueAsync(() => texts.Any(text => text.StartsWith(beginning, StringComparison.Ordinal)));
}
