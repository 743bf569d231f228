using Halftone.Api;
using Halftone.Pipeline;
using Halftone.Results;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class ResultsSetup
{
    public static void AddResults(this IServiceCollection services)
    {
        services.AddSingleton<ResultImages>();
        services.AddSingleton<ResultFinder>();
        services.AddSingleton<ImageLines>();
        services.AddSingleton<RequestCompletion>();
        services.AddSingleton<RequestRemoval>();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateOnStart();
        services.AddSingleton<IValidateOptions<RetentionOptions>, RetentionOptionsValidator>();
        services.AddRunning<RetentionSweep>();
    }
}
