using System.Text;

namespace Halftone.Hostile.Fuzz;

/// <summary>
/// Bodies of an upload, over HTTP to the real server process: it answers each, never by a failure of its own, and lives on.
/// </summary>
internal sealed class MultipartTarget(ServerUnderAttack server) : FuzzTarget
{
    private const string Csv = "S. No.,Product Name,Input Image Urls\r\n1,Mug,\r\n";

    /// <summary>Small limits are met more often.</summary>
    public static readonly (string, string)[] Settings =
    [
        ("Intake:MaxBodyBytes", "100000"), ("Compress:Children", "1"), ("Logging:LogLevel:Default", "Error"),
    ];

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[]
        {
            $"--x\r\nContent-Disposition: form-data; name=\"validate_only\"\r\n\r\ntrue\r\n--x\r\nContent-Disposition: form-data; "
                + $"name=\"file\"; filename=\"p.csv\"\r\nContent-Type: text/csv\r\n\r\n{Csv}\r\n--x--\r\n",
            $"--x\r\nContent-Disposition: form-data; name=\"file\"; "
                + $"filename*=UTF-8''p%C3%A9.csv\r\n\r\n{Csv}\r\n--x\r\nContent-Disposition: form-data; "
                + $"name=\"quality\"\r\n\r\n60\r\n--x\r\nContent-Disposition: form-data; name=\"validate_only\"\r\n\r\ntrue\r\n--x--\r\n",
            $"preamble\r\n--x\r\nContent-Disposition: form-data; name=file\r\nContent-Transfer-Encoding: "
                + $"binary\r\n\r\n{Csv}\r\n--x\r\ncontent-disposition: form-data; "
                + $"name=webhook_url\r\n\r\nhttp://127.0.0.1/hook\r\n--x--\r\nepilogue",
            $"--x\r\nContent-Disposition: form-data; name=\"format\"\r\n\r\nwebp\r\n--x\r\nContent-Disposition: form-data; "
                + $"name=\"escape_formulas\"\r\n\r\ntrue\r\n--x\r\nContent-Disposition: form-data; "
                + $"name=\"max_width\"\r\n\r\n1600\r\n--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{Csv}\r\n--x--",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "--x", "--x--", "\r\n", "\n", "\r\n\r\n", "--x\r\n", "\r\n--x\r\n", "Content-Disposition: form-data; name=\"file\"\r\n\r\n",
            "Content-Disposition: form-data; name=\"\"\r\n\r\n", "Content-Disposition: \r\n", "name=", "filename=\"\"",
            "filename=\"../../etc/passwd\"", "\"", ";", ":", "filename*=UTF-8''%FF",
            "Content-Type: multipart/mixed; boundary=y\r\n", "validate_only", "quality", "webhook_url", "\0", "\u00e9", Csv,
        }.Select(Encoding.UTF8.GetBytes),
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0], [0xFF, 0xFE],
    ];

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var head =
            $"POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Type: multipart/form-data; "
                + $"boundary=x\r\nContent-Length: {input.Length}\r\nConnection: close\r\n\r\n";
        var answer = await RawHttp.ExchangeAsync(
            server.Port, (byte[])[.. Encoding.Latin1.GetBytes(head), .. input], isWhole: true, cancellationToken);
        return !server.IsAlive ? throw new FuzzException("The server has ended: " + server.Log)
            : RawHttp.HasFailure(answer) ? throw new FuzzException(answer)
            : RawHttp.Statuses(answer) is [var status] ? $"{status}"
            : throw new FuzzException("Not one answer: " + answer);
    }

    public override ValueTask DisposeAsync() => server.DisposeAsync();
}
