using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Compress.Sandbox;
using Halftone.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Halftone.Hostile;

/// <summary>
/// A codec child that was taken over: it enters the sandbox by the code of the product, then tries what its master would want, and
/// prints a line for each attempt: its name and <c>refused</c>, <c>allowed</c> or <c>errno N</c>.
/// <code>
/// captured sandbox|seccomp|landlock|none PROCESS FILE   attempts on another process of this user and on a file
/// captured descriptors                                  the files that stay open, after the start of a child
/// captured without-landlock auto|required               a pool on a kernel that has no Landlock: its log, or why it does not start
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
internal static class CapturedChild
{
    private const int NotPermitted = 1, NoAccess = 13; // EPERM, EACCES
    private const int WriteOnly = 0x1, Create = 0x40; // O_WRONLY, O_CREAT
    private const int Unix = 1, Internet = 2, Stream = 1; // AF_UNIX, AF_INET, SOCK_STREAM
    private const int Attach = 16; // PTRACE_ATTACH
    private const int NewUser = 0x1000_0000; // CLONE_NEWUSER
    private const uint NoSuchCall = 38; // ENOSYS
    private const long MostBytes = 1L << 30;

    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["descriptors"]:
                CodecSandbox.Prepare();
                foreach (var link in Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(path => new FileInfo(path).LinkTarget))
                {
                    Console.WriteLine(link);
                }

                return 0;
            case ["without-landlock", var mode]:
                WithoutLandlock(Enum.Parse<SandboxMode>(mode, ignoreCase: true));
                return 0;
            case [var part, var process, var file]:
                Attempt(part, int.Parse(process), file);
                return 0;
            default:
                return 2;
        }
    }

    private static void Attempt(string part, int process, string file)
    {
        // Before the sandbox, in which no library is found.
        var methods = typeof(CapturedChild).GetMethods(BindingFlags.NonPublic | BindingFlags.Static);
        foreach (var method in methods.Where(method => method.GetCustomAttribute<DllImportAttribute>() is not null))
        {
            Marshal.Prelink(method);
        }

        Console.WriteLine(part);
        var opened = socket(Internet, Stream, 0);
        // A thread that was there before the sandbox.
        using var mayStart = new ManualResetEventSlim();
        var ofOlderThread = "";
        var older = new Thread(() =>
        {
            mayStart.Wait();
            ofOlderThread = Outcome(() => socket(Internet, Stream, 0));
        });
        older.Start();
        Enter(part);

        // struct sockaddr_in: port 9 of 127.0.0.1.
        byte[] address = [Internet, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        var bytes = new byte[64];
        (string Name, Func<nint> Call)[] files =
        [
            ("read a file", () => open(file, 0, 0)),
            ("write a file", () => open(file, WriteOnly, 0)),
            ("create a file", () => open(file + ".new", WriteOnly | Create, 0x180)),
            ("read the environment of a process", () => open($"/proc/{process}/environ", 0, 0)),
            ("read the memory of a process", () => open($"/proc/{process}/mem", 0, 0)),
            ("read its own environment", () => open("/proc/self/environ", 0, 0)),
            ("list the root", () => open("/", 0x10000, 0)), // O_DIRECTORY
            ("delete a file", () => unlink(file)),
            ("make a folder", () => mkdir(file + ".folder", 0x1C0)),
        ];
        (string Name, Func<nint> Call)[] others =
        [
            ("open a socket", () => socket(Internet, Stream, 0)),
            ("open a local socket", () => socket(Unix, Stream, 0)),
            ("connect a socket that is open", () => connect(opened, address, address.Length)),
            ("make a namespace", () => unshare(NewUser)),
            ("attach to a process", () => ptrace(Attach, process, 0, 0)),
            ("read a process by its memory", () => process_vm_readv(process, bytes, 0, bytes, 0, 0)),
            ("signal a process", () => kill(process, 0)),
            ("signal a thread of a process", () => tgkill(process, process, 0)),
            ("hold a process", () => syscall(434, process, 0, 0)), // pidfd_open, on every architecture
            ("make an io_uring", () => syscall(425, 1, 0, 0)),
            ("limit a process", () => prlimit(process, 0, 0, bytes)),
            ("raise a limit", () => prlimit(0, 1, 0, bytes)), // RLIMIT_FSIZE
            ("make pipes own signals", () => fcntl(0, 8, process)), // F_SETOWN
        ];
        // They would leave this process, or make a second one of it.
        (string Name, Func<nint> Call)[] final =
        [
            ("run a program", () => execve("/bin/true", 0, 0)),
            ("make a process", () => fork()),
        ];
        foreach (var (name, call) in files.Concat(part == "landlock" ? [] : others).Concat(part is "landlock" or "none" ? [] : final))
        {
            Console.WriteLine($"{name}: {Outcome(call)}");
        }

        mayStart.Set();
        older.Join();
        Console.WriteLine($"open a socket on an older thread: {ofOlderThread}");
    }

    private static void Enter(string part)
    {
        switch (part)
        {
            case "sandbox":
                CodecSandbox.Prepare();
                ImageCodec.Warm();
                Console.WriteLine($"lacking {CodecSandbox.Enter(MostBytes)}");
                break;
            case "seccomp":
                Kernel.ForbidNewPrivileges();
                Console.WriteLine($"installed {SeccompFilter.Install()}");
                break;
            case "landlock":
                Kernel.ForbidNewPrivileges();
                Console.WriteLine($"installed {Landlock.CloseEveryPath()}");
                break;
        }
    }

    private static string Outcome(Func<nint> call)
    {
        var result = call();
        var errno = Marshal.GetLastPInvokeError();
        return result >= 0 ? "allowed" : errno is NotPermitted or NoAccess ? "refused" : $"errno {errno}";
    }

    private static void WithoutLandlock(SandboxMode mode)
    {
        var program = new BpfProgram(RuntimeInformation.ProcessArchitecture);
        program.Fail(SystemCall.LandlockCreateRuleset, NoSuchCall);
        Kernel.ForbidNewPrivileges();
        Console.WriteLine($"installed {SeccompFilter.Install(program.EndAllowing())}");
        using var logs = LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true));
        using var pool = new CodecPool(
            Options.Create(new CompressOptions { Children = 2, Sandbox = mode }),
            Options.Create(new ServerOptions()),
            TimeProvider.System,
            logs.CreateLogger<CodecPool>());
        try
        {
            pool.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
            Console.WriteLine("started");
        }
        catch (CodecUnavailableException exception)
        {
            Console.WriteLine(exception.Message);
        }
    }

