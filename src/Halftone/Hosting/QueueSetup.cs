using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Requests;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class QueueSetup
{
    public static void AddQueue(this IServiceCollection services)
    {
        services.AddOptions<QueueOptions>().BindConfiguration("Queue").ValidateOnStart();
        services.AddSingleton<IValidateOptions<QueueOptions>, QueueOptionsValidator>();
        services.AddSingleton<WaitingRoom>();
        services.AddSingleton<ChannelQueue>();
        services.AddSingleton<RabbitBroker>();
        services.AddSingleton<RabbitQueue>();
        services.AddSingleton<IWorkQueue>(provider =>
            provider.GetRequiredService<IOptions<QueueOptions>>().Value.Uri.Length > 0
                ? provider.GetRequiredService<RabbitQueue>()
                : provider.GetRequiredService<ChannelQueue>());
        services.AddSingleton<DueSignal>();
        services.AddSingleton<Planner>();
        services.AddSingleton<Replan>();
        services.AddSingleton<Requeue>();
        services.AddSingleton<UnusedOutputs>();
        services.AddSingleton<TakeOver>();
        services.AddSingleton<OutputMaker>();
        services.AddSingleton<ImageRun>();
        services.AddRunning<OutboxRelay>();
        services.AddRunning<RetrySweep>();
        // Registered before the workers, so that it stops after them: outcomes of work that ends during the stop are recorded.
        services.AddRunning<OutcomeRecorder>();
        services.AddRunning<Workers>();
    }

    /// <summary>Registers a background service that others can also resolve.</summary>
    public static void AddRunning<T>(this IServiceCollection services)
        where T : BackgroundService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
