using System.CommandLine;
using System.Globalization;
using Halftone.Api;

namespace Halftone.Cli;

/// <summary>
/// <c>halftone webhooks list</c>, <c>add URL</c>, <c>remove ID</c>, <c>ping ID</c>, <c>deliveries</c>,
/// <c>replay ID</c>: manage a server's webhooks.
/// </summary>
internal static class WebhooksCommand
{
    private static readonly Argument<string> Url = new("URL") { Description = "URL that receives the events." };
    private static readonly Option<string?> OfRequest = new("--request")
    {
        Description = "Only the event of this request.",
        HelpName = "ID",
    };
    private static readonly Argument<string> WebhookId = new("ID") { Description = "ID from 'halftone webhooks list'." };
    private static readonly Argument<string?> DeliveriesOf = new("ID")
    {
        Description = "ID from 'halftone webhooks list'.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private static readonly Option<string?> DeliveriesOfRequest = new("--request")
    {
        Description = "Deliveries of this request to all its endpoints, instead of one webhook's.",
        HelpName = "ID",
    };

    public static Command Create()
    {
        var deliveries =
            new Command("deliveries", "Lists the newest deliveries of a webhook or a request, with the answer to every attempt.")
            {
                DeliveriesOf,
                DeliveriesOfRequest,
            };
        deliveries.Validators.Add(result =>
        {
            if (result.GetValue(DeliveriesOf) is null == result.GetValue(DeliveriesOfRequest) is null)
            {
                result.AddError("Give the ID of a webhook, or name a request with --request.");
            }
        });
        return new Command("webhooks", "Lists, adds and removes a server's webhooks, and shows their deliveries.")
        {
            ClientVerb.With(new Command("list", "Lists the webhooks."), ListAsync),
            ClientVerb.With(
                new Command("add", "Registers a webhook and prints its ID and its secret, which is shown only once.") { Url, OfRequest },
                AddAsync),
            ClientVerb.With(new Command("remove", "Removes a webhook.") { WebhookId }, RemoveAsync),
            ClientVerb.With(
                new Command("ping", "Sends a test event to a webhook; 'halftone webhooks deliveries' shows the outcome.") { WebhookId },
                PingAsync),
            ClientVerb.With(deliveries, ListDeliveriesAsync),
            ClientVerb.With(new Command("replay", "Sends the event of a finished request again.") { ClientVerb.RequestId }, ReplayAsync),
        };
    }

    private static async Task<int> ListAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync(HttpMethod.Get, "webhook", null, ApiJson.Default.WebhookList, cancellationToken);
        if (!PrintedJson(result, answer))
        {
            ConsoleTable.Write(
                result,
                ["WEBHOOK", "FOR", "REGISTERED", "STATE", "URL"],
                answer.Value.Webhooks.Select(webhook => new[]
                {
                    webhook.WebhookId,
                    webhook.RequestId?.ToString("D") ?? "every request",
                    ConsoleTable.Time(webhook.CreatedAt),
                    webhook.DisabledAt is { } disabled ? $"off since {ConsoleTable.Time(disabled)} (410)" : "on",
                    webhook.CallbackUrl,
                }));
        }

        return ExitCode.Done;
    }

    private static async Task<int> AddAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var body = new WebhookBody { CallbackUrl = result.GetValue(Url), RequestId = result.GetValue(OfRequest) };
        var answer = await client.CallAsync(HttpMethod.Post, "webhook", body, ApiJson.Default.WebhookRegistered, cancellationToken);
        if (!PrintedJson(result, answer))
        {
            result.Print($"{answer.Value.WebhookId}  {answer.Value.Secret}");
        }

        return ExitCode.Done;
    }

    private static async Task<int> RemoveAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var id = result.GetValue(WebhookId)!;
        await client.CallAsync(HttpMethod.Delete, $"webhook/{Uri.EscapeDataString(id)}", cancellationToken);
        result.Print(result.GetValue(ClientVerb.Json) ? "{}" : $"Removed {id}.");
        return ExitCode.Done;
    }

    private static async Task<int> PingAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync(
            HttpMethod.Post,
            $"webhook/{Uri.EscapeDataString(result.GetValue(WebhookId)!)}/ping",
            null,
            ApiJson.Default.WebhookPinged,
            cancellationToken);
        if (!PrintedJson(result, answer))
        {
            result.Print(answer.Value.Message);
        }

        return ExitCode.Done;
    }

    private static async Task<int> ListDeliveriesAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var path = result.GetValue(DeliveriesOfRequest) is { } requestId
            ? $"requests/{Uri.EscapeDataString(requestId)}/deliveries"
            : $"webhook/{Uri.EscapeDataString(result.GetValue(DeliveriesOf)!)}/deliveries";
        var answer = await client.CallAsync(HttpMethod.Get, path, null, ApiJson.Default.DeliveryList, cancellationToken);
        if (!PrintedJson(result, answer))
        {
            ConsoleTable.Write(
                result,
                ["MESSAGE", "REQUEST", "STATE", "ATTEMPTS", "LAST ANSWER", "NEXT ATTEMPT", "ENDPOINT"],
                answer.Value.Deliveries.Select(delivery => new[]
                {
                    delivery.MessageId,
                    delivery.RequestId?.ToString("D") ?? "a test",
                    delivery.Status,
                    delivery.Attempts.Count.ToString(CultureInfo.InvariantCulture),
                    delivery.Attempts.Count == 0
                        ? "-"
                        : delivery.Attempts[^1] is { HttpStatus: { } status }
                        ? $"HTTP {status}"
                        : delivery.Attempts[^1].Error ?? "-",
                    delivery.NextAttemptAt is { } next ? ConsoleTable.Time(next) : "-",
                    delivery.Endpoint,
                }));
        }

        return ExitCode.Done;
    }

    private static async Task<int> ReplayAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var body = new WebhookBody { RequestId = result.GetValue(ClientVerb.RequestId) };
        var answer = await client.CallAsync(HttpMethod.Post, "webhook", body, ApiJson.Default.WebhookReplayed, cancellationToken);
        if (!PrintedJson(result, answer))
        {
            result.Print(answer.Value.Message);
        }

        return ExitCode.Done;
    }

    private static bool PrintedJson<T>(ParseResult result, Answer<T> answer)
    {
        if (result.GetValue(ClientVerb.Json))
        {
            result.Print(answer.Json);
        }

        return result.GetValue(ClientVerb.Json);
    }
}
