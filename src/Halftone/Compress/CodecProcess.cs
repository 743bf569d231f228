using Halftone.Io;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Halftone.Codec;
using Halftone.Compress.Sandbox;

namespace Halftone.Compress;

/// <summary>No child can be started: a problem of the installation, not of an image. The message is for people.</summary>
internal sealed class CodecUnavailableException(string message, Exception? inner = null) : OutageException(message, inner);

/// <summary>
/// One child process. Its owner is one thread that blocks on the pipes: for a handful of children this costs less than
/// waking a thread pool for each. Only <see cref="End"/> may be called from elsewhere.
/// </summary>
internal sealed partial class CodecProcess : IDisposable
{
    /// <summary>
    /// The exit code of a child whose processor time is up: 128 and SIGXCPU as a shell counts it, or ERROR_NOT_ENOUGH_QUOTA.
    /// </summary>
    private static readonly int TimeIsUp = OperatingSystem.IsWindows() ? 1816 : 128 + 24;

    private static readonly string ProgramName = OperatingSystem.IsWindows() ? "halftone.exe" : "halftone";
    private static readonly string HostName = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";

    /// <summary>Maximum length of an output: many times that of the longest source.</summary>
    private const int MostAnswerBytes = 1 << 30;

    /// <summary>An hour bounds the dearest picture.</summary>
    private const int MostCpuSeconds = 3600, BackstopFactor = 4;

    private const int LoggedErrorBytes = 8 << 10, KeptErrorChars = 500;

    // Passed on if set. Everything else stays behind, secrets above all, and a home folder too.
    private static readonly string[] Inherited =
        ["DOTNET_ROOT", "DOTNET_ROOT_X64", "DOTNET_ROOT_ARM64", "DOTNET_BUNDLE_EXTRACT_BASE_DIR", "LD_LIBRARY_PATH", "TMPDIR",
            // Windows: without the first no program starts.
            "SystemRoot", "TEMP", "TMP"];

    private readonly CompressOptions options;
    private readonly ILogger logger;
    private readonly Process process;
    private readonly Stream toChild;
    private readonly Stream fromChild;
    private readonly Task errorsRead;
    private readonly ITimer backstop;
    private string lastErrors = "";
    private volatile bool timedOut;

