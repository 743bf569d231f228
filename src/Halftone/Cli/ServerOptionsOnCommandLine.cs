using System.CommandLine;

namespace Halftone.Cli;

/// <summary>The few settings that have a flag; all others are set in appsettings.json or as <c>Halftone__Section__Name</c>.</summary>
internal static class ServerOptionsOnCommandLine
{
    public static Option<string?> Urls { get; } = new("--urls")
    {
        Description = "Addresses to listen on, separated by semicolons. Default: http://127.0.0.1:4300",
    };

    public static Option<string?> Data { get; } = new("--data")
    {
        Description = "Folder for the database, uploads, results and images. Default: data",
        HelpName = "FOLDER",
    };

    public static Option<string[]> AllowNetwork { get; } = new("--allow-network")
    {
        Description =
            "Private network that images may be fetched from and webhooks sent to, such as 10.1.0.0/16. Can be given several times.",
        HelpName = "CIDR",
    };

    public static Option<string?> Role { get; } = new("--role")
    {
        Description = "Role of this process: all, api (uploads and answers) or worker (images, results, webhooks). Default: all",
        HelpName = "ROLE",
    };

    /// <summary>The given flags as settings.</summary>
    public static Dictionary<string, string?> ToSettings(ParseResult result)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (result.GetValue(Urls) is { } urls)
        {
            settings["Urls"] = urls;
        }

        if (result.GetValue(Data) is { } data)
        {
            settings["Data:Folder"] = data;
        }

        if (result.GetValue(Role) is { } role)
        {
            settings["Server:Role"] = role;
        }

        foreach (var (index, network) in (result.GetValue(AllowNetwork) ?? []).Index())
        {
            settings[$"Fetch:AllowNetworks:{index}"] = network;
        }

        return settings;
    }
}
