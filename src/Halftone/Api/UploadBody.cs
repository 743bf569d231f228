using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Halftone.Codec;
using Halftone.Intake;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary>
/// Reads the three bodies of an upload: a multipart form with the part <c>file</c>, a JSON object with the member
/// <c>csv</c>, or the CSV itself. Options are in the query, or beside the file in a form or object.
/// </summary>
internal static class UploadBody
{
    /// <summary>Media types whose body is the CSV itself.</summary>
    public static readonly string[] CsvTypes = [
        "text/csv",
        "application/csv",
        "text/plain",
        "text/tab-separated-values",
        "application/gzip",
        "application/x-gzip",
    ];

    private const int MaxFieldBytes = 8 * 1024;
    private const int MaxJsonBytes = 8 * 1024 * 1024;
    private const int MaxBoundaryChars = 200;
    private const string FileNameField = "file_name";
    private const string DefaultFileName = "upload.csv";
    private static readonly SemaphoreSlim JsonTurn = new(1);

    /// <summary>Spools the file and stores the fields.</summary>
    /// <returns>Null, or the problem of the body.</returns>
    public static async Task<ProblemHttpResult?> ReadAsync(
        HttpRequest request,
        UploadForm form,
        UploadSpool spool,
        CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            return Unsupported();
        }

        if (!StringValues.IsNullOrEmpty(request.Headers.ContentEncoding))
        {
            // Known encodings were decoded and removed before this point.
            return Problems.Of(ProblemType.UnsupportedMediaType, "Send the body without a Content-Encoding, or with gzip or deflate.");
        }

