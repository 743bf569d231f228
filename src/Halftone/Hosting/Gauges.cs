using System.Diagnostics.Metrics;
using Halftone.Compress;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Telemetry;

namespace Halftone.Hosting;

/// <summary>What there is at a moment, asked of the stages when metrics are sent and not before.</summary>
internal sealed class Gauges : IDisposable
{
    private readonly Meter meter = new(Instruments.MeterName);

    public Gauges(IWorkQueue queue, WaitingRoom waitingRoom, ImageRun imageRun, CodecPool codec, HostLimiter hosts, ByteBudget budget, BacklogReader backlog)
    {
        backlog.Start();
        meter.CreateObservableGauge("halftone.backlog.requests", () => OfBacklog(backlog.Last?.Requests), "{request}", "Requests that have not ended, of the whole database: take the greatest and not the sum.");
        meter.CreateObservableGauge("halftone.backlog.images", () => OfBacklog(backlog.Last?.Images), "{image}", "Images of these without an outcome, of the whole database: take the greatest and not the sum.");
        meter.CreateObservableGauge("halftone.queue.length", () => OfQueues(name => queue.Length(name)), "{message}", "Messages on a queue that nobody has taken yet. On RabbitMQ as each worker last saw it: take the greatest and not the sum.");
        meter.CreateObservableUpDownCounter("halftone.queue.waiting", () => OfQueues(name => queue.Waiting(name)), "{message}", "Messages in this process that wait for a place.");
        meter.CreateObservableUpDownCounter("halftone.images.active", () => Of("halftone.state", ("working", imageRun.UnderWay - waitingRoom.Count), ("waiting_for_host", waitingRoom.Count)), "{image}", "Images under way: worked on, or waiting for their host without a place.");
        meter.CreateObservableUpDownCounter("halftone.codec.waiting", () => codec.Waiting, "{image}", "Images that wait for a codec child.");
        meter.CreateObservableUpDownCounter("halftone.codec.children", () => codec.Children.Count, "{process}", "Codec children that are alive.");
        meter.CreateObservableUpDownCounter("halftone.codec.memory", () => codec.ResidentBytes, "By", "Resident memory of the codec children, as each said with its last image.");
        meter.CreateObservableCounter("halftone.codec.restarts", () => Of("halftone.reason", ("failed", codec.Restarts), ("grown", codec.Recycled)), "{process}", "Codec children that were replaced: they crashed, hung or ran out of memory, or had grown.");
        meter.CreateObservableUpDownCounter("halftone.fetch.hosts", () => OfHosts(hosts.Look()), "{host}", "Image hosts that are remembered, and those among them whose breaker is open.");
        meter.CreateObservableUpDownCounter("halftone.fetch.memory", () => budget.HeldBytes, "By", "Memory that downloaded bodies hold.");
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<long>> OfQueues(Func<QueueName, long?> count) =>
        from name in Enum.GetValues<QueueName>()
        let number = count(name)
        where number is not null
        select Tagged(number.Value, "halftone.queue", QueueNames[(int)name]);

    private static readonly string[] QueueNames = ["work", "finish", "deliver", "delete"];

    private static IEnumerable<Measurement<long>> OfBacklog(long? number) => number is { } known ? [new(known)] : [];

    private static IEnumerable<Measurement<long>> OfHosts((int Hosts, int Open) found) => Of("halftone.state", ("reachable", found.Hosts - found.Open), ("open", found.Open));

    private static IEnumerable<Measurement<long>> Of(string tag, params (string Value, long Number)[] numbers) => numbers.Select(pair => Tagged(pair.Number, tag, pair.Value));

    private static Measurement<long> Tagged(long number, string tag, string value) => new(number, new KeyValuePair<string, object?>(tag, value));
}
