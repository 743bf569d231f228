using System.Data.Common;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>Turns a Plan into Image messages for the next few pending images, and into the next Plan.</summary>
internal sealed class Planner(HalftoneDatabase database, IWorkQueue queue, OutboxRelay relay, WaitingRoom waitingRoom, ImageSample sample, IOptions<QueueOptions> options, TimeProvider time)
{
    /// <summary>Ids looked at by a statement: PostgreSQL, before it knows the table, would read all there are from the cursor on and sort them.</summary>
    private const int Stretch = 4_096;

    public async Task HandleAsync(Message.Plan plan, IWorkSlot slot, CancellationToken cancellationToken)
    {
        await WaitForRoomAsync(plan, slot, cancellationToken);
        var request = await database.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<RequestRow>(Sql.Request, new { plan.RequestId, plan.Run }), cancellationToken);
        if (request is null)
        {
            return;
        }

        var images = request.State is "pending" or "processing" ? await NextImagesAsync(plan, request, cancellationToken) : [];
        var changed = images.Count > 0
            ? await PublishAsync(plan, request, images, cancellationToken)
            : await database.WriteAsync(transaction => FinishIfDoneAsync(transaction, plan), cancellationToken);
        if (changed)
        {
            relay.Wake();
        }
    }

    /// <summary>Where many images of the request wait for their hosts already, more of them would only keep others out.</summary>
    private async Task WaitForRoomAsync(Message.Plan plan, IWorkSlot slot, CancellationToken cancellationToken)
    {
        var limit = options.Value.WaitingImagesPerRequest;
        if (waitingRoom.CountOf(plan.RequestId) >= limit)
        {
            slot.GiveBack();
            await waitingRoom.BelowAsync(plan.RequestId, limit, cancellationToken);
            await slot.TakeAgainAsync(cancellationToken);
        }
    }

    private async Task<List<ImageRow>> NextImagesAsync(Message.Plan plan, RequestRow request, CancellationToken cancellationToken)
    {
        var images = new List<ImageRow>();
        var end = request.FirstImageId + request.Images;
        for (var from = Math.Max(plan.After + 1, request.FirstImageId); from < end && images.Count < options.Value.PlanImages; from += Stretch)
        {
            var parameters = new { FirstImageId = from, EndImageId = Math.Min(end, from + Stretch), Limit = options.Value.PlanImages - images.Count };
            images.AddRange(await database.ReadAsync(connection => connection.QueryAsync<ImageRow>(Sql.NextImages, parameters), cancellationToken));
        }

        return images;
    }

    private async Task<bool> PublishAsync(Message.Plan plan, RequestRow request, List<ImageRow> images, CancellationToken cancellationToken)
    {
        // The winner of the compare-and-set has published before it moved planned_to, so a redelivery has nothing to add.
        if (request.PlannedTo != plan.After)
        {
            return false;
        }

        var traced = images.FirstOrDefault(image => TraceOf(request, image) is not null);
        using var span = traced is null ? null : Traces.GoOn("plan", request.TraceParent);
        span?.SetTag("halftone.request_id", plan.RequestId);
        span?.SetTag("halftone.images", images.Count);
        await queue.PublishAsync([.. images.Select(image => ToMessage(plan, request, image, TraceOf(request, image) is null ? null : span?.Id))], cancellationToken);
        var last = images[^1].ImageId;
        return await database.WriteAsync(
            async transaction =>
            {
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var moved = await transaction.ExecuteAsync(Sql.MovePlannedTo, new { plan.RequestId, plan.Run, plan.After, Last = last, Now = now });
                if (moved == 1)
                {
                    await Outbox.AddAsync(transaction, plan with { After = last }, time);
                }

                return moved == 1;
            },
            cancellationToken);
    }

    /// <summary>Nothing is left to plan: Finish is due where the last outcome came first, or where the request is being cancelled.</summary>
    private async Task<bool> FinishIfDoneAsync(DbTransaction transaction, Message.Plan plan)
    {
        var done = await transaction.ExecuteScalarAsync<long>(Sql.IsDone, new { plan.RequestId, plan.Run });
        if (done == 1)
        {
            await Outbox.AddAsync(transaction, new Message.Finish { RequestId = plan.RequestId, Run = plan.Run }, time);
        }

        return done == 1;
    }

    private string? TraceOf(RequestRow request, ImageRow image) => sample.TraceOf(request.TraceParent, image.ImageId - request.FirstImageId, request.Images);

    private static Message.Image ToMessage(Message.Plan plan, RequestRow request, ImageRow image, string? traceParent) => new()
    {
        RequestId = plan.RequestId,
        Run = plan.Run,
        ImageId = image.ImageId,
        Url = image.InputUrl,
        Attempt = image.Attempt,
        Quality = request.Quality,
        Format = request.Format,
        MaxWidth = request.MaxWidth,
        MaxHeight = request.MaxHeight,
        Variants = request.Variants,
        Owner = request.Owner,
        Fresh = request.Reuse ? null : true,
        Name = ObjectKey.NameOf(image.SerialNumber, image.ImageId - image.ProductFirstImageId + 1),
        TraceParent = traceParent,
    };

    private sealed record RequestRow
    {
        public required string State { get; init; }
        public required long PlannedTo { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required int Quality { get; init; }
        public string? Format { get; init; }
        public int? MaxWidth { get; init; }
        public int? MaxHeight { get; init; }
        public string? Variants { get; init; }
        public string? TraceParent { get; init; }
        public required string Owner { get; init; }
        public required bool Reuse { get; init; }
    }

    private sealed record ImageRow
    {
        public required long ImageId { get; init; }
        public required string InputUrl { get; init; }
        public required int Attempt { get; init; }
        public required string SerialNumber { get; init; }
        public required long ProductFirstImageId { get; init; }
    }

    private static class Sql
    {
        public const string Request = """
            SELECT state, planned_to, first_image_id, images, quality, format,
                   max_width, max_height, variants, owner, reuse, trace_parent
            FROM   request
            WHERE  request_id = @RequestId AND run = @Run
            """;

        /// <summary>Walks a stretch of the primary key.</summary>
        public const string NextImages = """
            SELECT i.image_id, i.input_url, i.attempt, p.serial_number, p.first_image_id AS product_first_image_id
            FROM   image i JOIN product p ON p.product_id = i.product_id
            WHERE  i.image_id >= @FirstImageId AND i.image_id < @EndImageId AND i.state = 'pending' AND i.same_as IS NULL
            ORDER  BY i.image_id
            LIMIT  @Limit
            """;

        /// <summary>The compare-and-set that makes one Plan of a redelivered pair the winner.</summary>
        public const string MovePlannedTo = """
            UPDATE request
            SET    planned_to = @Last, state = 'processing', updated_at = @Now
            WHERE  request_id = @RequestId AND run = @Run AND planned_to = @After AND state IN ('pending', 'processing')
            """;

        public const string IsDone = """
            SELECT count(*)
            FROM   request
            WHERE  request_id = @RequestId AND run = @Run
            AND    (state = 'cancelling' OR (state IN ('pending', 'processing') AND completed + failed = images))
            """;
    }
}
