using System.Text.Json;
using System.Text.Json.Serialization;
using Halftone.Intake;
using Halftone.Requests;
using Halftone.Results;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Mvc;

namespace Halftone.Api;

// One options object for the answers and for hand-written lines and events.
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(RequestStatus))]
[JsonSerializable(typeof(RequestList))]
[JsonSerializable(typeof(ImageLine))]
[JsonSerializable(typeof(ImageList))]
[JsonSerializable(typeof(UploadChecked))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(WebhookRegistered))]
[JsonSerializable(typeof(WebhookReplayed))]
[JsonSerializable(typeof(WebhookPinged))]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(DeliveryList))]
[JsonSerializable(typeof(UploadAccepted))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(UploadProblem[]))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ProblemDetails))]
internal sealed partial class ApiJson : JsonSerializerContext;
