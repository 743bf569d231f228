using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Halftone.Model;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Halftone.Queue;

/// <summary>
/// The connection to RabbitMQ and its queues. The client's automatic recovery is off: it restores connections but not
/// channels, and repeating work in progress is our task anyway.
/// </summary>
/// <remarks>
/// Quorum queues, so that a confirmed message survives the loss of a broker. Each has a dead-letter queue, filled at
/// least once, which requires overflow=reject-publish
/// (https://www.rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering).
/// </remarks>
internal sealed class RabbitBroker(IOptions<QueueOptions> options) : IAsyncDisposable
{
    /// <summary>Timeout of a call: a broker that is busy with its disk takes seconds to confirm.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Heartbeat interval; a connection without data for twice as long is dead.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1, 1);
    private IConnection? connection;

    /// <summary>The connection of each channel in use.</summary>
    private readonly ConditionalWeakTable<IChannel, IConnection> owners = [];

    public static string NameOf(QueueOptions options, QueueName queue) =>
        $"{options.Name}.{queue.ToString().ToLower(CultureInfo.InvariantCulture)}";

    public static string DeadLetterNameOf(QueueOptions options, QueueName queue) => NameOf(options, queue) + ".dead";

    /// <summary>Opens a channel on the one connection of this process, which is created if missing.</summary>
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

    /// <summary>Opens a channel for publishing or consuming; creates missing queues, because someone may have deleted them.</summary>
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
    /// Closes a channel, which may be broken. If the broker does not confirm the close, the connection is abandoned and
    /// its unacknowledged messages are delivered again, so that nobody waits forever.
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
            // It is already closed, which is what we want.
        }
    }

    /// <summary>Runs a call with a timeout, and reports connection failures as an outage.</summary>
    /// <exception cref="QueueUnavailableException">The call failed because of an outage.</exception>
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
            throw new QueueUnavailableException(
                $"RabbitMQ at {Address} cannot be used ({exception.InnerException?.Message ?? exception.Message}).",
                exception);
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

    /// <summary>The next call opens a new connection, unless that has already been done.</summary>
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
            // Its socket closes when the heartbeats stop.
        }
    }

    private string Address =>
        string.Join(
            ", ",
            options.Value.Nodes.Select(node => $"{node.Host}:{(node.Port < 0 ? AmqpTcpEndpoint.UseDefaultPort : node.Port)}"));

    private static bool IsOutage(Exception exception) => exception is
        RabbitMQClientException
            or IOException
            or SocketException
            or TimeoutException
            or OperationCanceledException
            or ObjectDisposedException;

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
        // Tries them one after the other in any order, until one answers.
        return factory.CreateConnectionAsync(
            [.. nodes.Select(node => new AmqpTcpEndpoint(node, factory.Ssl))],
            $"halftone {Environment.MachineName} {Environment.ProcessId}",
            cancellationToken);
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
                    // Without this limit, RabbitMQ 4 drops messages delivered 20 times, and a dead-letter queue has no further one.
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
