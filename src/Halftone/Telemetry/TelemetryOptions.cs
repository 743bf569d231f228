using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Telemetry;

/// <summary>Traces and metrics, sent over OTLP to a collector; nothing is made or sent as long as none is named.</summary>
internal sealed class TelemetryOptions : IValidatableObject
{
    public const string Http = "http/protobuf";
    public const string Grpc = "grpc";

    /// <summary>
    /// The collector, such as <c>http://127.0.0.1:4318</c>; default empty: what the environment variable <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says, and where that
    /// is empty too, nothing is made or sent.
    /// </summary>
    public string OtlpEndpoint { get; set; } = "";

    /// <summary><c>http/protobuf</c> or <c>grpc</c>; default empty: what <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> says, else <c>http/protobuf</c>.</summary>
    public string OtlpProtocol { get; set; } = "";

    /// <summary>Headers for the collector, such as <c>authorization=Bearer …</c>, several separated by commas; default empty: what <c>OTEL_EXPORTER_OTLP_HEADERS</c> says.</summary>
    public string OtlpHeaders { get; set; } = "";

    /// <summary>How often metrics are sent, 1 s to 1 h; 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The share of uploads that are traced, 0 to 1; 1. An upload that comes with a <c>traceparent</c> is traced where that says so, whatever the share.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 1;

    /// <summary>Images of one request that are traced, evenly spread over it, 0 to 1,000,000; 1,000. An image makes five spans.</summary>
    internal int TracedImages { get; set; } = 1_000;

    /// <summary>How long a stop waits for the collector to take what is left, 0.1 to 30 s; 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:30")]
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(2);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OtlpEndpoint.Length > 0 && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            yield return new ValidationResult($"Telemetry:OtlpEndpoint is '{OtlpEndpoint}': an absolute http or https URL such as http://127.0.0.1:4318 is allowed, or nothing.", [nameof(OtlpEndpoint)]);
        }

        if (OtlpProtocol is not ("" or Http or Grpc))
        {
            yield return new ValidationResult($"Telemetry:OtlpProtocol is '{OtlpProtocol}': {Http} or {Grpc} is allowed, or nothing.", [nameof(OtlpProtocol)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>;
