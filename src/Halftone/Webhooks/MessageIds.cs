using System.Globalization;
using Dapper;
using Halftone.Database;

namespace Halftone.Webhooks;

/// <summary>
/// The <c>webhook-id</c> of a delivery: the same for every attempt of it, and unique in the world, because receivers drop a second event
/// with an ID they know. It is <c>msg_UUID_NUMBER</c>: a UUIDv7 that the database got once, and the number of the delivery in it.
/// Deliveries from before that UUID keep their old ID, <c>msg_NUMBER</c>, also when they are sent again.
/// </summary>
internal sealed class MessageIds(HalftoneDatabase database, TimeProvider time)
{
    private const string Setting = "webhook_message_ids";

    private Origin? origin;

    /// <summary>Before the first delivery of this version exists: later, it would be taken for an old one.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken) => origin ??= await OriginAsync(cancellationToken);

    public async Task<string> OfAsync(long deliveryId, CancellationToken cancellationToken) =>
        (origin ??= await OriginAsync(cancellationToken)).IdOf(deliveryId);

    private async Task<Origin> OriginAsync(CancellationToken cancellationToken)
    {
        var last = await database.ReadAsync(connection => connection.ExecuteScalarAsync<long>(Sql.LastDelivery), cancellationToken);
        var proposed = string.Create(CultureInfo.InvariantCulture, $"{Guid.CreateVersion7(time.GetUtcNow()):N} {last}");
        var stored = (await database.GetOrAddAsync(Setting, proposed, cancellationToken)).Split(' ');
        return new Origin(stored[0], long.Parse(stored[1], CultureInfo.InvariantCulture));
    }

    /// <param name="Uuid">The UUID of the database, 32 hexadecimal digits.</param>
    /// <param name="LastOld">The newest delivery that has an ID without it.</param>
    private sealed record Origin(string Uuid, long LastOld)
    {
        public string IdOf(long deliveryId) => deliveryId <= LastOld
            ? string.Create(CultureInfo.InvariantCulture, $"msg_{deliveryId}")
            : string.Create(CultureInfo.InvariantCulture, $"msg_{Uuid}_{deliveryId}");
    }

    private static class Sql
    {
        public const string LastDelivery = "SELECT coalesce(max(delivery_id), 0) FROM delivery";
    }
}
