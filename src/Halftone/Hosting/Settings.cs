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

/// <summary>A setting that cannot be used; the message names it and says what is allowed.</summary>
internal sealed class SettingException(string message) : Exception(message);

/// <summary>
/// All settings by section, and the messages about wrong ones. An unknown setting is an error, because someone who
/// misspells a limit would have no limit.
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

    // Sections of the framework: https://learn.microsoft.com/aspnet/core/fundamentals/configuration
    private static readonly string[] Foreign = ["Urls", "Logging"];

    /// <summary>
    /// Settings that make a process independent of others, whatever the servers of this machine are configured to use.
    /// Does not include the store.
    /// </summary>
    /// <param name="folder">The data folder of the process.</param>
    public static Dictionary<string, string?> OfOneProcess(string folder) => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Data:Folder"] = folder,
        ["Database:ConnectionString"] = "",
        ["Queue:Uri"] = "",
        ["Server:Role"] = nameof(Role.All),
    };

    public static IEnumerable<PropertyInfo> Of(Type options) =>
        options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <exception cref="SettingException">A section or setting is unknown.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (var section in configuration.GetChildren().Where(section =>
            !Foreign.Contains(section.Key, StringComparer.OrdinalIgnoreCase)))
        {
            Check(section);
        }
    }

    private static void Check(IConfigurationSection section)
    {
        if (Sections.TryGetValue(section.Path, out var options))
        {
            var names = Of(options).Select(property => property.Name).Order(StringComparer.Ordinal).ToArray();
            if (section.GetChildren().FirstOrDefault(setting =>
                !names.Contains(setting.Key, StringComparer.OrdinalIgnoreCase) && !SecretFiles.IsNameOfFile(setting.Path)) is { } unknown)
            {
                throw new SettingException($"'{unknown.Path}' is not a setting. Section {section.Path} has {string.Join(", ", names)}.");
            }

            return;
        }

        if (!Sections.Keys.Any(name => name.StartsWith(section.Path + ":", StringComparison.OrdinalIgnoreCase))
            || section.Value is not null)
        {
            throw new SettingException(
                $"'{section.Path}' is not a section of settings. Sections: {string.Join(", ", Sections.Keys)} and "
                + $"{string.Join(", ", Foreign)}.");
        }

        foreach (var inner in section.GetChildren())
        {
            Check(inner);
        }
    }

    /// <summary>The failures of the validators, one sentence per line, each starting with the name of its setting.</summary>
    public static string Explain(OptionsValidationException exception)
    {
        var section = Sections.First(pair => pair.Value == exception.OptionsType).Key;
        return string.Join(Environment.NewLine, exception.Failures.Select(failure => Explain(section, failure)));
    }

    /// <summary>A sentence about a value of the wrong type; null for any other exception.</summary>
    public static string? ExplainConversion(InvalidOperationException exception)
    {
        if (Conversion().Match(exception.Message) is not { Success: true } match)
        {
            return null;
        }

        var allowed = match.Groups["type"].Value switch
        {
            "System.Int32" or "System.Int64" => "a whole number",
            "System.Double" => "a number such as 0.5",
            "System.Boolean" => "true or false",
            "System.TimeSpan" => "a time such as 00:00:30 (hours:minutes:seconds) or 1.00:00:00 (a day)",
            "Halftone.Model.Role" => "all, api or worker",
            "Halftone.Compress.Sandbox.SandboxMode" => "auto or required",
            var type => $"a {type}",
        };
        return $"{match.Groups["setting"].Value} is '{match.Groups["value"].Value}'; it must be {allowed}.";
    }

    private static string Explain(string section, string failure)
    {
        // "Prefetch: The field QueueOptions.Prefetch must be between 1 and 1024.", or "AllowNetworks:
        // Fetch:AllowNetworks: …" for our own messages.
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
