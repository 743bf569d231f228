using System.Collections.Concurrent;
using Halftone.Compress;
using Halftone.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Servers;

/// <summary>
/// A codec pool of one child that serves one server after the other: starting a child costs more processor time than most tests do. It
/// starts with
/// its first image. A pool that lost its child or is not idle when its server ends is not rented again.
/// </summary>
internal sealed class RentedCodec : IServiceProviderFactory<IServiceCollection>, IAsyncDisposable
{
    private static readonly ConcurrentStack<RentedCodec> Free = [];

    private readonly CodecPool pool = new(
        Options.Create(new CompressOptions { Children = 1 }), Options.Create(new ServerOptions()), TimeProvider.System,
        NullLogger<CodecPool>.Instance);

    private int isReturned;

    /// <summary>True for settings that a running pool could not follow.</summary>
    public static bool IsAffectedBy(string setting) =>
        setting.StartsWith("Compress:", StringComparison.OrdinalIgnoreCase)
            || setting.Equals("Server:Role", StringComparison.OrdinalIgnoreCase);

    public static RentedCodec Rent()
    {
        if (Free.TryPop(out var codec))
        {
            codec.isReturned = 0;
            return codec;
        }

        codec = new RentedCodec();
        ThrowAwayServers.EndWithRun(codec);
        return codec;
    }

    /// <summary>Gives it to the next server; once, however often it is called.</summary>
    public void Return()
    {
        if (Interlocked.Exchange(ref isReturned, 1) == 0)
        {
            if (pool.Restarts + pool.Recycled + pool.Waiting == 0)
            {
                Free.Push(this);
            }
            else
            {
                pool.Dispose();
            }
        }
    }

    /// <summary>Takes the place of the server's own pool, and of the service that would start it and end it with the server.</summary>
    public IServiceCollection CreateBuilder(IServiceCollection services)
    {
        services.RemoveAll<CodecPool>();
        services.Remove(services.Single(service => service.ImplementationFactory is Func<IServiceProvider, CodecPool>));
        services.AddSingleton(pool);
        return services;
    }

    public IServiceProvider CreateServiceProvider(IServiceCollection containerBuilder) => containerBuilder.BuildServiceProvider();

    public ValueTask DisposeAsync()
    {
        pool.Dispose();
        return ValueTask.CompletedTask;
    }
}
