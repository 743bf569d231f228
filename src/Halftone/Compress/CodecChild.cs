using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Halftone.Codec;
using Halftone.Compress.Sandbox;

namespace Halftone.Compress;

/// <summary>
/// The hidden verb <c>codec MAX_BYTES</c>: a child process that compresses images one after the other, from
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
        if (args is not [Verb, var maxBytes])
        {
            Console.Error.WriteLine("'codec' is for internal use by Halftone.");
            return 2;
        }

        CodecSandbox.Prepare();
        // Ctrl-C in a terminal reaches the whole process group; only the parent decides whether we end.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);

        using var output = ChildProcessLimits.OpenOutput();
        using var input = ChildProcessLimits.OpenInput();
        ChildProcessLimits.ForbidCoreFiles();
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

        var mostBytes = long.Parse(maxBytes, CultureInfo.InvariantCulture);
        ChildProcessLimits.LimitMemory(mostBytes);
        // Once before the sandbox, in which no library can be opened. Each image sets its own.
        ChildProcessLimits.LimitCpuFromNow(60);
        ChildProcessLimits.TrimHeap();
        ResidentMemory.Open();
        var lacking = CodecSandbox.Enter(mostBytes);
        try
        {
            Serve(input, output, lacking);
        }
        catch (IOException)
        {
            // The parent closed the pipes and wants no more answers.
        }

        return 0;
    }

    private static void Serve(Stream input, Stream output, SandboxParts lacking)
    {
        Span<byte> header = stackalloc byte[RequestFrame.Length];
        var kept = GC.AllocateUninitializedArray<byte>(256 << 10);
        Answer(output, new AnswerFrame { Kind = AnswerKind.Ready, Code = (int)lacking }, default);
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
            ChildProcessLimits.LimitCpuFromNow(frame.CpuSeconds);
            var result = ImageCodec.Compress(body, frame.Request);
            Answer(output, result, body);
            Forget(body, result);
        }
    }

    /// <summary>The next image may be somebody else's: neither a file nor its output stays.</summary>
    private static void Forget(Memory<byte> body, CodecResult result)
    {
        var isSource = result is CodecResult.Compressed whole && whole.IsSource(body);
        body.Span.Clear();
        if (result is CodecResult.Compressed image && !isSource)
        {
            MemoryMarshal.AsMemory(image.Body).Span.Clear();
        }
    }

    private static void Answer(Stream output, CodecResult result, ReadOnlyMemory<byte> source)
    {
        switch (result)
        {
            case CodecResult.Compressed image:
                var frame = new AnswerFrame
                {
                    Kind = image.IsSource(source)
                        ? AnswerKind.KeptSource
                        : image.KeptOriginal ? AnswerKind.KeptPicture : AnswerKind.Compressed,
                    Code = (int)image.Format,
                    WidthPixels = image.WidthPixels,
                    HeightPixels = image.HeightPixels,
                    Way = image.Way,
                    NotTaken = image.NotTaken ?? 0,
                };
                Answer(output, frame, image.IsSource(source) ? default : image.Body.Span);
                break;
            case CodecResult.Refused refused:
                Answer(
                    output,
                    new AnswerFrame { Kind = AnswerKind.Refused, Code = (int)refused.Error },
                    Encoding.UTF8.GetBytes(refused.Detail));
                break;
        }
    }

    private static void Answer(Stream output, AnswerFrame frame, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[AnswerFrame.Length];
        (frame with { BodyBytes = body.Length, ResidentBytes = ResidentAfterTrim() }).Write(header);
        output.Write(header);
        output.Write(body);
    }

    private static long ResidentAfterTrim()
    {
        if (ResidentMemory.Bytes > TrimAboveBytes)
        {
            ChildProcessLimits.TrimHeap();
        }

        return ResidentMemory.Bytes;
    }
}
