using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Halftone.Crash;

/// <summary>
/// The real <c>halftone serve</c> in a process group of its own, so that one signal reaches the server and its codec children and nobody
/// else. Its log goes to a file beside the data folder.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const int SigKill = 9, SigTerm = 15, SigCont = 18, SigStop = 19;
    private readonly Process process;
    private readonly TaskCompletionSource<bool> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task output;

    private ServerProcess(Process process, string log)
    {
        this.process = process;
        StartedAt = Stopwatch.GetTimestamp();
        var gate = new Lock();
        output = Task.WhenAll(CopyAsync(process.StandardOutput, log, gate), CopyAsync(process.StandardError, log, gate));
        _ = output.ContinueWith(_ => listening.TrySetResult(false), TaskScheduler.Default);
    }

    /// <summary>A <see cref="Stopwatch"/> timestamp, taken when the process was made.</summary>
    public long StartedAt { get; }

    /// <summary>Also the number of the process group.</summary>
    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>For whoever measures the first progress: it was seen.</summary>
    public bool ProgressSeen { get; set; }

    /// <summary>True once the server says that it listens; false where it ended before.</summary>
    public Task<bool> Listening => listening.Task;

    /// <summary>The executable that the build put beside this program.</summary>
    public static string DefaultProgram { get; } = Path.Combine(AppContext.BaseDirectory, "halftone");

    /// <param name="program">The halftone executable.</param>
    /// <param name="url">What to listen on.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="settings">As environment variables, such as <c>("Queue:Prefetch", "4")</c>.</param>
    /// <param name="tracer">A program and its arguments that run the server, such as strace; empty for none.</param>
    public static ServerProcess Start(
        string program, string url, string folder, IEnumerable<(string Name, string Value)> settings, params IReadOnlyList<string> tracer)
    {
        // setsid makes the group: .NET cannot. It becomes the program it runs, so the id of the process is the group's.
        var start = new ProcessStartInfo(
            "setsid", [.. tracer, program, "serve", "--urls", url, "--data", folder, "--allow-network", "127.0.0.1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Contains(':', StringComparison.Ordinal)
                ? "Halftone__" + name.Replace(":", "__", StringComparison.Ordinal)
                : name] = value;
        }

        return new ServerProcess(Process.Start(start)!, folder.TrimEnd('/') + ".log");
    }

    /// <summary>Process ids of the group that are alive (a zombie is not), the server's included.</summary>
    public IReadOnlyList<int> Alive() => GroupMembers(Id);

    /// <summary>SIGKILL to everything at once.</summary>
    public void KillGroup() => Signal(-Id, SigKill);

    /// <summary>SIGKILL to the server alone; its children must notice.</summary>
    public void KillParent() => Signal(Id, SigKill);

    /// <summary>SIGKILL to one other process of the group.</summary>
    public static void KillChild(int child) => Signal(child, SigKill);

    public void Stop() => Signal(-Id, SigStop);

    public void Continue() => Signal(-Id, SigCont);

    /// <summary>SIGTERM to the server alone, as a supervisor sends it.</summary>
    public void Terminate() => Signal(Id, SigTerm);

    /// <summary>Until no process of the group is left.</summary>
    /// <returns>The server's exit code; 128 and the signal where one ended it.</returns>
    public async Task<int> WaitForEndAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        while (Alive().Count > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }

        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited || Alive().Count > 0)
        {
            KillGroup();
            await process.WaitForExitAsync();
        }

        await output;
        process.Dispose();
    }

    private async Task CopyAsync(StreamReader reader, string log, Lock gate)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("Halftone listens on ", StringComparison.Ordinal))
            {
                listening.TrySetResult(true);
            }

            lock (gate)
            {
                File.AppendAllText(log, line + "\n");
            }
        }
    }

    /// <summary>From /proc/PID/stat: the state is the first field behind the name, the process group the third (proc(5)).</summary>
    private static List<int> GroupMembers(int group)
    {
        var members = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] is not ("Z" or "X") && int.Parse(fields[2], CultureInfo.InvariantCulture) == group)
                {
                    members.Add(id);
                }
            }
            catch (IOException)
            {
                // Ended meanwhile.
            }
        }

        return members;
    }

    private static void Signal(int target, int signal) => _ = kill(target, signal);

#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc")]
    private static extern int kill(int process, int signal);
#pragma warning restore SYSLIB1054, CA5392
}
