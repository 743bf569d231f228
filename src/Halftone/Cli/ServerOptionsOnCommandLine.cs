using System.CommandLine;

namespace Halftone.Cli;

/// <summary>The few options that are worth a flag; every other is a setting in appsettings.json or <c>Halftone__Section__Name</c>.</summary>
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
        Description = "A private network that images may be fetched from and webhooks sent to, such as 10.1.0.0/16. May be given several times.",
        HelpName = "CIDR",
    };

    public static Option<string?> Role { get; } = new("--role")
    {
        Description = "What this process does: all, api (uploads and answers) or worker (images, results, webhooks). Default: all",
        HelpName = "ROLE",
    };

    /// <summary>The flags as settings; what was not given is not in it.</summary>
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
