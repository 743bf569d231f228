using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Queue;

/// <summary>Section <c>Queue</c>: how work is handed out.</summary>
internal sealed class QueueOptions : IValidatableObject
{
    /// <summary>
    /// RabbitMQ, which many processes share: <c>amqp://user:password@host:5672/vhost</c> (<c>amqps</c> with TLS),
    /// several nodes of one cluster separated by commas. Default: empty, which means a queue inside this process, which
    /// then owns the database.
    /// </summary>
    public string Uri { get; set; } = "";

    /// <summary>Prefix of the queue names on RabbitMQ; <c>halftone</c>.</summary>
    [Required]
    public string Name { get; set; } = "halftone";

    /// <summary>Maximum images in progress per process (fetching, waiting for a codec process, storing), 1 to 1,024; 32.</summary>
    [Range(1, 1_024)]
    public int Prefetch { get; set; } = 32;

    /// <summary>
    /// Maximum images beyond <see cref="Prefetch"/> that wait for their host without holding a slot, 16 to 100,000;
    /// 4,096.
    /// </summary>
    internal int WaitingImages { get; set; } = 4_096;

    /// <summary>Maximum waiting images of one request before no more of it are published, 1 to 10,000; 64.</summary>
    internal int WaitingImagesPerRequest { get; set; } = 64;

    /// <summary>Images that a Plan message publishes before the next request has its turn, 1 to 1,000; 16.</summary>
    [Range(1, 1_000)]
    public int PlanImages { get; set; } = 16;

    /// <summary>Maximum concurrent webhook deliveries, 1 to 1,024; 32.</summary>
    [Range(1, 1_024)]
    public int DeliverPrefetch { get; set; } = 32;

    /// <summary>Maximum result files written at a time, 1 to 64; 2.</summary>
    internal int FinishPrefetch { get; set; } = 2;

    /// <summary>Maximum deliveries of a message before it is dead-lettered, 2 to 100; 20.</summary>
    internal int DeliveryLimit { get; set; } = 20;

    /// <summary>Delay before a message whose handler failed is delivered again; 1 s.</summary>
    internal TimeSpan RedeliveryPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Delay before a RabbitMQ message that this version cannot read, or a dead letter other than an image, returns to
    /// its queue, 50 ms to 10 min; 1 min.
    /// </summary>
    internal TimeSpan ParkedPause { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Interval of the search for due retries; 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Maximum time that a retry may take without an outcome before it is handed out again; 10 min.</summary>
    internal TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The nodes in <see cref="Uri"/>.</summary>
    public IReadOnlyList<Uri> Nodes =>
        [.. Uri.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(node => new Uri(node))];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var node in Uri.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!System.Uri.TryCreate(node, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps"))
            {
                // Without the text itself, which may contain a password.
                yield return new ValidationResult(
                    "Queue:Uri must be amqp://user:password@host:port/vhost, or several of these separated by commas.",
                    [nameof(Uri)]);
            }
        }
    }
}

[OptionsValidator]
internal sealed partial class QueueOptionsValidator : IValidateOptions<QueueOptions>;
