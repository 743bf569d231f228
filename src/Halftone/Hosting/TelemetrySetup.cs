using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class TelemetrySetup
{
    /// <summary>What the stages ask.</summary>
    public static void AddTelemetry(this IServiceCollection services)
    {
        services.AddOptions<TelemetryOptions>().BindConfiguration("Telemetry").ValidateOnStart();
        services.AddSingleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidator>();
        services.AddSingleton<ImageSample>();
        services.AddSingleton<BacklogReader>();
        services.AddSingleton<Gauges>();
    }

    /// <summary>Before the stages, so that it is stopped after them.</summary>
    public static void AddTelemetryExport(this IServiceCollection services) => services.AddHostedService<TelemetryExport>();
}
