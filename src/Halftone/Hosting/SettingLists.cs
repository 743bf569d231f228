using System.Globalization;
using System.Text.RegularExpressions;

namespace Halftone.Hosting;

/// <summary>
/// Settings in the short forms that people write, above all in environment variables: a list as one value with commas
/// (<c>Webhook:RetrySchedule=1s,5s,5m</c>), and a time with a unit (<c>90s</c>). The framework reads neither, and ignores such a
/// list silently.
/// </summary>
internal static partial class SettingLists
{
    /// <summary>The same settings as the framework reads them, to be laid over <paramref name="configuration"/>.</summary>
    /// <exception cref="SettingException">An entry of a list cannot be read; the message names it.</exception>
    public static Dictionary<string, string?> Expand(IConfiguration configuration)
    {
        var expanded = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (section, options) in Settings.Sections)
        {
            foreach (var property in Settings.Of(options))
            {
                var name = $"{section}:{property.Name}";
                if (configuration[name] is not { Length: > 0 } value)
                {
                    continue;
                }

                if (property.PropertyType.GetElementType() is { } entry)
                {
                    var entries = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                    for (var index = 0; index < entries.Length; index++)
                    {
                        expanded[string.Create(CultureInfo.InvariantCulture, $"{name}:{index}")] =
                            entry == typeof(TimeSpan) ? Time(name, value, entries[index]) : entries[index];
                    }
                }
                else if ((Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan)
                    && WithUnit().Match(value) is { Success: true } match)
                {
                    expanded[name] = Of(match).ToString("c", CultureInfo.InvariantCulture);
                }
            }
        }

        return expanded;
    }

    private static string Time(string name, string value, string entry)
    {
        if (WithUnit().Match(entry) is { Success: true } match)
        {
            return Of(match).ToString("c", CultureInfo.InvariantCulture);
        }

        // A bare number would be days to the framework, which nobody means.
        return entry.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(entry, CultureInfo.InvariantCulture, out _)
            ? entry
            : throw new SettingException(
                $"{name} is '{value}'; '{entry}' in it is not a time. Write times as 500ms, 1s, 5m, 2h, 1d or 00:00:01, "
                + "separated by commas.");
    }

    private static TimeSpan Of(Match match)
    {
        var number = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
        return match.Groups["unit"].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
    }

    [GeneratedRegex(@"^(?<number>\d{1,9}(\.\d{1,6})?) ?(?<unit>ms|s|m|h|d)$")]
    private static partial Regex WithUnit();
}
