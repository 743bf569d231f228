using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Halftone.Hostile;

/// <summary>Bytes to the server as no HTTP client would send them.</summary>
internal static partial class RawHttp
{
    /// <summary>Nothing that was sent whole may wait longer for its answer.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Sends the bytes and reads until the server closes the connection. Where they may be less than a request and it says nothing for a
    /// while, it
    /// is told that there will be no more, and must close then. (Not before: it ends a connection whose other side has closed without a
    /// word.)
    /// </summary>
    /// <param name="port">Of the server on loopback.</param>
    /// <param name="request">What is sent.</param>
    /// <param name="isWhole">True for a whole request after which the server has to close, or one whose fault is plain.</param>
    /// <param name="cancellationToken">Ends the exchange.</param>
    /// <returns>Everything that came, as Latin-1.</returns>
    /// <exception cref="TimeoutException">The server neither answered nor closed the connection.</exception>
    public static async Task<string> ExchangeAsync(
        int port, ReadOnlyMemory<byte> request, bool isWhole, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Longest);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var answer = new MemoryStream();
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), limit.Token);
            var sending = SendAsync(socket, request, limit.Token);
            var buffer = new byte[16 << 10];
            using var timer = new Timer(
                _ => Shutdown(socket), null, isWhole ? Timeout.InfiniteTimeSpan : Silence, Timeout.InfiniteTimeSpan);
            int read;
            while ((read = await socket.ReceiveAsync(buffer, limit.Token)) > 0)
            {
                answer.Write(buffer, 0, read);
                timer.Change(isWhole ? Timeout.InfiniteTimeSpan : Silence, Timeout.InfiniteTimeSpan);
            }

            await sending;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"No end after {Longest.TotalSeconds} s; so far: {Encoding.Latin1.GetString(answer.ToArray())}");
        }
        catch (SocketException)
        {
            // Closed before everything was sent: what it said before counts.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    /// <summary>The status codes of all answers in what came back.</summary>
    public static IReadOnlyList<int> Statuses(string answers) =>
        [.. StatusLine().Matches(answers).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    /// <summary>
    /// True where one of the answers is of the server's own making: 500, 502, 504 and whatever else is not said on purpose.
    /// </summary>
    /// <remarks>501 and 505 name what HTTP the server does not speak, 503 that it is busy (with Retry-After).</remarks>
    public static bool HasFailure(string answers) =>
        Statuses(answers).Any(status => status >= 500 && status is not (501 or 503 or 505))
            || (Statuses(answers).Contains(503) && !answers.Contains("Retry-After:", StringComparison.OrdinalIgnoreCase));

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            for (var sent = 0; sent < request.Length;)
            {
                sent += await socket.SendAsync(request[sent..], SocketFlags.None, cancellationToken);
            }
        }
        catch (SocketException)
        {
            // The server wants no more; its answer is read all the same.
        }
    }

    private static void Shutdown(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }

    [GeneratedRegex(@"(?:^|\n|\})HTTP/1\.[01] (\d{3}) ?")]
    private static partial Regex StatusLine();
}
