using Halftone.Requests;

namespace Halftone.Hosting;

internal static class ReuseSetup
{
    public static void AddReuse(this IServiceCollection services)
    {
        services.AddOptions<ReuseOptions>().BindConfiguration("Reuse").ValidateOnStart();
        services.AddSingleton<EarlierOutputs>();
    }
}
