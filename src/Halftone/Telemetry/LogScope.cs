using System.Collections;
using Halftone.Model;

namespace Halftone.Telemetry;

/// <summary>
/// Fields of every log line of a piece of work in JSON: <c>request_id</c>, plus <c>image_id</c> or <c>delivery_id</c> if it is about one.
/// </summary>
internal sealed class LogScope(Guid requestId, string? name = null, long id = 0) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => name is null ? 1 : 2;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("request_id", requestId),
        1 when name is not null => new(name, id),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public static LogScope Of(Message message) => message switch
    {
        Message.Image image => new(image.RequestId, "image_id", image.ImageId),
        Message.Deliver deliver => new(deliver.RequestId, "delivery_id", deliver.DeliveryId),
        _ => new(message.RequestId),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var index = 0; index < Count; index++)
        {
            yield return this[index];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => name is null ? $"request_id:{requestId}" : $"request_id:{requestId} {name}:{id}";
}
