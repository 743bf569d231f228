using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Model;

/// <summary>
/// What travels on the queue: small, typed, never bytes. Every handler may run twice, and running twice changes nothing.
/// Members added after a release are optional, so that old and new versions can run side by side.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Plan), "plan")]
[JsonDerivedType(typeof(Image), "image")]
[JsonDerivedType(typeof(Finish), "finish")]
[JsonDerivedType(typeof(Deliver), "deliver")]
[JsonDerivedType(typeof(Delete), "delete")]
internal abstract record Message
{
    private Message() { }

    public required Guid RequestId { get; init; }

    /// <summary>The request's run when the message was written; the handler of an older run's message drops it.</summary>
    public required int Run { get; init; }

    /// <summary>The queue this message belongs on.</summary>
    [JsonIgnore]
    public abstract QueueName Queue { get; }

    /// <summary>Publish the next images after <see cref="After"/>.</summary>
    public sealed record Plan : Message
    {
        /// <summary>The image_id up to which images were published; 0 at the start of a run.</summary>
        public required long After { get; init; }

        public override QueueName Queue => QueueName.Work;
    }

    /// <summary>Fetch, compress, store and record one image.</summary>
    public sealed record Image : Message
    {
        public required long ImageId { get; init; }

        public required string Url { get; init; }

        /// <summary>Failed attempts before this one.</summary>
        public required int Attempt { get; init; }

        public required int Quality { get; init; }

        /// <summary>The output format's name, or null to keep the source's.</summary>
        public string? Format { get; init; }

        /// <summary>What the output fits into, in pixels; null: no bound.</summary>
        public int? MaxWidth { get; init; }

        public int? MaxHeight { get; init; }

        /// <summary>More outputs to be made of the same bytes, as <see cref="VariantSpec.TextOf"/> writes them; null: none.</summary>
        public string? Variants { get; init; }

        /// <summary>The request's owner; null in a message of a version that did not say, and nothing is taken over then.</summary>
        public string? Owner { get; init; }

        /// <summary>True where the upload asked for everything to be fetched and made anew.</summary>
        public bool? Fresh { get; init; }

        /// <summary>What the stored file is called before its random part: slug of the serial number and place in the row.</summary>
        public required string Name { get; init; }

        /// <summary>The span that the image's goes on from, as a W3C <c>traceparent</c>; null where the image is not traced.</summary>
        public string? TraceParent { get; init; }

        public override QueueName Queue => QueueName.Work;
    }

    /// <summary>Write the result files and close the request.</summary>
    public sealed record Finish : Message
    {
        public override QueueName Queue => QueueName.Finish;
    }

    /// <summary>One attempt of one webhook delivery; guarded by its row and not by <see cref="Message.Run"/>.</summary>
    public sealed record Deliver : Message
    {
        public required long DeliveryId { get; init; }

        /// <summary>Attempts made before this one: a message that was handed out twice makes one attempt. Null: not checked.</summary>
        public int? Attempt { get; init; }

        public override QueueName Queue => QueueName.Deliver;
    }

    /// <summary>Remove the request's files and rows.</summary>
    public sealed record Delete : Message
    {
        public override QueueName Queue => QueueName.Delete;
    }

    public string ToJson() => JsonSerializer.Serialize(this, MessageJson.Default.Message);

    /// <exception cref="JsonException">Not a message of this version: it is parked, never counted against an image.</exception>
    public static Message FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, MessageJson.Default.Message) ?? throw new JsonException("The message is null.");
        }
        catch (NotSupportedException exception)
        {
            // What the serializer says of an object without "type".
            throw new JsonException("The message has no type.", exception);
        }
    }
}

internal enum QueueName
{
    Work,
    Finish,
    Deliver,

    /// <summary>Apart from <see cref="Finish"/>: when the disk is full every Finish waits, and only a Delete makes room.</summary>
    Delete,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Message))]
internal sealed partial class MessageJson : JsonSerializerContext;
