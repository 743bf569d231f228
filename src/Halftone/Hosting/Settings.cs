using System.Reflection;
using System.Text.RegularExpressions;
using Halftone.Api.Access;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Intake;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Telemetry;
using Halftone.Webhooks;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

/// <summary>A setting that cannot be used; the message names it and what is allowed.</summary>
internal sealed class SettingException(string message) : Exception(message);

/// <summary>
/// Every setting by section, and what is said of a wrong one. A misspelt setting is an error: who sets a limit and is not heard has no limit.
/// </summary>
internal static partial class Settings
{
    /// <summary>The options class of each section; each public property is a setting.</summary>
    public static IReadOnlyDictionary<string, Type> Sections { get; } = new Dictionary<string, Type>(StringComparer.OrdinalIgnoreCase)
    {
        ["Access"] = typeof(AccessOptions),
        ["Compress"] = typeof(CompressOptions),
        ["Data"] = typeof(DataOptions),
        ["Database"] = typeof(DatabaseOptions),
        ["Fetch"] = typeof(FetchOptions),
        ["Intake"] = typeof(IntakeOptions),
        ["Queue"] = typeof(QueueOptions),
        ["Retention"] = typeof(RetentionOptions),
        ["Reuse"] = typeof(ReuseOptions),
        ["Server"] = typeof(ServerOptions),
        [S3Options.Section] = typeof(S3Options),
        [CloudinaryOptions.Section] = typeof(CloudinaryOptions),
        ["Telemetry"] = typeof(TelemetryOptions),
        ["Webhook"] = typeof(WebhookOptions),
    };

    // The framework's own: https://learn.microsoft.com/aspnet/core/fundamentals/configuration
    private static readonly string[] Foreign = ["Urls", "Logging"];

    /// <summary>What makes a process one that needs no other, whatever servers of this machine are set to use. Its store is not among them.</summary>
    /// <param name="folder">Its data folder.</param>
    public static Dictionary<string, string?> OfOneProcess(string folder) => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Data:Folder"] = folder,
        ["Database:ConnectionString"] = "",
        ["Queue:Uri"] = "",
        ["Server:Role"] = nameof(Role.All),
    };

    public static IEnumerable<PropertyInfo> Of(Type options) => options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <exception cref="SettingException">A section or setting that there is not.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (var section in configuration.GetChildren().Where(section => !Foreign.Contains(section.Key, StringComparer.OrdinalIgnoreCase)))
        {
            Check(section);
        }
    }

    private static void Check(IConfigurationSection section)
    {
        if (Sections.TryGetValue(section.Path, out var options))
        {
            var names = Of(options).Select(property => property.Name).Order(StringComparer.Ordinal).ToArray();
            if (section.GetChildren().FirstOrDefault(setting => !names.Contains(setting.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            {
                throw new SettingException($"'{unknown.Path}' is not a setting: section {section.Path} has {string.Join(", ", names)}.");
            }

            return;
        }

        if (!Sections.Keys.Any(name => name.StartsWith(section.Path + ":", StringComparison.OrdinalIgnoreCase)) || section.Value is not null)
        {
            throw new SettingException($"'{section.Path}' is not a section of settings: there are {string.Join(", ", Sections.Keys)} and {string.Join(", ", Foreign)}.");
        }

        foreach (var inner in section.GetChildren())
        {
            Check(inner);
        }
    }

    /// <summary>A sentence a line for what the validators found, each beginning with the setting's own name.</summary>
    public static string Explain(OptionsValidationException exception)
    {
        var section = Sections.First(pair => pair.Value == exception.OptionsType).Key;
        return string.Join(Environment.NewLine, exception.Failures.Select(failure => Explain(section, failure)));
    }

    /// <summary>What is said of a value that is not of the setting's kind; null for any other exception.</summary>
    public static string? ExplainConversion(InvalidOperationException exception)
    {
        if (Conversion().Match(exception.Message) is not { Success: true } match)
        {
            return null;
        }

        var allowed = match.Groups["type"].Value switch
        {
            "System.Int32" or "System.Int64" => "a whole number is allowed",
            "System.Double" => "a number such as 0.5 is allowed",
            "System.Boolean" => "true or false is allowed",
            "System.TimeSpan" => "a time such as 00:00:30 (hours:minutes:seconds) or 1.00:00:00 (a day) is allowed",
            "Halftone.Model.Role" => "all, api or worker is allowed",
            var type => $"a {type} is allowed",
        };
        return $"{match.Groups["setting"].Value} is '{match.Groups["value"].Value}': {allowed}.";
    }

    private static string Explain(string section, string failure)
    {
        // "Prefetch: The field QueueOptions.Prefetch must be between 1 and 1024.", or "AllowNetworks: Fetch:AllowNetworks: …" with words of ours.
        var text = failure[(failure.IndexOf(": ", StringComparison.Ordinal) + 2)..];
        if (text.StartsWith(section + ":", StringComparison.Ordinal) || failure.StartsWith(section + ":", StringComparison.Ordinal))
        {
            return failure.StartsWith(section + ":", StringComparison.Ordinal) ? failure : text;
        }

        return Generated().Replace(failure, $"{section}:$1 $2");
    }

    [GeneratedRegex(@"^(\w+): The field \w+\.\w+ (.*)$")]
    private static partial Regex Generated();

    [GeneratedRegex(@"^Failed to convert configuration value '(?<value>.*)' at '(?<setting>[^']+)' to type '(?<type>[^']+)'")]
    private static partial Regex Conversion();
}
