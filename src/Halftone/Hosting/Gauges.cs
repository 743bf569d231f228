using System.Diagnostics.Metrics;
using Halftone.Compress;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Telemetry;

namespace Halftone.Hosting;

/// <summary>Current values, read from the stages only when metrics are collected.</summary>
internal sealed class Gauges : IDisposable
{
    private readonly Meter meter = new(Instruments.MeterName);

    public Gauges(
        IWorkQueue queue,
        WaitingRoom waitingRoom,
        ImageRun imageRun,
        CodecPool codec,
        HostLimiter hosts,
        ByteBudget budget,
        BacklogReader backlog)
    {
        backlog.Start();
        meter.CreateObservableGauge(
            "halftone.backlog.requests",
            () => OfBacklog(backlog.Last?.Requests),
            "{request}",
            "Requests that have not ended, in the whole database; aggregate with max, not sum.");
        meter.CreateObservableGauge(
            "halftone.backlog.images",
            () => OfBacklog(backlog.Last?.Images),
            "{image}",
            "Images of those requests without an outcome, in the whole database; aggregate with max, not sum.");
        meter.CreateObservableGauge(
            "halftone.queue.length",
            () => OfQueues(name => queue.Length(name)),
            "{message}",
            "Messages on a queue that no worker has taken yet. With RabbitMQ, as each worker last saw it; aggregate with max, not sum.");
        meter.CreateObservableUpDownCounter(
            "halftone.queue.waiting",
            () => OfQueues(name => queue.Waiting(name)),
            "{message}",
            "Messages in this process that wait for a free place.");
        meter.CreateObservableUpDownCounter(
            "halftone.images.active",
            () => Of("halftone.state", ("working", imageRun.UnderWay - waitingRoom.Count), ("waiting_for_host", waitingRoom.Count)),
            "{image}",
            "Images in progress: being processed, or waiting for a free connection to their host.");
        meter.CreateObservableUpDownCounter(
            "halftone.codec.waiting",
            () => codec.Waiting,
            "{image}",
            "Images that wait for a codec process.");
        meter.CreateObservableUpDownCounter("halftone.codec.children", () => codec.Children.Count, "{process}", "Running codec processes.");
        meter.CreateObservableUpDownCounter(
            "halftone.codec.memory",
            () => codec.ResidentBytes,
            "By",
            "Resident memory of the codec processes, as reported with the last image of each.");
        meter.CreateObservableCounter(
            "halftone.codec.restarts",
            () => Of("halftone.reason", ("failed", codec.Restarts), ("grown", codec.Recycled)),
            "{process}",
            "Codec processes that were replaced because they crashed, hung, ran out of memory or had grown too large.");
        meter.CreateObservableUpDownCounter(
            "halftone.fetch.hosts",
            () => OfHosts(hosts.Look()),
            "{host}",
            "Image hosts currently tracked, and those whose circuit breaker is open.");
        meter.CreateObservableUpDownCounter("halftone.fetch.memory", () => budget.HeldBytes, "By", "Memory held by downloaded bodies.");
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<long>> OfQueues(Func<QueueName, long?> count) =>
        from name in Enum.GetValues<QueueName>()
        let number = count(name)
        where number is not null
        select Tagged(number.Value, "halftone.queue", QueueNames[(int)name]);

    private static readonly string[] QueueNames = ["work", "finish", "deliver", "delete"];

    private static IEnumerable<Measurement<long>> OfBacklog(long? number) => number is { } known ? [new(known)] : [];

    private static IEnumerable<Measurement<long>> OfHosts((int Hosts, int Open) found) =>
        Of("halftone.state", ("reachable", found.Hosts - found.Open), ("open", found.Open));

    private static IEnumerable<Measurement<long>> Of(string tag, params (string Value, long Number)[] numbers) =>
        numbers.Select(pair => Tagged(pair.Number, tag, pair.Value));

    private static Measurement<long> Tagged(long number, string tag, string value) =>
        new(number, new KeyValuePair<string, object?>(tag, value));
}
