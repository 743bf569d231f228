using System.Net;
using Halftone.Fetch;
using Halftone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Halftone.Tests.Fetch;

/// <summary>The stage as the product wires it. Loopback is open unless a test closes it.</summary>
internal sealed class FetchKit : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private FetchKit(ServiceProvider services) => this.services = services;

    public ImageFetcher Fetcher => services.GetRequiredService<ImageFetcher>();

    public HostLimiter Hosts => services.GetRequiredService<HostLimiter>();

    public ByteBudget Budget => services.GetRequiredService<ByteBudget>();

    public SafeConnect Connect => services.GetRequiredService<SafeConnect>();

    public GuardedHttp Http => services.GetRequiredService<GuardedHttp>();

    /// <summary>A stage with loopback opened.</summary>
    public static FetchKit Open(Action<FetchOptions>? configure = null, Func<string, IPAddress[]>? resolve = null, TimeProvider? time = null) =>
        Closed(options =>
        {
            options.AllowNetworks = ["127.0.0.1", "::1"];
            configure?.Invoke(options);
        }, resolve, time);

    /// <summary>A stage as it ships: nothing opened.</summary>
    public static FetchKit Closed(Action<FetchOptions>? configure = null, Func<string, IPAddress[]>? resolve = null, TimeProvider? time = null)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddLogging(logging => logging.ClearProviders());
        services.AddFetch();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (resolve is not null)
        {
            services.Replace(ServiceDescriptor.Singleton(_ => new NameLookup(resolve)));
        }

        if (time is not null)
        {
            services.Replace(ServiceDescriptor.Singleton(time));
        }

        return new FetchKit(services.BuildServiceProvider());
    }

    /// <summary>Fetches, and expects failure.</summary>
    public async Task<FetchResult.Failed> FailAsync(Uri url) =>
        Assert.IsType<FetchResult.Failed>(await Fetcher.FetchAsync(url, TestContext.Current.CancellationToken));

    /// <summary>Fetches, expects success, and gives a copy of the body.</summary>
    public async Task<byte[]> BodyAsync(Uri url)
    {
        var result = await Fetcher.FetchAsync(url, TestContext.Current.CancellationToken);
        Assert.True(result is FetchResult.Fetched, $"{result}");
        var fetched = (FetchResult.Fetched)result;
        using var body = fetched.Body;
        return body.Bytes.ToArray();
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
