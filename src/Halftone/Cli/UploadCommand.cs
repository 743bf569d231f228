using System.CommandLine;
using System.Globalization;
using Halftone.Api;
using Halftone.Intake;

namespace Halftone.Cli;

/// <summary><c>halftone upload FILE</c>: uploads a CSV to a server, and follows the request if asked to.</summary>
internal static class UploadCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The CSV; may be gzipped." };
    private static readonly Option<bool> NoReuse = new("--no-reuse")
    {
        Description = "Fetch and compress all images again, even those unchanged since an earlier request.",
    };
    private static readonly Option<string?> WebhookUrl = new("--webhook-url")
    {
        Description = "URL to call when the request has ended.",
        HelpName = "URL",
    };

    /// <summary>Maximum time of retrying an upload that broke off, or that the server has no room for.</summary>
    private static readonly TimeSpan LongestTrying = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public static Command Create() => ClientVerb.With(
        new Command("upload", "Uploads a CSV to a server and prints its request_id.")
        {
            File,
            UploadOptions.Quality,
            UploadOptions.Format,
            UploadOptions.MaxWidth,
            UploadOptions.MaxHeight,
            UploadOptions.Variants,
            UploadOptions.EscapeFormulas,
            NoReuse,
            WebhookUrl,
            FollowOptions.Wait,
            FollowOptions.Out,
        },
        RunAsync);

    private static async Task<int> RunAsync(ParseResult result, ServerClient client, CancellationToken cancellationToken)
    {
        var upload = new UploadRequest { File = result.GetValue(File)!, Fields = FieldsOf(result) };
        var accepted = await ProgressDisplay.WhileAsync(
            result,
            Path.GetFileName(upload.File),
            TimeProvider.System,
            display => UploadAsync(upload, client, display, cancellationToken));
        if (result.GetValue(FollowOptions.Wait) || result.GetValue(FollowOptions.Out) is not null)
        {
            result.Say($"Request {accepted.Value.RequestId} accepted.");
            return await FollowOptions.FinishAsync(result, client, accepted.Value.RequestId.ToString("D"), cancellationToken);
        }

        result.Print(result.GetValue(ClientVerb.Json)
            ? accepted.Json
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{accepted.Value.RequestId}\n{accepted.Value.Products:N0} products, {accepted.Value.Images:N0} images: "
                + $"{accepted.Value.StatusUrl}"));
        return ExitCode.Done;
    }

    private static Dictionary<string, string> FieldsOf(ParseResult result)
    {
        var fields = new Dictionary<string, string>();
        if (result.GetValue(UploadOptions.Quality) is { } quality)
        {
            fields["quality"] = quality.ToString(CultureInfo.InvariantCulture);
        }

        if (UploadOptions.FormatOf(result) is { } format)
        {
            fields["format"] = format;
        }

        if (result.GetValue(UploadOptions.MaxWidth) is { } maxWidth)
        {
            fields["max_width"] = maxWidth.ToString(CultureInfo.InvariantCulture);
        }

        if (result.GetValue(UploadOptions.MaxHeight) is { } maxHeight)
        {
            fields["max_height"] = maxHeight.ToString(CultureInfo.InvariantCulture);
        }

        if (result.GetValue(UploadOptions.Variants) is { } variants)
        {
            fields["variants"] = variants;
        }

        if (result.GetValue(NoReuse))
        {
            fields["reuse"] = "false";
        }

        if (result.GetValue(UploadOptions.EscapeFormulas))
        {
            fields["escape_formulas"] = "true";
        }

        if (result.GetValue(WebhookUrl) is { } webhookUrl)
        {
            fields["webhook_url"] = webhookUrl;
        }

        return fields;
    }

    private static async Task<Answer<UploadAccepted>> UploadAsync(
        UploadRequest upload,
        ServerClient client,
        ProgressDisplay display,
        CancellationToken cancellationToken)
    {
        // 0 if the path is not a file or cannot be read.
        var length = new FileInfo(upload.File) is { Exists: true } file ? file.Length : 0;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            TimeSpan pause;
            try
            {
                return await client.UploadAsync(
                    upload,
                    sent => display.Show(length == 0 ? null : (double)sent / length, Sent(sent, length)),
                    cancellationToken);
            }
            catch (ServerUnreachableException exception) when (
                exception.WasReached && TimeProvider.System.GetElapsedTime(started) + (exception.RetryAfter ?? Pause) < LongestTrying)
            {
                pause = exception.RetryAfter ?? Pause;
                display.Say(
                    string.Create(CultureInfo.InvariantCulture, $"{exception.Message} Retrying the upload in {pause.TotalSeconds:0} s."));
            }
            catch (CommandFailedException exception) when (exception.Failure.Code == ProblemType.IdempotencyKeyInUse.Code)
            {
                // The server is still reading the attempt that broke off.
                pause = Pause;
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }

    private static string Sent(long sent, long length) => sent < length
        ? string.Create(CultureInfo.InvariantCulture, $"{sent / 1e6:N1} of {length / 1e6:N1} MB sent")
        : "sent; the server is reading it";
}