        var isForm = type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        var isJson = type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);
        if (!isForm && !isJson && !CsvTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase))
        {
            return Unsupported();
        }

        if (await ReadQueryAsync(request.Query, form, cancellationToken) is { } problem)
        {
            return problem;
        }

        if (isForm)
        {
            return await ReadPartsAsync(request, type, form, spool, cancellationToken);
        }

        if (isJson)
        {
            return await ReadJsonAsync(request, form, spool, cancellationToken);
        }

        form.Upload = await spool.SpoolAsync(request.Body, form.FileName ?? DefaultFileName, cancellationToken);
        return null;
    }

    private static ProblemHttpResult Unsupported() => Problems.Of(
        ProblemType.UnsupportedMediaType,
        "Send the CSV as multipart/form-data in a part named 'file' (curl -F file=@products.csv …/upload), as text/csv, or as "
        + "application/json in a member 'csv'.");

    private static async Task<ProblemHttpResult?> ReadPartsAsync(
        HttpRequest request,
        MediaTypeHeaderValue type,
        UploadForm form,
        UploadSpool spool,
        CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > MaxBoundaryChars)
        {
            return Problems.Of(ProblemType.BrokenMultipart, "The Content-Type has no usable boundary.");
        }

        var reader = new MultipartReader(boundary, request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 16 * 1024 };
        // Names must be known and may not repeat, so there are few parts.
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                || Decode(() => disposition.Name) is not { Length: > 0 } name)
            {
                return Problems.Of(ProblemType.BrokenMultipart, "A part has no name. Send the CSV in a part named 'file'.");
            }

            var problem = name == "file"
                ? await SpoolPartAsync(section, disposition, form, spool, cancellationToken)
                : await ReadFieldAsync(section, name, form, cancellationToken);
            if (problem is not null)
            {
                return problem;
            }
        }

        return form.Upload is null ? Problems.Of(ProblemType.MissingFile, "The part named 'file' is missing. Send the CSV in it.") : null;
    }

    private static async Task<ProblemHttpResult?> SpoolPartAsync(
        MultipartSection section,
        ContentDispositionHeaderValue disposition,
        UploadForm form,
        UploadSpool spool,
        CancellationToken cancellationToken)
    {
        if (form.Upload is not null)
        {
            return Problems.Of(ProblemType.SeveralFiles, "There are two parts named 'file'. Send one CSV per request.");
        }

        // ASP.NET Core takes the first of several names, and throws if it has no value.
        var hasStar = disposition.Parameters.FirstOrDefault(parameter =>
            parameter.Name.Equals("filename*", StringComparison.OrdinalIgnoreCase)) is { Value.HasValue: true };
        var fileName = (hasStar ? Decode(() => disposition.FileNameStar) : null) ?? Unescape(Decode(() => disposition.FileName));
        form.Upload = await spool.SpoolAsync(
            section.Body,
            form.FileName ?? (string.IsNullOrWhiteSpace(fileName) ? DefaultFileName : fileName),
            cancellationToken);
        return null;
    }

    /// <summary>Decodes the three characters that browsers and curl escape in a file name: WHATWG HTML, "multipart form data".</summary>
    private static string? Unescape(string? fileName) => fileName?
        .Replace(
            "%22",
            "\"",
            StringComparison.Ordinal).Replace("%0D", "\r", StringComparison.Ordinal).Replace("%0A", "\n", StringComparison.Ordinal);

    /// <returns>Null if there is none, or if it is in an encoding that .NET knows but refuses, such as UTF-7.</returns>
    private static string? Decode(Func<StringSegment> name)
    {
        try
        {
            return HeaderUtilities.RemoveQuotes(name()).Value;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    private static async Task<ProblemHttpResult?> ReadFieldAsync(
        MultipartSection section,
        string name,
        UploadForm form,
        CancellationToken cancellationToken)
    {
        if (!UploadForm.Fields.Contains(name))
        {
            return UnknownField(name, "file");
        }

        if (!form.TryAdd(name))
        {
            return GivenTwice(name);
        }

        var buffer = new byte[MaxFieldBytes + 1];
        var length = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > MaxFieldBytes
            ? FieldTooLong(name)
            : await SetAsync(form, name, Encoding.UTF8.GetString(buffer, 0, length).Trim(), cancellationToken);
    }

    /// <summary>
    /// Spools the body to disk, however slowly it arrives, then parses one body at a time: sixty-four 8 MiB bodies
    /// parsed in memory at once would take gigabytes.
    /// </summary>
    private static async Task<ProblemHttpResult?> ReadJsonAsync(
        HttpRequest request,
        UploadForm form,
        UploadSpool spool,
        CancellationToken cancellationToken)
    {
        SpooledUpload spooled;
        try
        {
            spooled = await spool.SpoolAsync(request.Body, DefaultFileName, MaxJsonBytes, cancellationToken);
        }
        catch (SpoolTooLargeException)
        {
            return Problems.Of(
                ProblemType.BodyTooLarge,
                $"A JSON body can have at most {MaxJsonBytes:N0} bytes. Send larger files as multipart/form-data or text/csv.");
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        await JsonTurn.WaitAsync(cancellationToken);
        try
        {
            using var body = await ReadWholeAsync(spooled, spool, cancellationToken);
            if (await TakeJsonApartAsync(body.Memory[..^1], fields, form, spool, cancellationToken) is { } problem)
            {
                return problem;
            }
        }
        finally
        {
            JsonTurn.Release();
            await spool.DiscardAsync(spooled);
        }

        // Not while holding the turn: resolving the name of a webhook may take a while.
        foreach (var (name, value) in fields)
        {
            if (await SetAsync(form, name, value, cancellationToken) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    /// <returns>The body plus one byte, because a memory buffer cannot be empty.</returns>
    private static async Task<SourceMemory> ReadWholeAsync(SpooledUpload spooled, UploadSpool spool, CancellationToken cancellationToken)
    {
        await using var file = await spool.OpenAsync(spooled, cancellationToken);
        var body = new SourceMemory((int)file.Length + 1);
        try
        {
            await file.ReadExactlyAsync(body.Memory[..^1], cancellationToken);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private static async Task<ProblemHttpResult?> TakeJsonApartAsync(
        ReadOnlyMemory<byte> body,
        Dictionary<string, string> fields,
        UploadForm form,
        UploadSpool spool,
        CancellationToken cancellationToken)
    {
        body = body[JsonBody.MarkLength(body.Span)..];
        if (!Utf8.IsValid(body.Span))
        {
            return Problems.Of(ProblemType.InvalidJson, "The body is not valid UTF-8, which JSON requires.");
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException exception)
        {
            return Problems.Of(ProblemType.InvalidJson, $"The body is not valid JSON (line {exception.LineNumber + 1}).");
        }

        using (document)
        {
            JsonElement csv = default;
            var isObject = document.RootElement.ValueKind == JsonValueKind.Object;
            foreach (var member in isObject ? document.RootElement.EnumerateObject() : default)
            {
                var name = NameOf(member);
                if (name is not ("csv" or FileNameField) && !UploadForm.Fields.Contains(name))
                {
                    return UnknownField(name, $"csv, {FileNameField}");
                }

                if (!form.TryAdd(name))
                {
                    return GivenTwice(name);
                }

                if (name == "csv")
                {
                    csv = member.Value;
                }
                else if (name == FileNameField)
                {
                    form.SetFileName(member.Value.ValueKind == JsonValueKind.String ? TextOf(member.Value) : null);
                }
                else if (JsonMarshal.GetRawUtf8Value(member.Value).Length > MaxFieldBytes)
                {
                    return FieldTooLong(name);
                }
                else
                {
                    // The raw text of an unexpected value appears in the error message and cannot throw.
                    fields[name] = member.Value.ValueKind switch
                    {
                        JsonValueKind.Null => "",
                        JsonValueKind.String => TextOf(member.Value),
                        _ => member.Value.GetRawText(),
                    };
                }
            }

            if (csv.ValueKind != JsonValueKind.String)
            {
                return Problems.Of(ProblemType.MissingFile, "Send a JSON object whose member 'csv' is the text of the file.");
            }

            using var text = new SourceMemory(body.Length + 1);
            if (!TryUnescape(csv, text.GetSpan(), out var length))
            {
                return Problems.Of(ProblemType.InvalidJson, "The member 'csv' contains half a character (a lone surrogate).");
            }

            await using var stream = new ReadOnlyMemoryContent(text.Memory[..length]).ReadAsStream(cancellationToken);
            form.Upload = await spool.SpoolAsync(stream, form.FileName ?? DefaultFileName, cancellationToken);
            return null;
        }
    }

    /// <summary>Writes the text as UTF-8 without an intermediate string of twice its length.</summary>
    private static bool TryUnescape(JsonElement text, Span<byte> destination, out int length)
    {
        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(text));
        reader.Read();
        try
        {
            length = reader.CopyString(destination);
            return true;
        }
        catch (InvalidOperationException)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>The member's name, or its raw form if it contains a lone surrogate.</summary>
    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(member));
        }
    }

    /// <summary>The string, or its raw form if it contains a lone surrogate.</summary>
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

    private static async Task<ProblemHttpResult?> ReadQueryAsync(
        IQueryCollection query,
        UploadForm form,
        CancellationToken cancellationToken)
    {
        foreach (var (name, values) in query)
        {
            if (name != FileNameField && !UploadForm.Fields.Contains(name))
            {
                return UnknownField(name, FileNameField);
            }

            if (!form.TryAdd(name) || values.Count > 1)
            {
                return GivenTwice(name);
            }

            if (name == FileNameField)
            {
                form.SetFileName(values.ToString());
            }
            else if (await SetAsync(form, name, values.ToString().Trim(), cancellationToken) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static async Task<ProblemHttpResult?> SetAsync(
        UploadForm form,
        string name,
        string value,
        CancellationToken cancellationToken) =>
        await form.SetAsync(name, value, cancellationToken) is { } problem ? Problems.Of(ProblemType.OfField(name), problem) : null;

    private static ProblemHttpResult FieldTooLong(string name) =>
        Problems.Of(ProblemType.FieldTooLong, $"The field '{name}' is longer than {MaxFieldBytes:N0} bytes.");

    /// <summary>Refuses both, because it is unclear which of the two was meant.</summary>
    private static ProblemHttpResult GivenTwice(string name) =>
        Problems.Of(ProblemType.RepeatedField, $"The field '{name}' is given twice. Give it once, in the query or in the body.");

    /// <summary>Refuses unknown fields, because silently ignoring a misspelt option is worse than an error.</summary>
    private static ProblemHttpResult UnknownField(string name, string others) =>
        Problems.Of(
            ProblemType.UnknownField,
            $"The field '{(name.Length <= 64 ? name : name[..64] + "…")}' is unknown. Allowed: {others}, "
            + $"{string.Join(", ", UploadForm.Fields)}.");
}
