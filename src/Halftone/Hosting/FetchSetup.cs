using System.Net;
using Halftone.Fetch;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>The services of the fetch stage, all singletons.</summary>
internal static class FetchServices
{
    extension(IServiceCollection services)
    {
        public IServiceCollection AddFetch()
        {
            services.AddOptions<FetchOptions>().BindConfiguration("Fetch").ValidateOnStart();
            services.AddSingleton<IValidateOptions<FetchOptions>, FetchOptionsValidator>();
            services.TryAddSingleton(TimeProvider.System);
            return services
                .AddSingleton(_ => new NameLookup(Dns.GetHostAddresses))
                .AddSingleton<AddressGate>()
                .AddSingleton<SafeConnect>()
                .AddSingleton<GuardedHttp>()
                .AddSingleton<HostLimiter>()
                .AddSingleton<ByteBudget>()
                .AddSingleton<ImageFetcher>();
        }
    }
}
