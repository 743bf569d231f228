using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Halftone.Compress;
using Halftone.Hosting;
using Halftone.Telemetry;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Telemetry;

/// <summary>docs/operations.md is what people make dashboards and alerts from.</summary>
public sealed partial class OperationsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Script.Repository, "docs/operations.md"));

    [Fact]
    public async Task The_page_lists_every_metric_with_its_kind_and_unit_and_no_other()
    {
        var found = new HashSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == Instruments.MeterName)
                {
                    lock (found)
                    {
                        found.Add($"| `{instrument.Name}` | {KindOf(instrument)} | `{instrument.Unit}` |");
                    }
                }
            },
        };
        listener.Start();
        RuntimeHelpers.RunClassConstructor(typeof(CodecMetrics).TypeHandle);
        await using var server = await HalftoneServer.StartAsync(TestContext.Current.CancellationToken);
        server.Services.GetRequiredService<Gauges>();

        Assert.Equal(found.Order(StringComparer.Ordinal), Metrics().Matches(Page).Select(match => match.Value).Order(StringComparer.Ordinal));
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" or "ObservableCounter" => "counter",
        "ObservableUpDownCounter" => "sum",
        "ObservableGauge" => "gauge",
        var other => other.ToLowerInvariant(),
    };

    [GeneratedRegex(@"^\| `halftone\.[\w.]+` \| \w+ \| `[^`]+` \|", RegexOptions.Multiline)]
    private static partial Regex Metrics();
}
