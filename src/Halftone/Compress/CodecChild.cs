using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Halftone.Codec;
using Microsoft.Win32.SafeHandles;

namespace Halftone.Compress;

/// <summary>
/// The hidden verb <c>codec MAX_BYTES CPU_SECONDS</c>: a child process that compresses images one after the other, from
/// frames on standard input to frames on standard output, until its parent closes them.
/// </summary>
internal static class CodecChild
{
    public const string Verb = "codec";

    /// <summary>Exit code if libvips is missing; a sentence about it is on standard error. (EX_UNAVAILABLE of sysexits.h)</summary>
    public const int NoLibVips = 69;

    // A larger input gets a buffer of its own that is not kept, so that one large image does not make every child large.
    private const int KeptInputBytes = 4 << 20;

    // Ordinary images leave 60 to 110 MiB. Above this the heap goes back to the system, so that one large image does not stay in memory.
    private const long TrimAboveBytes = 144L << 20;

    /// <param name="args">All arguments of the program, the verb first.</param>
    public static int Run(string[] args)
    {
        if (args is not [Verb, var maxBytes, var cpuSeconds])
        {
            Console.Error.WriteLine("'codec' is for internal use by Halftone.");
            return 2;
        }

        // Ctrl-C in a terminal reaches the whole process group; only the parent decides whether we end.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);

        var pipe = ChildProcessLimits.TakeStandardOutput();
        ChildProcessLimits.EndWithReader(pipe);
        ChildProcessLimits.EnlargePipes(pipe);
        ChildProcessLimits.ForbidCoreFiles();
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        using var output = new FileStream(new SafeFileHandle(pipe, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        try
        {
            // Loads libvips and runs the common paths once, so that no customer's image waits for the JIT compiler.
            ImageCodec.Warm();
        }
        catch (LibVipsMissingException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return NoLibVips;
        }
        ChildProcessLimits.LimitMemory(long.Parse(maxBytes, CultureInfo.InvariantCulture));
        try
        {
            Serve(input, output, int.Parse(cpuSeconds, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The parent closed the pipes and wants no more answers.
        }
        return 0;
    }

    private static void Serve(FileStream input, FileStream output, int cpuSeconds)
    {
        Span<byte> header = stackalloc byte[RequestFrame.Length];
        var kept = GC.AllocateUninitializedArray<byte>(256 << 10);
        Answer(output, new AnswerFrame { Kind = AnswerKind.Ready }, default);
        while (input.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length)
        {
            var frame = RequestFrame.Read(header);
            if (frame.BodyBytes > kept.Length && frame.BodyBytes <= KeptInputBytes)
            {
                kept = GC.AllocateUninitializedArray<byte>(frame.BodyBytes);
            }
            var memory = frame.BodyBytes <= kept.Length ? kept : GC.AllocateUninitializedArray<byte>(frame.BodyBytes);
            var body = memory.AsMemory(0, frame.BodyBytes);
            input.ReadExactly(body.Span);
            ChildProcessLimits.LimitCpuFromNow(cpuSeconds);
            Answer(output, ImageCodec.Compress(body, frame.Request));
        }
    }

    private static void Answer(FileStream output, CodecResult result)
    {
        switch (result)
        {
            case CodecResult.Compressed image:
                var frame = new AnswerFrame
                {
                    Kind = image.KeptOriginal ? AnswerKind.KeptOriginal : AnswerKind.Compressed,
                    Code = (int)image.Format,
                    WidthPixels = image.WidthPixels,
                    HeightPixels = image.HeightPixels,
                    Way = image.Way,
                    NotTaken = image.NotTaken ?? 0,
                };
                Answer(output, frame, image.KeptOriginal ? default : image.Body.Span);
                break;
            case CodecResult.Refused refused:
                Answer(
                    output,
                    new AnswerFrame { Kind = AnswerKind.Refused, Code = (int)refused.Error },
                    Encoding.UTF8.GetBytes(refused.Detail));
                break;
        }
    }

    private static void Answer(FileStream output, AnswerFrame frame, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[AnswerFrame.Length];
        (frame with { BodyBytes = body.Length, ResidentBytes = ResidentAfterTrim() }).Write(header);
        output.Write(header);
        output.Write(body);
    }

    private static long ResidentAfterTrim()
    {
        if (Environment.WorkingSet > TrimAboveBytes)
        {
            ChildProcessLimits.TrimHeap();
        }

        return Environment.WorkingSet;
    }
}
