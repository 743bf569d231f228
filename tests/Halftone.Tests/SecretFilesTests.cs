using Halftone.Hosting;
using Microsoft.Extensions.Configuration;

namespace Halftone.Tests;

public sealed class SecretFilesTests : IDisposable
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-secrets-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("Database:ConnectionString")]
    [InlineData("Queue:Uri")]
    [InlineData("Store:S3:SecretAccessKey")]
    [InlineData("Store:Cloudinary:ApiSecret")]
    [InlineData("Webhook:Secret")]
    public void A_secret_is_read_from_the_file_that_is_named_and_from_a_credential(string setting)
    {
        var name = "Halftone__" + setting.Replace(":", "__", StringComparison.Ordinal);
        var file = Write(name, Secret + "\n");

        Assert.Equal(Secret, SecretFiles.Named(Settings((setting + "_FILE", file)))[setting]);
        Assert.Equal(Secret, Assert.Single(SecretFiles.OfCredentials(folder)).Value);
        Assert.True(SecretFiles.IsNameOfFile(setting + "_FILE"));
    }

    [Fact]
    public void The_server_takes_a_secret_from_its_file_and_a_value_over_a_credential()
    {
        var file = Write("secret", Secret + "\n");
        var builder = ServerBuilder.Create(new Dictionary<string, string?> { ["Webhook:Secret_FILE"] = file });

        Assert.Equal(Secret, builder.Configuration["Webhook:Secret"]);
    }

    [Fact]
    public void A_file_that_is_missing_or_empty_and_a_secret_that_is_set_twice_stop_the_start()
    {
        var empty = Write("empty", "\n");
        var missing = Path.Combine(folder, "missing");

        Assert.Equal($"Webhook:Secret_FILE is the file '{empty}', which is empty.", Refusal(("Webhook:Secret_FILE", empty)));
        Assert.StartsWith(
            $"Webhook:Secret_FILE is the file '{missing}', which cannot be read: ",
            Refusal(("Webhook:Secret_FILE", missing)),
            StringComparison.Ordinal);
        Assert.Equal(
            "Webhook:Secret is set twice, as a value and by Webhook:Secret_FILE: keep one of the two.",
            Refusal(("Webhook:Secret_FILE", empty), ("Webhook:Secret", Secret)));
    }

    [Fact]
    public void A_setting_that_is_not_secret_has_no_file() => Assert.False(SecretFiles.IsNameOfFile("Compress:Quality_FILE"));

    private static string Refusal(params (string, string)[] settings) =>
        Assert.Throws<SettingException>(() => SecretFiles.Named(Settings(settings))).Message;

    private static IConfigurationRoot Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
            .Build();

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
