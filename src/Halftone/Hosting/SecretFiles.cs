namespace Halftone.Hosting;

/// <summary>
/// Secret settings from files, so that none needs to be in an environment: <c>Halftone__Webhook__Secret_FILE=/path</c> for any of them,
/// and the credentials of a systemd unit, <c>LoadCredential=Halftone__Webhook__Secret:/path</c>.
/// </summary>
internal static class SecretFiles
{
    /// <summary>Added to the name of a setting, names its file.</summary>
    private const string Suffix = "_FILE";

    private static readonly string[] Secrets =
    [
        "Database:ConnectionString", "Queue:Uri", "Store:S3:SecretAccessKey", "Store:Cloudinary:ApiSecret", "Telemetry:OtlpHeaders",
        "Webhook:Secret",
    ];

    /// <summary>True for the name of a secret setting with <c>_FILE</c> at its end.</summary>
    public static bool IsNameOfFile(string setting) =>
        setting.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase)
        && Secrets.Contains(setting[..^Suffix.Length], StringComparer.OrdinalIgnoreCase);

    /// <summary>The secrets whose file a setting names.</summary>
    /// <exception cref="SettingException">A file that cannot be read or is empty, or a setting that has a value besides.</exception>
    public static Dictionary<string, string?> Named(IConfiguration configuration)
    {
        var found = new Dictionary<string, string?>();
        foreach (var secret in Secrets)
        {
            if (configuration[secret + Suffix] is not { Length: > 0 } path)
            {
                continue;
            }

            if (!string.IsNullOrEmpty(configuration[secret]))
            {
                throw new SettingException($"{secret} is set twice, as a value and by {secret}{Suffix}: keep one of the two.");
            }

            found[secret] = Read(path, secret + Suffix);
        }

        return found;
    }

    /// <summary>The secrets among a unit's credentials, named like their environment variables.</summary>
    /// <param name="folder">The variable CREDENTIALS_DIRECTORY, which systemd sets; null where it does not.</param>
    /// <exception cref="SettingException">A file that cannot be read or is empty.</exception>
    public static Dictionary<string, string?> OfCredentials(string? folder)
    {
        var found = new Dictionary<string, string?>();
        foreach (var secret in string.IsNullOrEmpty(folder) ? [] : Secrets)
        {
            var name = "Halftone__" + secret.Replace(":", "__", StringComparison.Ordinal);
            var path = Path.Combine(folder!, name);
            if (File.Exists(path))
            {
                found[secret] = Read(path, $"The credential {name}");
            }
        }

        return found;
    }

    private static string Read(string path, string source)
    {
        try
        {
            // Editors and echo end a file with a line break that is not part of it.
            var secret = File.ReadAllText(path).TrimEnd('\r', '\n');
            return secret.Length > 0 ? secret : throw new SettingException($"{source} is the file '{path}', which is empty.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{source} is the file '{path}', which cannot be read: {exception.Message}");
        }
    }
}
