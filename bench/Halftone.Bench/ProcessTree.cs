using System.Globalization;

namespace Halftone.Bench;

/// <summary>Processes and their children, from proc(5).</summary>
internal static class ProcessTree
{
    /// <summary>User and system time of the processes, their children that live and those that ended; in ms, by ticks of 10 ms.</summary>
    public static double CpuMilliseconds(params IReadOnlyCollection<int> ids) =>
        Members(ids).Sum(member =>
            member.Fields[11..(ids.Contains(member.Id) ? 15 : 13)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture))) * 10.0;

    /// <summary>How many processes there are, and the MiB that they hold, shared pages counted in each.</summary>
    public static (int Count, long MiB) Size(IReadOnlyCollection<int> ids)
    {
        var members = Members(ids);
        return (
            members.Count,
            members.Sum(member => long.Parse(member.Fields[21], CultureInfo.InvariantCulture)) * Environment.SystemPageSize >> 20);
    }

    /// <summary>The processes and their children; of each, the fields behind its name.</summary>
    private static List<(int Id, string[] Fields)> Members(IReadOnlyCollection<int> ids)
    {
        var members = new List<(int, string[])>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (ids.Contains(id) || ids.Contains(int.Parse(fields[1], CultureInfo.InvariantCulture)))
                {
                    members.Add((id, fields));
                }
            }
            catch (IOException)
            {
                // It has ended since.
            }
        }

        return members;
    }
}
