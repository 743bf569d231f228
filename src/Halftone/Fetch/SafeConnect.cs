using System.Net;
using System.Net.Sockets;
using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>No connection; <paramref name="error"/> has the reason.</summary>
/// <param name="error">One of the codes up to <see cref="FetchError.ConnectFailed"/>.</param>
/// <param name="detail">For operators.</param>
internal sealed class SafeConnectException(FetchError error, string detail) : IOException(detail)
{
    public FetchError Error => error;
}

/// <summary>
/// The only way to connect to addresses chosen by strangers. Resolves the name, judges every answer, and connects to
/// exactly the addresses it judged, so a name that changes between check and use (DNS rebinding) gains nothing. The
/// number is judged, so the notation of an address does not matter.
/// </summary>
internal sealed partial class SafeConnect(
    AddressGate gate,
    NameLookup names,
    IOptions<FetchOptions> options,
    TimeProvider time,
    ILogger<SafeConnect> logger)
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="SafeConnectException">Refused or failed; <see cref="HttpRequestException"/> wraps it.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Value.ConnectTimeout, time);
        using var limitOrStop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var started = time.GetTimestamp();
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await ResolveCheckedAsync(host, port, limitOrStop.Token, cancellationToken);
        for (var index = 0; ; index++)
        {
            // The remaining time is shared evenly, so that a dead first address leaves time for the second.
            var share = (options.Value.ConnectTimeout - time.GetElapsedTime(started)) / (addresses.Length - index);
            try
            {
                return await ConnectToAsync(new IPEndPoint(addresses[index], port), share, cancellationToken);
            }
            catch (SafeConnectException) when (index < addresses.Length - 1)
            {
                // The next address may answer; the failure of the last one is reported.
            }
        }
    }

    /// <summary>
    /// Checks whether this URL would be called now, for registering a webhook. The connection is judged again when it
    /// is made.
    /// </summary>
    /// <returns>Null if it would, otherwise the reason.</returns>
    public async ValueTask<FetchError?> CheckAsync(Uri url, CancellationToken cancellationToken)
    {
        if (FetchTarget.Refuse(url) is { } refused)
        {
            return refused;
        }

        using var limit = new CancellationTokenSource(options.Value.ConnectTimeout, time);
        using var limitOrStop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await ResolveCheckedAsync(url.IdnHost, url.Port, limitOrStop.Token, cancellationToken);
            return null;
        }
        catch (SafeConnectException e)
        {
            return e.Error;
        }
    }

    /// <summary>All addresses of the host; every one of them is allowed.</summary>
    private async ValueTask<IPAddress[]> ResolveCheckedAsync(string host, int port, CancellationToken limitOrStop, CancellationToken stop)
    {
        var started = time.GetTimestamp();
        IPAddress[] addresses;
        try
        {
            // A socket for ::ffff:a.b.c.d would call a.b.c.d, so use that from here on.
            addresses = Array.ConvertAll(
                await names.ResolveAsync(host, limitOrStop),
                address => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new SafeConnectException(FetchError.NameLookupFailed, "The name servers did not answer in time.");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            throw new SafeConnectException(FetchError.NameNotResolved, "The name does not exist.");
        }
        catch (SocketException e)
        {
            throw new SafeConnectException(FetchError.NameLookupFailed, $"The name servers failed: {e.SocketErrorCode}.");
        }
        catch (ArgumentException)
        {
            throw new SafeConnectException(FetchError.NameNotResolved, "The host is not a valid name.");
        }

        Instruments.Stage("resolve", time.GetElapsedTime(started));
        if (addresses.Length == 0)
        {
            throw new SafeConnectException(FetchError.NameNotResolved, "The name has no address.");
        }

        var areOpened = true;
        foreach (var address in addresses)
        {
            var verdict = gate.Judge(address);
            if (verdict == AddressVerdict.Refused)
            {
                // The address goes only into the log: to others it would reveal names of the internal network.
                Log.AddressRefused(logger, host, address);
                throw new SafeConnectException(FetchError.AddressForbidden, "The host leads to an address outside the public internet.");
            }

            areOpened &= verdict == AddressVerdict.Opened;
        }

        return areOpened || options.Value.OpenPorts.Contains(port)
            ? addresses
            : throw new SafeConnectException(FetchError.PortForbidden, $"Port {port} is not open for fetching.");
    }

    private async ValueTask<Stream> ConnectToAsync(IPEndPoint endPoint, TimeSpan share, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(share > TimeSpan.Zero ? share : TimeSpan.Zero, time);
        using var limitOrStop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, limitOrStop.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e switch
            {
                OperationCanceledException when !cancellationToken.IsCancellationRequested =>
                    new SafeConnectException(FetchError.ConnectTimedOut, "The host did not accept a connection in time."),
                SocketException { SocketErrorCode: SocketError.ConnectionRefused } =>
                    new SafeConnectException(FetchError.ConnectRefused, "No server is listening on the host's port."),
                SocketException { SocketErrorCode: SocketError.TimedOut } =>
                    new SafeConnectException(FetchError.ConnectTimedOut, "The host did not accept a connection in time."),
                SocketException failed => new SafeConnectException(FetchError.ConnectFailed, $"No connection: {failed.SocketErrorCode}."),
                _ => e,
            };
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            601,
            LogLevel.Warning,
            "{Host} resolves to {Address}, which is outside the public internet, so it was not called. To allow it, add it to "
            + "Fetch:AllowNetworks.")]
        public static partial void AddressRefused(ILogger logger, string host, IPAddress address);
    }
}
