using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Halftone.Tests.Store;

/// <summary>A server behind a slow line: it reads one request at its pace, with hardly a buffer, and answers that all is well.</summary>
internal sealed partial class SlowLine : IAsyncDisposable
{
    private const int PieceBytes = 16_384;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly Task serving;

    private SlowLine(int bytesPerSecond)
    {
        listener.Server.ReceiveBufferSize = PieceBytes;
        listener.Start();
        serving = ServeAsync(TimeSpan.FromSeconds((double)PieceBytes / bytesPerSecond));
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>From the first byte to the last.</summary>
    public TimeSpan Took { get; private set; }

    public static SlowLine Start(int bytesPerSecond) => new(bytesPerSecond);

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        end.Dispose();
    }

    private async Task ServeAsync(TimeSpan pause)
    {
        using var socket = await listener.AcceptSocketAsync(end.Token);
        await using var stream = new NetworkStream(socket);
        var watch = Stopwatch.StartNew();
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, end.Token) > 0)
        {
            head.Append((char)one[0]);
        }

        await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), end.Token);
        var piece = new byte[PieceBytes];
        for (var left = long.Parse(ContentLength().Match(head.ToString()).Groups[1].Value, CultureInfo.InvariantCulture); left > 0;)
        {
            await Task.Delay(pause, TimeProvider.System, end.Token);
            left -= await stream.ReadAtLeastAsync(
                piece.AsMemory(0, (int)Math.Min(left, PieceBytes)), (int)Math.Min(left, PieceBytes), throwOnEndOfStream: true, end.Token);
        }

        Took = watch.Elapsed;
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), end.Token);
    }

    [GeneratedRegex(@"Content-Length: (\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex ContentLength();
}
