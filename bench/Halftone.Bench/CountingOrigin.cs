using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Halftone.Bench;

/// <summary>
/// Serves <c>/NUMBER</c> on loopback, keeps connections, answers 304 to the tag it gave, and counts every byte in both directions.
/// </summary>
internal sealed class CountingOrigin : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly byte[][] images;
    private readonly bool hasTags;
    private long bytes;

    public CountingOrigin(string folder, bool hasTags)
    {
        images = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        this.hasTags = hasTags;
        listener.Start(1_024);
        _ = AcceptAsync();
    }

    /// <summary>Before each answer.</summary>
    public TimeSpan Latency { get; init; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public long Bytes => Interlocked.Read(ref bytes);

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        var stream = client.GetStream();
        var buffer = new byte[8_192];
        var length = 0;
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(length))) > 0)
            {
                length += read;
                if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
                {
                    continue;
                }

                await Task.Delay(Latency, TimeProvider.System);

                // One request at a time: the client waits for its answer.
                var request = Encoding.ASCII.GetString(buffer, 0, length);
                Interlocked.Add(ref bytes, length);
                length = 0;
                await AnswerAsync(stream, request);
            }
        }
        catch (IOException)
        {
            // The server was ended.
        }
    }

    private async Task AnswerAsync(NetworkStream stream, string request)
    {
        var number = int.Parse(request.Split(' ', 3)[1][1..], CultureInfo.InvariantCulture);
        var tag = hasTags ? $"ETag: \"v1-{number}\"\r\n" : "";
        var isKnown = hasTags && request.Contains($"If-None-Match: \"v1-{number}\"", StringComparison.OrdinalIgnoreCase);
        var body = isKnown ? [] : images[number % images.Length];
        var head = isKnown
            ? $"HTTP/1.1 304 Not Modified\r\n{tag}\r\n"
            : $"HTTP/1.1 200 OK\r\n{tag}Content-Type: image/jpeg\r\nContent-Length: {body.Length}\r\n\r\n";
        var headBytes = Encoding.ASCII.GetBytes(head);
        Interlocked.Add(ref bytes, headBytes.Length + body.Length);
        await stream.WriteAsync(headBytes);
        await stream.WriteAsync(body);
    }
}
