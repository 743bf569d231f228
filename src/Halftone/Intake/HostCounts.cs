using Halftone.Requests;

namespace Halftone.Intake;

/// <summary>Counts image URLs per host in bounded memory: in a file of a million hosts, the later ones are not counted by name.</summary>
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

    public IReadOnlyList<StatusHostCount> MostFrequent() =>
        [.. counts.OrderByDescending(pair => pair.Value).Take(Listed).Select(pair => new StatusHostCount(pair.Key, pair.Value))];

    /// <summary>The part between scheme and path, without user and port: enough for counting, not for connecting.</summary>
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
