using Halftone.Database;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>
/// The secret that signs deliveries to an upload's <c>webhook_url</c>, and from which the secrets of registered
/// webhooks are derived: <c>Webhook:Secret</c>, or one that is generated at the first start and stored in the database.
/// </summary>
internal sealed class InstanceSecret(HalftoneDatabase database, IOptions<WebhookOptions> options)
{
    private string? value;

    public async Task<string> GetAsync(CancellationToken cancellationToken) => value ??= options.Value.Secret is { Length: > 0 } configured
        ? configured
        : await database.GetOrAddAsync("webhook_secret", WebhookSignature.NewSecret(), cancellationToken);
}
