using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class TelemetrySetup
{
    /// <summary>The services that the stages use.</summary>
    public static void AddTelemetry(this IServiceCollection services)
    {
        services.AddOptions<TelemetryOptions>().BindConfiguration("Telemetry").ValidateOnStart();
        services.AddSingleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidator>();
        services.AddSingleton<ImageSample>();
        services.AddSingleton<BacklogReader>();
        services.AddSingleton<Gauges>();
    }

    /// <summary>Registered before the stages, so that it stops after them.</summary>
    public static void AddTelemetryExport(this IServiceCollection services) => services.AddHostedService<TelemetryExport>();
}