#pragma warning disable SYSLIB1054, CA2101, CA5392
    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);
    [DllImport("libc", SetLastError = true)]
    private static extern int unlink([MarshalAs(UnmanagedType.LPUTF8Str)] string path);
    [DllImport("libc", SetLastError = true)]
    private static extern int mkdir([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);
    [DllImport("libc", SetLastError = true)]
    private static extern int socket(int domain, int type, int protocol);
    [DllImport("libc", SetLastError = true)]
    private static extern int connect(int socket, byte[] address, int length);
    [DllImport("libc", SetLastError = true)]
    private static extern int execve([MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint arguments, nint environment);
    [DllImport("libc", SetLastError = true)]
    private static extern int fork();
    [DllImport("libc", SetLastError = true)]
    private static extern int unshare(int flags);
    [DllImport("libc", SetLastError = true)]
    private static extern nint ptrace(nint request, nint process, nint address, nint data);
    [DllImport("libc", SetLastError = true)]
    private static extern nint process_vm_readv(int process, byte[] local, nint localCount, byte[] remote, nint remoteCount, nint flags);
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);
    [DllImport("libc", SetLastError = true)]
    private static extern int tgkill(int process, int thread, int signal);
    [DllImport("libc", SetLastError = true)]
    private static extern nint syscall(nint number, nint first, nint second, nint third);
    [DllImport("libc", SetLastError = true)]
    private static extern int prlimit(int process, int resource, nint limits, byte[] old);
    [DllImport("libc", SetLastError = true)]
    private static extern int fcntl(int descriptor, int command, int argument);
#pragma warning restore SYSLIB1054, CA2101, CA5392
}
