using System.Diagnostics;
using System.Globalization;

namespace Halftone.Servers;

/// <summary>
/// A server that this process started and that ends with it, however it ends: a shell between the two waits for its input to close, which
/// the system
/// does when this process is killed. Run by root, the server is the user nobody, because PostgreSQL refuses to be root.
/// </summary>
internal sealed class OwnedProcess : IAsyncDisposable
{
    // The word that comes before the end says that somebody else removes the folder.
    private const string Script = """
        signal=$1 folder=$2; shift 2
        "$@" >>"$folder/output" 2>&1 </dev/null &
        child=$!
        trap '' INT TERM HUP
        echo $child
        read -r word
        kill -s "$signal" $child 2>/dev/null
        wait $child 2>/dev/null
        [ "$word" = keep ] || rm -rf "$folder"
        """;

    private readonly Process shell;
    private readonly string folder;

    private OwnedProcess(Process shell, string folder, int id) => (this.shell, this.folder, Id) = (shell, folder, id);

    /// <summary>The server's own.</summary>
    public int Id { get; }

    public bool HasExited => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{Id}"));

    /// <summary>What it has written so far, to be shown where it did not come up.</summary>
    public string Output => File.Exists(OutputFile) ? File.ReadAllText(OutputFile) : "";

    // Made by the shell, a moment after it told the server's id.
    private string OutputFile => Path.Combine(folder, "output");

    /// <summary>A folder that the server may write.</summary>
    public static async Task<string> NewFolderAsync(string name, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory($"halftone-{name}-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", ["nobody:nogroup", folder], cancellationToken);
        }

        return folder;
    }

    /// <param name="folder">Removed with the server where this process is killed.</param>
    /// <param name="endSignal">What the server takes for the order to end at once, such as INT.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Beside this process's own.</param>
    public static async Task<OwnedProcess> StartAsync(
        string folder,
        string endSignal,
        IEnumerable<string> command,
        IReadOnlyDictionary<string, string>? environment,
        CancellationToken cancellationToken)
    {
        var start = AsUser(["sh", "-c", Script, "sh", endSignal, folder, .. command]);
        (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var shell = Process.Start(start)!;
        var id = await shell.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException($"sh did not start {string.Join(' ', command)}.");
        return new OwnedProcess(shell, folder, int.Parse(id, CultureInfo.InvariantCulture));
    }

    /// <summary>Runs a program of the server's package to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it wrote.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        await RunAsync(new ProcessStartInfo(program, arguments), cancellationToken);

    /// <inheritdoc cref="RunAsync(string, IEnumerable{string}, CancellationToken)"/>
    public static Task RunAsUserAsync(IEnumerable<string> command, CancellationToken cancellationToken) =>
        RunAsync(AsUser([.. command]), cancellationToken);

    /// <summary>Looks again and again until the server does what it was started for.</summary>
    /// <exception cref="InvalidOperationException">It has ended, or does not within 2 min; the message holds what it wrote.</exception>
    public async Task UntilAsync(Func<Task<bool>> isReady, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await isReady())
        {
            if (HasExited || deadline.IsCancellationRequested)
            {
                throw new InvalidOperationException($"{(HasExited ? "The server ended" : "The server did not come up")}: {Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>What the system does where this process is killed.</summary>
    public Task LetGoAsync()
    {
        shell.StandardInput.Close();
        return shell.WaitForExitAsync();
    }

    /// <summary>Ends the server and waits until it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await shell.StandardInput.WriteLineAsync("keep");
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private static ProcessStartInfo AsUser(string[] command) => Environment.IsPrivilegedProcess
        ? new ProcessStartInfo("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", .. command])
        : new ProcessStartInfo(command[0], command[1..]);

    private static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError, start.WorkingDirectory) = (true, true, "/");
        using var process = Process.Start(start)!;
        var written = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{start.FileName} ended with {process.ExitCode}: {string.Concat(written)}");
        }
    }
}
