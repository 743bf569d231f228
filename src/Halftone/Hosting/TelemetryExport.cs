using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Halftone.Hosting;

/// <summary>
/// Sends traces and metrics to the collector named by <see cref="TelemetryOptions.OtlpEndpoint"/> or the environment;
/// without one, nothing is created. Starts before the stages and stops after them, so that work that ends during the
/// stop is sent too.
/// </summary>
internal sealed class TelemetryExport(
    IOptions<TelemetryOptions> options,
    IServiceProvider services,
    TimeProvider time,
    ILogger<TelemetryExport> logger) : IHostedService, IDisposable
{
    private TracerProvider? traces;
    private MeterProvider? metrics;
    private ExportProblems? problems;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var telemetry = options.Value;
        if (telemetry.OtlpEndpoint.Length > 0 || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            // Created here, so that without a collector there is nothing to collect.
            services.GetRequiredService<Gauges>();
            problems = new ExportProblems(time, logger);
            var resource = ResourceOf();
            traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(telemetry.TraceRatio)))
                .AddSource(Traces.Source.Name)
                .AddOtlpExporter(exporter => Configure(exporter, telemetry, "v1/traces"))
                .Build();
            metrics = Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(resource)
                // Without System.Net.Http, which creates a time series for each host in a spreadsheet.
                .AddMeter(Instruments.MeterName, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Npgsql")
                .AddOtlpExporter((exporter, reader) =>
                {
                    Configure(exporter, telemetry, "v1/metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds =
                        (int)telemetry.MetricsInterval.TotalMilliseconds;
                })
                .Build();
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// Sends what is left within <see cref="TelemetryOptions.FlushTimeout"/>: an unavailable collector must not delay
    /// the stop.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var milliseconds = (int)options.Value.FlushTimeout.TotalMilliseconds;
        await Task.WhenAll(
            Task.Run(() => traces?.Shutdown(milliseconds), CancellationToken.None),
            Task.Run(() => metrics?.Shutdown(milliseconds), CancellationToken.None));
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
        problems?.Dispose();
    }

    private static ResourceBuilder ResourceOf() => ResourceBuilder.CreateEmpty()
        .AddService("halftone", serviceVersion: ProductVersion.Value)
        .AddTelemetrySdk()
        // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
        .AddEnvironmentVariableDetector();

    private static void Configure(OtlpExporterOptions exporter, TelemetryOptions telemetry, string path)
    {
        var protocol = telemetry.OtlpProtocol.Length > 0
            ? telemetry.OtlpProtocol
            : Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL");
        exporter.Protocol = protocol == TelemetryOptions.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        if (telemetry.OtlpEndpoint.Length > 0)
        {
            // An endpoint set in code is used as is, without the path of the signal.
            exporter.Endpoint = new Uri(
                exporter.Protocol == OtlpExportProtocol.Grpc ? telemetry.OtlpEndpoint : $"{telemetry.OtlpEndpoint.TrimEnd('/')}/{path}");
        }

        if (telemetry.OtlpHeaders.Length > 0)
        {
            exporter.Headers = telemetry.OtlpHeaders;
        }
    }
}
