using System.Net;
using Halftone.Fetch;
using Halftone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Halftone.Hostile.Fuzz;

/// <summary>
/// The stage that fetches, as the product wires it, but for the names, each of which leads to 10.0.0.1, and the open ports: no mutated URL may
/// have a real host called. One address of loopback is opened.
/// </summary>
internal static class FetchStage
{
    /// <summary>No server listens at it.</summary>
    public const int OpenPort = 4;

    public static readonly IPAddress Opened = IPAddress.Parse("127.66.0.1");

    public static ServiceProvider Create()
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging(logging => logging.ClearProviders());
        services.AddFetch();
        services.Configure<FetchOptions>(options =>
        {
            options.AllowNetworks = [Opened.ToString()];
            options.Ports = [OpenPort];
            options.AttemptTimeout = options.ConnectTimeout = TimeSpan.FromSeconds(2);
            options.MaxBytes = 1 << 20;
            options.BreakerThreshold = 1000;
        });
        services.Replace(ServiceDescriptor.Singleton(_ => new NameLookup(_ => [IPAddress.Parse("10.0.0.1")])));
        return services.BuildServiceProvider();
    }

    /// <summary>True for a URL that would have a stranger's host called.</summary>
    public static bool LeadsOutside(Uri url) => url.Port == OpenPort;
}
