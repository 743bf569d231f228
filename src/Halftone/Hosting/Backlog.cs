using Dapper;
using Halftone.Database;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>
/// Accepted work that is not done yet, as counted in the database. The queue cannot tell, because it holds only some
/// images of each request at a time.
/// </summary>
/// <param name="Requests">Accepted requests that have not ended.</param>
/// <param name="Images">Their images without an outcome.</param>
internal sealed record Backlog(long Requests, long Images);

/// <summary>Reads the backlog once per metrics interval; null before the first reading and while the database is unavailable.</summary>
internal sealed class BacklogReader(HalftoneDatabase database, IOptions<TelemetryOptions> options, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource over = new();
    private Task reading = Task.CompletedTask;

    public Backlog? Last { get; private set; }

    public void Start() => reading = ReadAsync();

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await reading;
        over.Dispose();
    }

    private async Task ReadAsync()
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                Last = await database.ReadAsync(connection => connection.QuerySingleAsync<Backlog>(Sql.Open), over.Token);
            }
#pragma warning disable CA1031 // A number that cannot be read now is missing from the metrics, nothing else.
            catch (Exception)
#pragma warning restore CA1031
            {
                Last = null;
            }

            await Task.Delay(options.Value.MetricsInterval, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static class Sql
    {
        /// <summary>Scans the partial index of open requests.</summary>
        public const string Open = """
            SELECT count(*) AS requests, coalesce(CAST(sum(images - completed - failed) AS BIGINT), 0) AS images
            FROM   request
            WHERE  state IN ('pending', 'processing', 'cancelling')
            """;
    }
}
