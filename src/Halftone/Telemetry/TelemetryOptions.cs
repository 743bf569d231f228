using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Telemetry;

/// <summary>Traces and metrics, sent over OTLP to a collector; nothing is created or sent unless one is configured.</summary>
internal sealed class TelemetryOptions : IValidatableObject
{
    public const string Http = "http/protobuf";
    public const string Grpc = "grpc";

    /// <summary>
    /// URL of the collector, such as <c>http://127.0.0.1:4318</c>. Default: empty, which means the environment variable
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>; if that is empty too, nothing is created or sent.
    /// </summary>
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>
    /// <c>http/protobuf</c> or <c>grpc</c>. Default: empty, which means <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, or
    /// <c>http/protobuf</c>.
    /// </summary>
    public string OtlpProtocol { get; set; } = "";

    /// <summary>
    /// Headers for the collector, such as <c>authorization=Bearer …</c>, separated by commas. Default: empty, which
    /// means <c>OTEL_EXPORTER_OTLP_HEADERS</c>.
    /// </summary>
    public string OtlpHeaders { get; set; } = "";

    /// <summary>Interval of metrics, 1 s to 1 h; 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Fraction of uploads that are traced, 0 to 1; 1. An upload with a <c>traceparent</c> follows its sampling flag
    /// instead.
    /// </summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 1;

    /// <summary>Traced images per request, evenly spread over it, 0 to 1,000,000; 1,000. An image has five spans.</summary>
    internal int TracedImages { get; set; } = 1_000;

    /// <summary>Maximum time that a stop waits for the collector to take the remaining data, 0.1 to 30 s; 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:30")]
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(2);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OtlpEndpoint.Length > 0 && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            yield return new ValidationResult(
                $"Telemetry:OtlpEndpoint is '{OtlpEndpoint}'; it must be an absolute http or https URL such as http://127.0.0.1:4318, "
                + "or empty.",
                [nameof(OtlpEndpoint)]);
        }

        if (OtlpProtocol is not ("" or Http or Grpc))
        {
            yield return new ValidationResult(
                $"Telemetry:OtlpProtocol is '{OtlpProtocol}'; it must be {Http} or {Grpc}, or empty.",
                [nameof(OtlpProtocol)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>;
