using Halftone.Requests;

namespace Halftone.Intake;

/// <summary>How many image URLs name each host; a file of a million hosts is counted in bounded memory, the late ones not by name.</summary>
internal sealed class HostCounts
{
    private const int MaxHosts = 10_000;
    private const int Listed = 100;
    private readonly Dictionary<string, long> counts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> byText;

    public HostCounts() => byText = counts.GetAlternateLookup<ReadOnlySpan<char>>();

    public void Add(string url)
    {
        var host = HostOf(url);
        if (byText.TryGetValue(host, out var count))
        {
            byText[host] = count + 1;
        }
        else if (counts.Count < MaxHosts)
        {
            byText[host] = 1;
        }
    }

    public IReadOnlyList<StatusHostCount> MostFrequent() => [.. counts.OrderByDescending(pair => pair.Value).Take(Listed).Select(pair => new StatusHostCount(pair.Key, pair.Value))];

    /// <summary>What stands between the scheme and the path, without user and port: enough to count by, not to connect by.</summary>
    private static ReadOnlySpan<char> HostOf(string url)
    {
        var rest = url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2);
        var end = rest.IndexOfAny("/?#\\");
        var authority = end < 0 ? rest : rest[..end];
        var host = authority[(authority.LastIndexOf('@') + 1)..];
        var port = host.LastIndexOf(':');
        return port > host.LastIndexOf(']') ? host[..port] : host;
    }
}
