using Halftone.Intake;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class IntakeSetup
{
    public static void AddIntake(this IServiceCollection services)
    {
        services.AddOptions<IntakeOptions>().BindConfiguration(IntakeOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<IntakeOptions>, IntakeOptionsValidator>();
        services.AddSingleton<UploadSpool>();
        services.AddSingleton<RequestIntake>();
        services.AddRunning<AbandonedUploads>();
        // Brotli may use a window of 16 MiB per body, which none of our limits counts.
        services.AddRequestDecompression(decompression => decompression.DecompressionProviders.Remove("br"));
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<IntakeOptions>>((kestrel, intake) =>
            kestrel.Limits.MaxRequestBodySize = intake.Value.MaxBodyBytes);
    }
}
