using Halftone.Webhooks;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class WebhooksSetup
{
    public static void AddWebhooks(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration("Webhook").ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<InstanceSecret>();
        services.AddSingleton<EndpointTurns>();
        services.AddSingleton<DeliveryRun>();
        services.AddSingleton<WebhookRegistry>();
        services.AddSingleton<WebhookReader>();
    }
}
