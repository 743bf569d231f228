using Halftone.Fetch;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

internal static class WebhooksSetup
{
    public static void AddWebhooks(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration("Webhook").ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddSingleton(provider => new WebhookSender(
            provider.GetRequiredService<GuardedHttp>().CreateHandler(), provider.GetRequiredService<IOptions<WebhookOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<InstanceSecret>();
        services.AddSingleton<DeliveryRun>();
    }
}
