using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Halftone.Tests.Servers;

/// <summary>A span as it arrived; ids in lower-case hexadecimal.</summary>
internal sealed record SentSpan(
    string TraceId,
    string SpanId,
    string ParentSpanId,
    string Name,
    long Kind,
    long Status,
    IReadOnlyDictionary<string, string> Attributes);

/// <summary>A series of a metric as it last arrived.</summary>
/// <param name="Attributes">As <c>name=value</c>, sorted, separated by commas.</param>
/// <param name="Value">Of a histogram the count.</param>
internal sealed record SentSeries(string Name, string Unit, string Attributes, double Value);

/// <summary>
/// A collector on loopback that takes OTLP over HTTP with protobuf (https://opentelemetry.io/docs/specs/otlp) and understands what tests
/// look at.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private OtlpReceiver(WebApplication app) => this.app = app;

    public ConcurrentQueue<SentSpan> Spans { get; } = [];

    public ConcurrentDictionary<(string Name, string Attributes), SentSeries> Series { get; } = [];

    /// <summary>The attributes of whoever sent last.</summary>
    public IReadOnlyDictionary<string, string> Resource { get; private set; } = new Dictionary<string, string>();

    /// <summary>The headers of the last call.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    public string Url => app.Urls.Single();

    public static async Task<OtlpReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/traces", context => receiver.ReadAsync(context, receiver.AddSpan));
        app.MapPost("/v1/metrics", context => receiver.ReadAsync(context, receiver.AddMetric));
        await app.StartAsync(cancellationToken);
        return receiver;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>Both kinds of export: 1 per resource { 1: resource, 2: per scope { 2: what is sent } }.</summary>
    private async Task ReadAsync(HttpContext context, Action<byte[]> add)
    {
        Assert.Equal("application/x-protobuf", context.Request.ContentType);
        Headers = context.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString());
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var perResource in Fields(body.ToArray()).Where(field => field.Number == 1))
        {
            var parts = Fields(perResource.Bytes);
            Resource = Attributes(Fields(parts.First(part => part.Number == 1).Bytes), 1);
            foreach (var sent in parts
                .Where(part => part.Number == 2)
                .SelectMany(scope => Fields(scope.Bytes))
                .Where(field => field.Number == 2))
            {
                add(sent.Bytes);
            }
        }
    }

    private void AddSpan(byte[] span)
    {
        var fields = Fields(span);
        var status =
            fields
                .Where(field => field.Number == 15)
                .SelectMany(field => Fields(field.Bytes))
                .FirstOrDefault(field => field.Number == 3).Value;
        Spans.Enqueue(new SentSpan(
            Hex(fields, 1),
            Hex(fields, 2),
            Hex(fields, 4),
            Text(fields, 5),
            fields.FirstOrDefault(field => field.Number == 6).Value,
            status,
            Attributes(fields, 9)));
    }

    /// <summary>
    /// Gauge 5, sum 7 and histogram 9 each hold their points as field 1; the attributes of a point are field 7, of a histogram's 9.
    /// </summary>
    private void AddMetric(byte[] metric)
    {
        var fields = Fields(metric);
        var (name, unit) = (Text(fields, 1), Text(fields, 3));
        foreach (var data in fields.Where(field => field.Number is 5 or 7 or 9))
        {
            foreach (var point in Fields(data.Bytes).Where(field => field.Number == 1))
            {
                var values = Fields(point.Bytes);
                var attributes = string.Join(
                    ",",
                    Attributes(values, data.Number == 9 ? 9 : 7).Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));
                var value = data.Number == 9
                    ? values.First(field => field.Number == 4).Value
                    : values
                        .Where(field => field.Number is 4 or 6)
                        .Select(field => field.Number == 4 ? BitConverter.Int64BitsToDouble(field.Value) : field.Value)
                        .Single();
                Series[(name, attributes)] = new SentSeries(name, unit, attributes, value);
            }
        }
    }

    private static string Hex(List<Field> fields, int number) =>
        Convert.ToHexStringLower(fields.FirstOrDefault(field => field.Number == number).Bytes ?? []);

    private static string Text(List<Field> fields, int number) =>
        Encoding.UTF8.GetString(fields.FirstOrDefault(field => field.Number == number).Bytes ?? []);

    /// <summary>Key 1, value 2, of which text is 1, true or false 2, a whole number 3 and a real one 4.</summary>
    private static Dictionary<string, string> Attributes(List<Field> fields, int number) =>
        fields.Where(field => field.Number == number).Select(field => Fields(field.Bytes)).ToDictionary(
            pair => Text(pair, 1),
            pair => pair
                .Where(part => part.Number == 2)
                .SelectMany(part => Fields(part.Bytes))
                .Select(value => value.Number == 1 ? Encoding.UTF8.GetString(value.Bytes) : $"{value.Value}")
                .FirstOrDefault(""));

    /// <summary>The fields of a message (https://protobuf.dev/programming-guides/encoding).</summary>
    private static List<Field> Fields(byte[] message)
    {
        var fields = new List<Field>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var (number, kind) = ((int)(key >> 3), (int)(key & 7));
            switch (kind)
            {
                case 0:
                    fields.Add(new Field(number, Varint(message, ref at), []));
                    break;
                case 1:
                    fields.Add(new Field(number, BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(at)), []));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add(new Field(number, 0, message[at..(at + length)]));
                    at += length;
                    break;
                case 5:
                    fields.Add(new Field(number, BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(at)), []));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"Protobuf has no wire type {kind}.");
            }
        }

        return fields;
    }

    private static long Varint(byte[] message, ref int at)
    {
        var value = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (long)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private readonly record struct Field(int Number, long Value, byte[] Bytes);
}
