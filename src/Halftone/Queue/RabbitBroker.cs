using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Halftone.Model;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Halftone.Queue;

/// <summary>
/// The connection to RabbitMQ and the queues there. The client's own recovery is off: it brings back connections and not channels, and what was
/// under way is ours to repeat in any case.
/// </summary>
/// <remarks>
/// Quorum queues, so that a confirmed message outlives a broker. Beside each stands its dead-letter queue, filled at least once, which asks for
/// overflow=reject-publish (https://www.rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering).
/// </remarks>
internal sealed class RabbitBroker(IOptions<QueueOptions> options) : IAsyncDisposable
{
    /// <summary>A call that takes longer has failed: a broker that is busy with its disk takes seconds to confirm.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A connection over which nothing comes for twice as long is dead.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1, 1);
    private IConnection? connection;

    /// <summary>Of each channel that somebody still has, the connection that it is on.</summary>
    private readonly ConditionalWeakTable<IChannel, IConnection> owners = [];

    public static string NameOf(QueueOptions options, QueueName queue) => $"{options.Name}.{queue.ToString().ToLower(CultureInfo.InvariantCulture)}";

    public static string DeadLetterNameOf(QueueOptions options, QueueName queue) => NameOf(options, queue) + ".dead";

    /// <summary>A channel on the one connection of this process, which is made where there is none.</summary>
    /// <exception cref="QueueUnavailableException">The broker cannot be reached, or refuses us.</exception>
    public Task<IChannel> OpenChannelAsync(CreateChannelOptions channel, CancellationToken cancellationToken) => CallAsync(
        async patient =>
        {
            var own = await ConnectAsync(patient);
            var opened = await own.CreateChannelAsync(channel, patient);
            owners.Add(opened, own);
            return opened;
        },
        cancellationToken);

    /// <summary>The same for those who publish or consume: the queues are made where they are missing, because somebody may have deleted them.</summary>
    /// <exception cref="QueueUnavailableException">The broker cannot be reached, or refuses us.</exception>
    public async Task<IChannel> OpenChannelWithQueuesAsync(CreateChannelOptions options, CancellationToken cancellationToken)
    {
        var channel = await OpenChannelAsync(options, cancellationToken);
        try
        {
            return await CallAsync(
                async patient =>
                {
                    await DeclareAsync(channel, patient);
                    return channel;
                },
                cancellationToken);
        }
        catch
        {
            await CloseAsync(channel);
            throw;
        }
    }

    /// <summary>
    /// Closes a channel, which may be broken. Where the broker does not say that it is closed, the connection is given up, and what was under way on it is
    /// delivered again: nobody may wait without an end.
    /// </summary>
    public async Task CloseAsync(IChannel? channel)
    {
        try
        {
            await (channel?.DisposeAsync().AsTask().WaitAsync(ClosePatience) ?? Task.CompletedTask);
        }
        catch (TimeoutException)
        {
            await DropAsync(channel is not null && owners.TryGetValue(channel, out var own) ? own : null);
        }
        catch (Exception exception) when (IsOutage(exception))
        {
            // It is closed, which was wanted.
        }
    }

    /// <summary>Runs a call with an end, and says of what can go wrong on the way that it is an outage.</summary>
    /// <exception cref="QueueUnavailableException">It is one.</exception>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            return await call(patience.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && IsOutage(exception))
        {
            throw new QueueUnavailableException($"RabbitMQ at {Address} cannot be used ({exception.InnerException?.Message ?? exception.Message}).", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is { } open)
        {
            await open.AbortAsync(TimeSpan.FromSeconds(2));
            await open.DisposeAsync();
        }

        gate.Dispose();
    }

    /// <summary>The next call makes another connection, where that has not been done already.</summary>
    private async Task DropAsync(IConnection? stuck)
    {
        await gate.WaitAsync();
        try
        {
            if (stuck is not null && connection == stuck)
            {
                connection = null;
                await EndAsync(stuck);
            }
        }
        finally
        {
            gate.Release();
        }
    }

    private static async Task EndAsync(IConnection connection)
    {
        try
        {
            await connection.AbortAsync(TimeSpan.FromSeconds(1)).WaitAsync(ClosePatience);
            await connection.DisposeAsync().AsTask().WaitAsync(ClosePatience);
        }
        catch (TimeoutException)
        {
            // Its socket ends with the heartbeats that do not come any more.
        }
    }

    private string Address => string.Join(", ", options.Value.Nodes.Select(node => $"{node.Host}:{(node.Port < 0 ? AmqpTcpEndpoint.UseDefaultPort : node.Port)}"));

    private static bool IsOutage(Exception exception) => exception is
        RabbitMQClientException or IOException or SocketException or TimeoutException or OperationCanceledException or ObjectDisposedException;

    private async Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (connection is { IsOpen: true } open)
            {
                return open;
            }

            if (connection is { } dead)
            {
                connection = null;
                await EndAsync(dead);
            }

            return connection = await NewConnectionAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    private Task<IConnection> NewConnectionAsync(CancellationToken cancellationToken)
    {
        var nodes = options.Value.Nodes;
        var factory = new ConnectionFactory
        {
            Uri = nodes[0],
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            RequestedHeartbeat = Heartbeat,
            RequestedConnectionTimeout = Heartbeat,
            ContinuationTimeout = Patience,
        };
        // One after the other in any order, until one answers.
        return factory.CreateConnectionAsync([.. nodes.Select(node => new AmqpTcpEndpoint(node, factory.Ssl))], $"halftone {Environment.MachineName} {Environment.ProcessId}", cancellationToken);
    }

    private async Task DeclareAsync(IChannel channel, CancellationToken cancellationToken)
    {
        foreach (var queue in Enum.GetValues<QueueName>())
        {
            var dead = DeadLetterNameOf(options.Value, queue);
            await channel.QueueDeclareAsync(
                dead,
                durable: true,
                exclusive: false,
                autoDelete: false,
                new Dictionary<string, object?>
                {
                    ["x-queue-type"] = "quorum",
                    // Without a number RabbitMQ 4 drops what was delivered 20 times, and from here there is nowhere to go.
                    ["x-delivery-limit"] = 1_000_000,
                },
                cancellationToken: cancellationToken);
            await channel.QueueDeclareAsync(
                NameOf(options.Value, queue),
                durable: true,
                exclusive: false,
                autoDelete: false,
                new Dictionary<string, object?>
                {
                    ["x-queue-type"] = "quorum",
                    ["x-delivery-limit"] = options.Value.DeliveryLimit,
                    ["x-dead-letter-exchange"] = "",
                    ["x-dead-letter-routing-key"] = dead,
                    ["x-dead-letter-strategy"] = "at-least-once",
                    ["x-overflow"] = "reject-publish",
                },
                cancellationToken: cancellationToken);
        }
    }
}
