using System.Data.Common;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>Turns a Plan message into Image messages for the next pending images, and into the next Plan.</summary>
internal sealed class Planner(
    HalftoneDatabase database,
    IWorkQueue queue,
    OutboxRelay relay,
    WaitingRoom waitingRoom,
    ImageSample sample,
    IOptions<QueueOptions> options,
    TimeProvider time)
{
    /// <summary>
    /// IDs searched per statement: without table statistics, PostgreSQL would read everything after the cursor and sort it.
    /// </summary>
    private const int Stretch = 4_096;

    public async Task HandleAsync(Message.Plan plan, IWorkSlot slot, CancellationToken cancellationToken)
    {
        await WaitForRoomAsync(plan, slot, cancellationToken);
        var request = await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<RequestRow>(Sql.Request, new { plan.RequestId, plan.Run }),
            cancellationToken);
        if (request is null)
        {
            return;
        }

        var images = request.State.IsOpen ? await NextImagesAsync(plan, request, cancellationToken) : [];
        var changed = images.Count > 0
            ? await PublishAsync(plan, request, images, cancellationToken)
            : await database.WriteAsync(transaction => FinishIfDoneAsync(transaction, plan), cancellationToken);
        if (changed)
        {
            relay.Wake();
        }
    }

    /// <summary>If many images of the request already wait for their hosts, more of them would only keep others out.</summary>
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

    private async Task<List<PendingImage>> NextImagesAsync(Message.Plan plan, RequestRow request, CancellationToken cancellationToken)
    {
        var images = new List<PendingImage>();
        var end = request.FirstImageId + request.Images;
        var most = options.Value.PlanImages;
        for (var from = Math.Max(plan.After + 1, request.FirstImageId); from < end && images.Count < most; from += Stretch)
        {
            var limit = options.Value.PlanImages - images.Count;
            var parameters = new { FirstImageId = from, EndImageId = Math.Min(end, from + Stretch), Limit = limit };
            images.AddRange(await database.ReadAsync(
                connection => PendingImage.QueryAsync(connection, Sql.NextImages, parameters), cancellationToken));
        }

        return images;
    }

    private async Task<bool> PublishAsync(
        Message.Plan plan, RequestRow request, List<PendingImage> images, CancellationToken cancellationToken)
    {
        // The winner of the compare-and-set published before it moved planned_to, so a redelivery has nothing to add.
        if (request.PlannedTo != plan.After)
        {
            return false;
        }

        var isTraced = images.Any(image => image.TraceOf(sample) is not null);
        using var span = !isTraced ? null : Traces.GoOn("plan", request.TraceParent);
        span?.SetTag("halftone.request_id", plan.RequestId);
        span?.SetTag("halftone.images", images.Count);
        await queue.PublishAsync(
            [.. images.Select(image => image.ToMessage(image.TraceOf(sample) is null ? null : span?.Id))], cancellationToken);
        var last = images[^1].ImageId;
        return await database.WriteAsync(
            async transaction =>
            {
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var moved = await transaction.ExecuteAsync(
                    Sql.MovePlannedTo, new { plan.RequestId, plan.Run, plan.After, Last = last, Now = now });
                if (moved == 1)
                {
                    await Outbox.AddAsync(transaction, plan with { After = last }, time);
                }

                return moved == 1;
            },
            cancellationToken);
    }

    /// <summary>Nothing is left to plan: Finish is due if the last outcome came first, or if the request is being cancelled.</summary>
    private async Task<bool> FinishIfDoneAsync(DbTransaction transaction, Message.Plan plan)
    {
        var done = await transaction.ExecuteScalarAsync<long>(Sql.IsDone, new { plan.RequestId, plan.Run });
        if (done == 1)
        {
            await Outbox.AddAsync(transaction, new Message.Finish { RequestId = plan.RequestId, Run = plan.Run }, time);
        }

        return done == 1;
    }

    private sealed record RequestRow
    {
        public required RequestState State { get; init; }
        public required long PlannedTo { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public string? TraceParent { get; init; }
    }

    private static class Sql
    {
        public const string Request = """
            SELECT state, planned_to, first_image_id, images, trace_parent
            FROM   request
            WHERE  request_id = @RequestId AND run = @Run
            """;

        /// <summary>Scans a range of the primary key.</summary>
        public const string NextImages = $"""
            {PendingImage.Select}
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