    private CodecProcess(Process process, CompressOptions options, TimeProvider time, ILogger logger)
    {
        this.options = options;
        this.logger = logger;
        this.process = process;
        Id = process.Id;
        toChild = process.StandardInput.BaseStream;
        fromChild = process.StandardOutput.BaseStream;
        errorsRead = ReadErrorsAsync(process.StandardError.BaseStream);
        backstop = time.CreateTimer(_ => { timedOut = true; End(); }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Id { get; }

    /// <summary>True once an image took more than <see cref="CompressOptions.CpuSeconds"/> and what its pixels add.</summary>
    public bool HasUsedUpProcessorTime { get; private set; }

    /// <summary>The child's memory after its last image.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>The parts of the sandbox that the system did not give the child.</summary>
    public SandboxParts Lacking { get; private set; }

    /// <summary>Starts a child and waits until it is warmed up.</summary>
    /// <exception cref="CodecUnavailableException">It did not start, or not in the sandbox that the settings require.</exception>
    public static CodecProcess Start(CompressOptions options, TimeProvider time, ILogger logger)
    {
        CodecProcess child;
        try
        {
            child = new CodecProcess(Process.Start(StartInfo(options))!, options, time, logger);
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or IOException)
        {
            throw new CodecUnavailableException($"The codec process cannot be started: {exception.Message}", exception);
        }

        try
        {
            child.backstop.Change(options.StartTimeout, Timeout.InfiniteTimeSpan);
            child.Lacking = (SandboxParts)child.ReadAnswer(out _).Code;
            child.backstop.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        catch (IOException exception)
        {
            var code = child.WaitForExit();
            child.Dispose();
            throw new CodecUnavailableException(
                code == CodecChild.NoLibVips
                    ? child.lastErrors.Trim()
                    : $"The codec process ended at its start with code {code}: {child.lastErrors.Trim()}",
                exception);
        }

        if (options.Sandbox == SandboxMode.Required && child.Lacking != SandboxParts.None)
        {
            child.Dispose();
            throw new CodecUnavailableException(
                $"Compress:Sandbox is 'required', and on this system the sandbox of codec processes lacks {child.Lacking.Name()}. "
                + "Use a kernel and a container that allow it, or set Compress:Sandbox=auto.");
        }

        return child;
    }

    /// <summary>Compresses one image; blocks.</summary>
    /// <returns>
    /// The child's own answer, or <see cref="CodecError.CodecCrashed"/>, <see cref="CodecError.CodecTimedOut"/> or
    /// <see cref="CodecError.CodecOutOfMemory"/>: after these three the child can no longer be used.
    /// </returns>
    public CodecResult Compress(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        var cpuSeconds = (int)Math.Min(
            options.CpuSeconds + options.BudgetOfPixels * WorkBudget.ExtraSeconds(source.Span, request), MostCpuSeconds);
        // On a busy machine a second of processor time takes several.
        var patience = TimeSpan.FromSeconds(Math.Max(options.ImageTimeout.TotalSeconds, BackstopFactor * cpuSeconds));
        try
        {
            backstop.Change(patience, Timeout.InfiniteTimeSpan);
            Span<byte> header = stackalloc byte[RequestFrame.Length];
            new RequestFrame(request, source.Length, cpuSeconds).Write(header);
            toChild.Write(header);
            toChild.Write(source.Span);
            var answer = ReadAnswer(out var body);
            backstop.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return answer.Kind switch
            {
                AnswerKind.Compressed => answer.ToResult(body, keptOriginal: false),
                AnswerKind.KeptPicture => answer.ToResult(body, keptOriginal: true),
                AnswerKind.KeptSource => answer.ToResult(source, keptOriginal: true),
                _ => new CodecResult.Refused((CodecError)answer.Code, Encoding.UTF8.GetString(body)),
            };
        }
        catch (IOException)
        {
            return Ended(WaitForExit(), cpuSeconds, patience);
        }
    }

    /// <summary>Ends the child now, whatever it is doing. Any thread may call it, and more than once.</summary>
    public void End()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has already ended and was disposed.
        }
    }

    public void Dispose()
    {
        backstop.Dispose();
        WaitForExit();
        process.Dispose();
    }

    /// <summary>Waits for the end of the child and of its error output, so that neither a zombie nor a reader is left.</summary>
    /// <returns>The exit code as in a shell: 128 plus the signal if a signal ended the process.</returns>
    private int WaitForExit()
    {
        End();
        process.WaitForExit();
        errorsRead.GetAwaiter().GetResult();
        return process.ExitCode;
    }

    private CodecResult.Refused Ended(int exitCode, int cpuSeconds, TimeSpan patience)
    {
        if (timedOut)
        {
            return new(CodecError.CodecTimedOut, $"no answer after {patience}");
        }

        if (exitCode == TimeIsUp)
        {
            HasUsedUpProcessorTime = true;
            return new(CodecError.CodecTimedOut, $"more than {cpuSeconds} s of processor time");
        }

        var isMemory = lastErrors.Contains("failed to allocate", StringComparison.OrdinalIgnoreCase)
            || lastErrors.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || lastErrors.Contains("bad_alloc", StringComparison.Ordinal);
        return new(isMemory ? CodecError.CodecOutOfMemory : CodecError.CodecCrashed, $"the codec process ended with code {exitCode}");
    }

    /// <exception cref="IOException">The child has ended, or its answer is not one that a codec gives.</exception>
    private AnswerFrame ReadAnswer(out byte[] body)
    {
        Span<byte> header = stackalloc byte[AnswerFrame.Length];
        fromChild.ReadExactly(header);
        var answer = AnswerFrame.Read(header);
        // A child's answer is as hostile as the image it decodes.
        if (answer.BodyBytes is < 0 or > MostAnswerBytes)
        {
            throw new IOException($"The codec process answered with a body of {answer.BodyBytes} bytes.");
        }

        body = answer.BodyBytes == 0 ? [] : GC.AllocateUninitializedArray<byte>(answer.BodyBytes);
        fromChild.ReadExactly(body);
        ResidentBytes = answer.ResidentBytes;
        return answer;
    }

    /// <summary>Reads the child's standard error to its end, and logs the first 8 KiB.</summary>
    private async Task ReadErrorsAsync(Stream errors)
    {
        var buffer = new byte[1024];
        var logged = 0;
        int length;
        while ((length = await errors.ReadAsync(buffer)) > 0)
        {
            var text = Encoding.UTF8.GetString(buffer, 0, length);
            lastErrors = lastErrors.Length + text.Length <= KeptErrorChars
                ? lastErrors + text
                : text[..Math.Min(text.Length, KeptErrorChars)];
            if (logged < LoggedErrorBytes)
            {
                Log.ChildSaid(logger, Id, text.TrimEnd());
                logged += length;
            }
        }
    }

    private static ProcessStartInfo StartInfo(CompressOptions options)
    {
        var (file, before) = ChildProgram();
        var start = new ProcessStartInfo(file, [.. before, CodecChild.Verb, Number(options.MaxChildBytes)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var inherited = Inherited
            .Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name)))
            .Where(variable => variable.Value is not null)
            .ToArray();
        start.Environment.Clear();
        foreach (var (name, value) in inherited)
        {
            start.Environment[name] = value;
        }

        // glibc creates up to eight arenas per core, and each keeps its memory, so resident memory grows slowly.
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        // Memory touched once stays: planes of up to 32 MiB, the maximum that glibc allows here, come from the heap, and the
        // heap keeps its top. With 1 MiB for both settings a WebP image cost 4,900 page faults (bench/results/faults.md).
        // After an unusually large image, the child returns its heap; see CodecChild.
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = "33554432";
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = "268435456";
        start.Environment["DOTNET_GCConserveMemory"] = "5";
        start.Environment["DOTNET_GCRetainVM"] = "1";
        // Off in this program, which is compiled ahead of time; but the codec's loops are worth compiling for this processor.
        start.Environment["DOTNET_TieredCompilation"] = "1";
        // The codec's loops are the same for every image, so profiling branches first gains nothing.
        start.Environment["DOTNET_TieredPGO"] = "0";
        // A gen 0 as large as a server processor's cache would be 30 MB in a child that needs 4; hexadecimal.
        start.Environment["DOTNET_GCgen0size"] = "0x800000";
        // No debugger port, and no thread for it, in a process that decodes data from strangers.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }

    /// <summary>
    /// Starts this program again: its own file, or through <c>dotnet</c> if it was started that way (or runs inside its
    /// tests).
    /// </summary>
    private static (string File, string[] Arguments) ChildProgram()
    {
        var self = Environment.ProcessPath;
        if (self is not null && Path.GetFileName(self) == ProgramName)
        {
            return (self, []);
        }

        // The runtime is in …/shared/Microsoft.NETCore.App/10.0.0/; the program that starts it is three levels up.
        var host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", HostName));
        return (host, [Path.Combine(AppContext.BaseDirectory, "halftone.dll")]);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static partial class Log
    {
        [LoggerMessage(621, LogLevel.Warning, "Codec process {ProcessId}: {Text}")]
        public static partial void ChildSaid(ILogger logger, int processId, string text);
    }
}
