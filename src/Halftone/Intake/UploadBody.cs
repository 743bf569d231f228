using System.Text;
using System.Text.Json;
using Halftone.Status;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Halftone.Intake;

/// <summary>
/// The three bodies of an upload: a multipart form with the part <c>file</c>, a JSON object with the member <c>csv</c>, or the CSV itself
/// with its options in the query.
/// </summary>
internal static class UploadBody
{
    /// <summary>Media types under which the body is the CSV itself.</summary>
    public static readonly string[] CsvTypes = ["text/csv", "application/csv", "text/plain", "text/tab-separated-values", "application/gzip", "application/x-gzip"];

    private const int MaxFieldBytes = 8 * 1024;
    private const int MaxParts = 32;
    private const int MaxJsonBytes = 8 * 1024 * 1024;
    private const int MaxBoundaryChars = 200;
    private const string DefaultFileName = "upload.csv";
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Spools the file and remembers the fields.</summary>
    /// <returns>Null, or why the body is of no use.</returns>
    public static async Task<ProblemHttpResult?> ReadAsync(HttpRequest request, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            return Unsupported();
        }

        if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return await ReadPartsAsync(request, type, form, intake, cancellationToken);
        }

        if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return await ReadJsonAsync(request, form, intake, cancellationToken);
        }

        return CsvTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
            ? await ReadRawAsync(request, form, intake, cancellationToken)
            : Unsupported();
    }

    private static ProblemHttpResult Unsupported() => Problems.Of(
        ProblemType.UnsupportedMediaType,
        "Send the CSV as multipart/form-data in a part named 'file' (curl -F file=@products.csv …/upload), as text/csv, or as application/json in a member 'csv'.");

    private static async Task<ProblemHttpResult?> ReadPartsAsync(HttpRequest request, MediaTypeHeaderValue type, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > MaxBoundaryChars)
        {
            return Problems.Of(ProblemType.BrokenMultipart, "The Content-Type has no usable boundary.");
        }

        var reader = new MultipartReader(boundary, request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 16 * 1024 };
        for (var parts = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; parts++)
        {
            if (parts == MaxParts)
            {
                return Problems.Of(ProblemType.TooManyParts, $"At most {MaxParts} parts are read: send the CSV in one part named 'file'.");
            }

            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || disposition.Name.Length == 0)
            {
                return Problems.Of(ProblemType.BrokenMultipart, "A part has no name: send the CSV in a part named 'file'.");
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value!;
            var problem = name == "file"
                ? await SpoolPartAsync(section, disposition, form, intake, cancellationToken)
                : await ReadFieldAsync(section, name, form, cancellationToken);
            if (problem is not null)
            {
                return problem;
            }
        }

        return form.Upload is null ? Problems.Of(ProblemType.MissingFile, "There is no part named 'file': send the CSV in it.") : null;
    }

    private static async Task<ProblemHttpResult?> SpoolPartAsync(MultipartSection section, ContentDispositionHeaderValue disposition, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        if (form.Upload is not null)
        {
            return Problems.Of(ProblemType.SeveralFiles, "There are two parts named 'file': send one CSV per request.");
        }

        var fileName = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value;
        form.Upload = await intake.SpoolAsync(section.Body, string.IsNullOrWhiteSpace(fileName) ? DefaultFileName : fileName, cancellationToken);
        return null;
    }

    private static async Task<ProblemHttpResult?> ReadFieldAsync(MultipartSection section, string name, UploadForm form, CancellationToken cancellationToken)
    {
        if (!UploadForm.Fields.Contains(name))
        {
            return UnknownField(name, "file");
        }

        var buffer = new byte[MaxFieldBytes + 1];
        var length = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > MaxFieldBytes
            ? Problems.Of(ProblemType.FieldTooLong, $"The form field '{name}' is longer than {MaxFieldBytes:N0} bytes.")
            : await SetAsync(form, name, Encoding.UTF8.GetString(buffer, 0, length).Trim(), cancellationToken);
    }

    private static async Task<ProblemHttpResult?> ReadJsonAsync(HttpRequest request, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var chunk = new byte[65_536];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            body.Write(chunk, 0, read);
            if (body.Length > MaxJsonBytes)
            {
                return Problems.Of(ProblemType.BodyTooLarge, $"A JSON body of at most {MaxJsonBytes:N0} bytes is read: send a larger file as multipart/form-data or text/csv.");
            }
        }

        JsonElement json;
        try
        {
            // Strict, so that no member can turn out to be no text later on.
            json = JsonSerializer.Deserialize(StrictUtf8.GetString(body.GetBuffer(), 0, (int)body.Length), ApiJson.Default.JsonElement);
        }
        catch (DecoderFallbackException)
        {
            return Problems.Of(ProblemType.InvalidJson, "The body is not UTF-8, as JSON must be.");
        }
        catch (JsonException exception)
        {
            return Problems.Of(ProblemType.InvalidJson, $"The body is not JSON (line {exception.LineNumber + 1}).");
        }

        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("csv", out var csv) || csv.ValueKind != JsonValueKind.String)
        {
            return Problems.Of(ProblemType.MissingFile, "Send a JSON object whose member 'csv' is the file's text.");
        }

        foreach (var member in json.EnumerateObject().Where(member => member.Name is not ("csv" or "file_name")))
        {
            if (!UploadForm.Fields.Contains(member.Name))
            {
                return UnknownField(member.Name, "csv, file_name");
            }

            // Raw text of an odd value ends in the message about it and cannot throw.
            var value = member.Value.ValueKind switch { JsonValueKind.Null => "", JsonValueKind.String => TextOf(member.Value), _ => member.Value.GetRawText() };
            if (await SetAsync(form, member.Name, value, cancellationToken) is { } problem)
            {
                return problem;
            }
        }

        var fileName = json.TryGetProperty("file_name", out var name) && name.ValueKind == JsonValueKind.String ? TextOf(name) : null;
        byte[] bytes;
        try
        {
            bytes = StrictUtf8.GetBytes(csv.GetString()!);
        }
        catch (Exception exception) when (exception is EncoderFallbackException or InvalidOperationException)
        {
            return Problems.Of(ProblemType.InvalidJson, "The member 'csv' holds half a character (a lone surrogate).");
        }

        using var text = new MemoryStream(bytes);
        form.Upload = await intake.SpoolAsync(text, string.IsNullOrWhiteSpace(fileName) ? DefaultFileName : fileName, cancellationToken);
        return null;
    }

    /// <summary>The string, or its raw form where it holds half a character.</summary>
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return value.GetRawText();
        }
    }

    private static async Task<ProblemHttpResult?> ReadRawAsync(HttpRequest request, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        foreach (var (name, values) in request.Query.Where(parameter => parameter.Key != "file_name"))
        {
            if (!UploadForm.Fields.Contains(name))
            {
                return UnknownField(name, "file_name");
            }

            if (await SetAsync(form, name, values.ToString().Trim(), cancellationToken) is { } problem)
            {
                return problem;
            }
        }

        var fileName = request.Query["file_name"].ToString();
        form.Upload = await intake.SpoolAsync(request.Body, string.IsNullOrWhiteSpace(fileName) ? DefaultFileName : fileName, cancellationToken);
        return null;
    }

    private static async Task<ProblemHttpResult?> SetAsync(UploadForm form, string name, string value, CancellationToken cancellationToken) =>
        await form.SetAsync(name, value, cancellationToken) is { } problem ? Problems.Of(ProblemType.OfField(name), problem) : null;

    /// <summary>A misspelt option that is not heard is worse than an error.</summary>
    private static ProblemHttpResult UnknownField(string name, string others) =>
        Problems.Of(ProblemType.UnknownField, $"The field '{(name.Length <= 64 ? name : name[..64] + "…")}' is not known: allowed are {others}, {string.Join(", ", UploadForm.Fields)}.");
}
