using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Halftone.Model;

/// <summary>
/// Messages on the queue: small and typed, never image data. Every handler may run twice, and the second run changes
/// nothing. Members added after a release are optional, so that old and new versions can run side by side.
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

    /// <summary>The request's run when the message was written; handlers drop messages of older runs.</summary>
    public required int Run { get; init; }

    /// <summary>The queue that this message belongs on.</summary>
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

        /// <summary>In JSON these are members of the message itself.</summary>
        public required OutputOptions Outputs { get; init; }

        /// <summary>Owner of the request; null in a message of a version without it, and then nothing is reused.</summary>
        public string? Owner { get; init; }

        /// <summary>True if the upload asked to fetch and process everything again.</summary>
        public bool? Fresh { get; init; }

        /// <summary>Name of the stored file before its random part: slug of the serial number and position in the row.</summary>
        public required string Name { get; init; }

        /// <summary>The parent of the image's span, as a W3C <c>traceparent</c>; null if the image is not traced.</summary>
        public string? TraceParent { get; init; }

        public override QueueName Queue => QueueName.Work;
    }

    /// <summary>Write the result files and close the request.</summary>
    public sealed record Finish : Message
    {
        public override QueueName Queue => QueueName.Finish;
    }

    /// <summary>One attempt of one webhook delivery; guarded by its row, not by <see cref="Message.Run"/>.</summary>
    public sealed record Deliver : Message
    {
        public required long DeliveryId { get; init; }

        /// <summary>Attempts before this one, so that a message delivered twice makes one attempt. Null: not checked.</summary>
        public int? Attempt { get; init; }

        public override QueueName Queue => QueueName.Deliver;
    }

    /// <summary>Remove the request's files and rows.</summary>
    public sealed record Delete : Message
    {
        public override QueueName Queue => QueueName.Delete;
    }

    public string ToJson() => JsonSerializer.Serialize(this, MessageForm.TypeInfo);

    /// <exception cref="JsonException">Not a message of this version: it is parked, never counted against an image.</exception>
    public static Message FromJson(string json)
    {
        try
        {
            var message = JsonSerializer.Deserialize(json, MessageForm.TypeInfo) ?? throw new JsonException("The message is null.");
            return message is Image image
                ? image with { Outputs = JsonSerializer.Deserialize(json, MessageJson.Default.OutputOptions)! }
                : message;
        }
        catch (NotSupportedException exception)
        {
            // The serializer's exception for an object without "type".
            throw new JsonException("The message has no type.", exception);
        }
    }
}

internal enum QueueName
{
    Work,
    Finish,
    Deliver,

    /// <summary>Separate from <see cref="Finish"/>: when the disk is full, every Finish waits, and only a Delete makes space.</summary>
    Delete,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Message))]
[JsonSerializable(typeof(OutputOptions))]
internal sealed partial class MessageJson : JsonSerializerContext;

/// <summary>
/// The JSON form of messages. The options of an image's outputs are written as members of its message, as they were before they were a
/// record of their own; they are read by reading the message a second time, as options.
/// </summary>
internal static class MessageForm
{
    public static readonly JsonTypeInfo<Message> TypeInfo = (JsonTypeInfo<Message>)new JsonSerializerOptions(MessageJson.Default.Options)
    {
        TypeInfoResolver = MessageJson.Default.WithAddedModifier(Flatten),
    }.GetTypeInfo(typeof(Message));

    private static void Flatten(JsonTypeInfo type)
    {
        if (type.Type != typeof(Message.Image))
        {
            return;
        }

        var nested = type.Properties.Single(property => property.PropertyType == typeof(OutputOptions));
        nested.ShouldSerialize = (_, _) => false;
        nested.IsRequired = false;
        foreach (var option in MessageJson.Default.OutputOptions.Properties)
        {
            var flat = type.CreateJsonPropertyInfo(option.PropertyType, option.Name);
            flat.Get = image => option.Get!(((Message.Image)image).Outputs);
            type.Properties.Add(flat);
        }
    }
}
