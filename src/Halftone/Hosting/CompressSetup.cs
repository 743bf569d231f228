using Halftone.Compress;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class CompressSetup
{
    /// <summary>The pool of codec children, which start with the host.</summary>
    public static void AddCompress(this IServiceCollection services)
    {
        services.AddOptions<CompressOptions>().BindConfiguration(CompressOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CompressOptions>, CompressOptionsValidator>();
        services.AddSingleton<CodecPool>();
        services.AddHostedService(provider => provider.GetRequiredService<CodecPool>());
    }
}
