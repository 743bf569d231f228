namespace Halftone.Tests.Cli;

/// <summary>The verbs that work on the data folder without a server.</summary>
public sealed class DatabaseVerbTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("halftone-verb-").FullName;

    private string Folder => Path.Combine(scratch, "data");

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Theory]
    [InlineData("webhook-secret")]
    [InlineData("keys list")]
    [InlineData("keys revoke x")]
    [InlineData("requeue")]
    public async Task A_verb_that_looks_at_a_database_makes_none(string verb)
    {
        var (exitCode, output, errors) = await HalftoneProcess.RunAsync([.. verb.Split(' '), "--data", Folder]);

        Assert.Equal((1, "", $"There is no Halftone database in '{Folder}'. Name the server's data folder with --data.\n"), (exitCode, output, errors));
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task Keys_can_be_made_before_the_first_start_and_are_listed_then()
    {
        var added = await HalftoneProcess.RunAsync("keys", "add", "catalogue team", "--data", Folder);
        Assert.Equal((0, ""), (added.ExitCode, added.Errors));

        var listed = await HalftoneProcess.RunAsync("keys", "list", "--data", Folder);
        Assert.Equal(0, listed.ExitCode);
        Assert.Contains("  catalogue team  ", listed.Output);
        Assert.StartsWith("whsec_", (await HalftoneProcess.RunAsync("webhook-secret", "--data", Folder)).Output);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_key_without_a_name_is_refused(string name)
    {
        var (exitCode, output, errors) = await HalftoneProcess.RunAsync("keys", "add", name, "--data", Folder);

        Assert.Equal((1, "", "NAME must say who or what the key is for, such as 'catalogue team'."), (exitCode, output, errors.TrimEnd('\n')));
        Assert.False(Directory.Exists(Folder));
    }
}
