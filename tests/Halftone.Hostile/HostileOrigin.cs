using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Halftone.Hostile;

/// <summary>
/// A server on loopback that keeps no rule of HTTP unless told to: it reads a request's head and lets its owner write
/// whatever bytes it likes, when it likes. The connection is closed when that answer ends.
/// </summary>
internal sealed class HostileOrigin : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly CancellationTokenSource stop = new();
    private readonly Func<HostileCall, Task> answer;
    private readonly SslServerAuthenticationOptions? tls;
    private readonly ConcurrentQueue<string> heads = new();
    private readonly ConcurrentQueue<IPAddress> calledAddresses = new();
    private readonly ConcurrentDictionary<Task, bool> calls = new();
    private readonly Task accepting;

    private HostileOrigin(Func<HostileCall, Task> answer, SslServerAuthenticationOptions? tls, IPEndPoint endPoint)
    {
        this.answer = answer;
        this.tls = tls;
        listener = new TcpListener(endPoint);
        if (endPoint.Address.Equals(IPAddress.IPv6Any))
        {
            listener.Server.DualMode = true;
        }

        listener.Start(512);
        accepting = AcceptAsync();
    }

    /// <summary>The port on which it listens.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Heads of the requests so far, as they came.</summary>
    public IReadOnlyCollection<string> Heads => heads;

    /// <summary>Connections so far, with or without a request.</summary>
    public int ConnectionCount => calledAddresses.Count;

    /// <summary>The address of ours that each connection so far was made to.</summary>
    public IReadOnlyCollection<IPAddress> CalledAddresses => calledAddresses;

    /// <summary>Answers each request by the delegate; over TLS where a certificate is given.</summary>
    public static HostileOrigin Start(Func<HostileCall, Task> answer, X509Certificate2? certificate = null, IPEndPoint? at = null) => new(
        answer,
        certificate is null
            ? null
            : new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            },
        at ?? new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>Answers each request with the same bytes.</summary>
    public static HostileOrigin Start(string response) => Start(call => call.WriteAsync(response));

    /// <summary>A port of loopback where nothing listens.</summary>
    public static int ClosedPort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public Uri Url(string path = "/") => new($"{(tls is null ? "http" : "https")}://127.0.0.1:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(calls.Keys);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptSocketAsync(stop.Token);
                var called = ((IPEndPoint)socket.LocalEndPoint!).Address;
                calledAddresses.Enqueue(called.IsIPv4MappedToIPv6 ? called.MapToIPv4() : called);
                var call = Task.Run(() => CallAsync(socket), CancellationToken.None);
                calls.TryAdd(call, true);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task CallAsync(Socket socket)
    {
        try
        {
            await using Stream plain = new NetworkStream(socket, ownsSocket: true);
            await using var secured = tls is null ? null : new SslStream(plain);
            if (secured is not null)
            {
                await secured.AuthenticateAsServerAsync(tls!, stop.Token);
            }

            var stream = secured ?? plain;
            var head = await ReadHeadAsync(stream);
            if (head.Length > 0)
            {
                heads.Enqueue(head);
                await answer(new HostileCall(socket, stream, head, stop.Token));
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException
            or ObjectDisposedException)
        {
            // The other side had enough, which is what it is for.
        }
    }

    private async Task<string> ReadHeadAsync(Stream stream)
    {
        var bytes = new byte[64 << 10];
        var length = 0;
        while (length < bytes.Length)
        {
            var read = await stream.ReadAsync(bytes.AsMemory(length), stop.Token);
            length += read;
            if (read == 0 || bytes.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                break;
            }
        }

        return Encoding.Latin1.GetString(bytes, 0, length);
    }
}

/// <summary>One request to a <see cref="HostileOrigin"/>, whose answer the delegate writes.</summary>
internal sealed class HostileCall(Socket socket, Stream stream, string head, CancellationToken stopped)
{
    /// <summary>Path and query.</summary>
    public string Path => head.Split(' ')[1];

    /// <summary>Request line and headers.</summary>
    public string Head => head;

    /// <summary>The port that was called.</summary>
    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>The address that was called.</summary>
    public IPAddress Address => ((IPEndPoint)socket.LocalEndPoint!).Address;

    /// <summary>Cancelled when the origin is disposed.</summary>
    public CancellationToken Stopped => stopped;

    /// <summary>Latin-1 text, as it is.</summary>
    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes, stopped);
        await stream.FlushAsync(stopped);
    }

    /// <summary>
    /// A head for a good answer without a length: the body ends with the connection, which is not used again. A client that is not told so
    /// may send its
    /// next request into the closing connection, and is reset.
    /// </summary>
    public Task WriteOkAsync(string moreHeaders = "") =>
        WriteAsync($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/jpeg\r\n{moreHeaders}\r\n");

    /// <summary>One byte at a time, for as long as the other side bears it.</summary>
    public async Task TrickleAsync(string text, TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        foreach (var letter in text)
        {
            await WriteAsync(letter.ToString());
            await timer.WaitForNextTickAsync(stopped);
        }
    }

    /// <summary>The same bytes again and again, for as long as the other side takes them.</summary>
    public async Task RepeatAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!stopped.IsCancellationRequested)
        {
            await WriteAsync(bytes);
        }
    }

    /// <summary>Says nothing more until the other side hangs up.</summary>
    public async Task StallAsync()
    {
        var ignored = new byte[1024];
        while (await stream.ReadAsync(ignored, stopped) > 0)
        {
            // Whatever it sends is not what we wait for.
        }
    }

    /// <summary>Waits for more from the other side, such as its next request.</summary>
    public Task ReadAsync() => stream.ReadAtLeastAsync(new byte[64 << 10], 1, throwOnEndOfStream: false, stopped).AsTask();

    /// <summary>Ends the connection with RST.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
