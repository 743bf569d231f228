using System.Globalization;
using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

/// <summary>An operator filters logs by event id: an id belongs to one message, and its hundred to one floor.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void Every_event_id_is_used_once_and_its_hundred_is_its_floor()
    {
        var source = Path.Combine(Script.Repository, "src", "Halftone");
        var ids = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => EventId().Matches(File.ReadAllText(file)).Select(match => (
                Id: int.Parse(match.Groups["id"].Value, CultureInfo.InvariantCulture),
                Folder: Path.GetRelativePath(source, file).Split(Path.DirectorySeparatorChar)[0])))
            .ToArray();
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(id => id.Id).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.All(ids, id => Assert.Equal(Array.FindIndex(Floors.BottomToTop, floor => floor.Contains(id.Folder)) + 1, id.Id / 100));
    }

    [GeneratedRegex(@"\[LoggerMessage\((?<id>\d+)|Event = (?<id>\d+);")]
    private static partial Regex EventId();
}
