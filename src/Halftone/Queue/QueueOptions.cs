using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Queue;

/// <summary>How work is handed out.</summary>
internal sealed class QueueOptions : IValidatableObject
{
    /// <summary>
    /// RabbitMQ, which many processes share: <c>amqp://user:password@host:5672/vhost</c> (<c>amqps</c> with TLS), several nodes of one cluster separated by
    /// commas. Default empty: a queue inside this process, which then has the database to itself.
    /// </summary>
    public string Uri { get; set; } = "";

    /// <summary>What the names of the queues on RabbitMQ begin with; <c>halftone</c>.</summary>
    [Required]
    public string Name { get; set; } = "halftone";

    /// <summary>Images a process works on at a time (fetching, waiting for a codec child, storing), 1 to 1,024; 32.</summary>
    [Range(1, 1_024)]
    public int Prefetch { get; set; } = 32;

    /// <summary>Images beyond <see cref="Prefetch"/> that may wait for their host without holding a place, 16 to 100,000; 4,096.</summary>
    internal int WaitingImages { get; set; } = 4_096;

    /// <summary>Images of one request that may so wait before no more of it are published, 1 to 10,000; 64.</summary>
    internal int WaitingImagesPerRequest { get; set; } = 64;

    /// <summary>Images a Plan publishes before the next request has its turn, 1 to 1,000; 16.</summary>
    [Range(1, 1_000)]
    public int PlanImages { get; set; } = 16;

    /// <summary>Webhook deliveries at a time, 1 to 1,024; 32.</summary>
    [Range(1, 1_024)]
    public int DeliverPrefetch { get; set; } = 32;

    /// <summary>Result files written at a time, 1 to 64; 2.</summary>
    internal int FinishPrefetch { get; set; } = 2;

    /// <summary>How often a message may be handed out before it is a dead letter, 2 to 100; 20.</summary>
    internal int DeliveryLimit { get; set; } = 20;

    /// <summary>Pause before a message whose handler threw is handed out again; 1 s.</summary>
    internal TimeSpan RedeliveryPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Pause before a message on RabbitMQ that no version here can read, or a dead letter other than an image, returns to its queue, 50 ms to 10 min; 1 min.</summary>
    internal TimeSpan ParkedPause { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often due retries are looked for; 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a retry that was handed out is given before it is handed out again, if nothing was recorded; 10 min.</summary>
    internal TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The nodes that <see cref="Uri"/> names.</summary>
    public IReadOnlyList<Uri> Nodes => [.. Uri.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(node => new Uri(node))];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var node in Uri.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!System.Uri.TryCreate(node, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps"))
            {
                // Without the text itself, which may hold a password.
                yield return new ValidationResult("Queue:Uri is not amqp://user:password@host:port/vhost, or several of these separated by commas.", [nameof(Uri)]);
            }
        }
    }
}

[OptionsValidator]
internal sealed partial class QueueOptionsValidator : IValidateOptions<QueueOptions>;
