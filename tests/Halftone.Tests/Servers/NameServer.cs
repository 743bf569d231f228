using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Halftone.Tests.Servers;

/// <summary>
/// A name server (RFC 1035) that answers with whatever addresses the test gives for a name, another set each time if it
/// likes. An answer lives for no second.
/// </summary>
internal sealed class NameServer : IAsyncDisposable
{
    private const ushort TypeA = 1;
    private const ushort TypeAaaa = 28;

    private readonly UdpClient socket;
    private readonly Func<string, int, IPAddress[]?> answer;
    private readonly ConcurrentDictionary<(string, ushort), int> questions = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Task serving;

    private NameServer(IPEndPoint at, Func<string, int, IPAddress[]?> answer)
    {
        this.answer = answer;
        socket = new UdpClient(at);
        serving = ServeAsync();
    }

    /// <param name="at">Where resolvers ask.</param>
    /// <param name="answer">The addresses of a name, given which time it is asked for (1-based); null where there is no such name.</param>
    public static NameServer Start(IPEndPoint at, Func<string, int, IPAddress[]?> answer) => new(at, answer);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        socket.Dispose();
        await serving;
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveAsync(stop.Token);
                await socket.SendAsync(Answer(received.Buffer), received.RemoteEndPoint, stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The resolver went away, or the test ended.
            }
        }
    }

    private byte[] Answer(byte[] query)
    {
        var (name, end) = ReadName(query, 12);
        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(end));
        var family = type switch
        {
            TypeA => AddressFamily.InterNetwork,
            TypeAaaa => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unknown,
        };
        var time = questions.AddOrUpdate((name, type), 1, (_, count) => count + 1);
        var known = answer(name, time);
        var addresses = (known ?? []).Where(address => address.AddressFamily == family).ToArray();

        using var response = new MemoryStream();
        response.Write(query.AsSpan(0, end + 4));
        foreach (var address in addresses)
        {
            // A pointer to the name in the question, type, class IN, lifetime 0, length, address.
            response.Write([0xc0, 12, (byte)(type >> 8), (byte)type, 0, 1, 0, 0, 0, 0]);
            var bytes = address.GetAddressBytes();
            response.Write([0, (byte)bytes.Length]);
            response.Write(bytes);
        }

        var message = response.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)(known is null ? 0x8583 : 0x8580));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), (ushort)addresses.Length);
        message.AsSpan(8, 4).Clear();
        return message;
    }

    private static (string Name, int End) ReadName(byte[] message, int at)
    {
        var labels = new List<string>();
        for (; message[at] > 0; at += message[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(message, at + 1, message[at]));
        }

        return (string.Join('.', labels).ToLowerInvariant(), at + 1);
    }
}
