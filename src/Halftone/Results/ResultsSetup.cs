namespace Halftone.Results;

internal static class ResultsSetup
{
    public static void AddResults(this IServiceCollection services)
    {
        services.AddSingleton<ResultImages>();
        services.AddSingleton<ResultFinder>();
        services.AddSingleton<ImageLines>();
        services.AddSingleton<RequestCompletion>();
        services.AddSingleton<RequestRemoval>();
    }
}
