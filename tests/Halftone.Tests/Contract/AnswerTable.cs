using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Halftone.Tests.Contract;

/// <summary>
/// Route × answer: the rows that the contract has, and those that were really given. A row is an operation with a status and what came with it: the code
/// of a problem, the shape of a JSON body where there are several, else the media type.
/// </summary>
internal sealed partial class AnswerTable
{
    private readonly JsonObject contract = ContractFiles.OpenApi();
    private readonly (string Method, string Path, JsonObject Operation)[] operations = [.. ContractFiles.Operations()];
    private readonly Lock gate = new();
    private readonly HashSet<string> given = new(StringComparer.Ordinal);
    private readonly HashSet<string> problems = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> bodies = [];
    private readonly ConcurrentQueue<string> missingHeaders = [];

    /// <summary>What the contract says, and the two answers of every address that it does not have.</summary>
    public IEnumerable<string> Documented => operations.SelectMany(RowsOf).Concat(["* 404 not_found", "* 405 method_not_allowed"]).Order(StringComparer.Ordinal);

    public IEnumerable<string> Given => given.Order(StringComparer.Ordinal);

    /// <summary>Answers that came without a header that the contract promises.</summary>
    public IEnumerable<string> MissingHeaders => missingHeaders;

    /// <summary>Each problem that was given, its numbers and ids made alike.</summary>
    public IEnumerable<string> Problems => problems;

    /// <summary>Each JSON body that was sent or given with its schema, a line for each.</summary>
    public IEnumerable<string> Bodies => bodies;

    /// <summary>Numbers and ids differ from run to run.</summary>
    public static string Alike(JsonNode problem) => Numbers().Replace(Ids().Replace(problem.ToJsonString(), "ID"), "N");

    public void AddBody(string where, JsonNode schema, JsonNode body) =>
        bodies.Enqueue(new JsonObject { ["where"] = where, ["schema"] = schema.DeepClone(), ["body"] = body.DeepClone() }.ToJsonString());

    /// <summary>The body of a call that was taken, as JSON.</summary>
    public void AddCall(string method, string path, string mediaType, JsonNode body)
    {
        lock (gate)
        {
            var (of, template, operation) = Find(method, path)!.Value;
            AddBody($"body of {of} {template}", operation["requestBody"]!["content"]![mediaType]!["schema"]!, body);
        }
    }

    public void AddAnswer(string method, string path, int status, string? mediaType, string body, Func<string, bool> hasHeader)
    {
        lock (gate)
        {
            AddAnswerAlone(method, path, status, mediaType, body, hasHeader);
        }
    }

    private void AddAnswerAlone(string method, string path, int status, string? mediaType, string body, Func<string, bool> hasHeader)
    {
        if (mediaType == "application/problem+json")
        {
            problems.Add(Alike(JsonNode.Parse(body)!));
        }

        if (Find(method, path) is not { Operation: { } operation } found)
        {
            given.Add($"* {status} {WhatOf(mediaType, body, null)}");
            return;
        }

        var response = operation["responses"]![$"{status}"] is { } documented ? Resolve(documented) : null;
        var schema = mediaType is null ? null : response?["content"]?[mediaType]?["schema"];
        var row = $"{found.Method.ToUpperInvariant()} {found.Path} {status} {WhatOf(mediaType, body, schema)}";
        given.Add(row);
        foreach (var header in (response?["headers"]?.AsObject() ?? []).Select(header => header.Key).Where(header => !hasHeader(header)))
        {
            missingHeaders.Enqueue($"{row} without {header}");
        }

        if (schema is not null && JsonOf(mediaType!, body) is { } jsons)
        {
            foreach (var json in jsons)
            {
                AddBody(row, schema, json);
            }
        }
    }

    /// <summary>The JSON of a body: itself, each of its lines, or the data of each status event.</summary>
    private static IEnumerable<JsonNode>? JsonOf(string mediaType, string body) => mediaType switch
    {
        "application/json" when body.Contains("\"openapi\"", StringComparison.Ordinal) => null,
        "application/json" or "application/problem+json" => [JsonNode.Parse(body)!],
        "application/x-ndjson" => body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!),
        _ => null,
    };

    private IEnumerable<string> RowsOf((string Method, string Path, JsonObject Operation) operation) =>
        from response in operation.Operation["responses"]!.AsObject()
        from what in WhatsOf(Resolve(response.Value!))
        select $"{operation.Method.ToUpperInvariant()} {operation.Path} {response.Key} {what}";

    /// <summary>The different answers of one status.</summary>
    public static IEnumerable<string> WhatsOf(JsonNode response) => response["content"]?.AsObject() is { } content
        ? content.SelectMany(media => media.Key == "application/problem+json" ? media.Value!["examples"]!.AsObject().Select(example => example.Key)
            : media.Value!["schema"]!["anyOf"] is JsonArray shapes ? shapes.Select(NameOf)
            : [media.Key])
        : ["-"];

    private string WhatOf(string? mediaType, string body, JsonNode? schema)
    {
        if (mediaType == "application/problem+json")
        {
            return (string)JsonNode.Parse(body)!["code"]!;
        }

        if (schema?["anyOf"] is JsonArray shapes)
        {
            var members = JsonNode.Parse(body)!.AsObject().Select(member => member.Key).ToHashSet(StringComparer.Ordinal);
            return NameOf(shapes
                .Where(shape => Resolve(shape!)["required"]!.AsArray().All(member => members.Contains((string)member!)))
                .MaxBy(shape => Resolve(shape!)["required"]!.AsArray().Count));
        }

        return mediaType ?? "-";
    }

    private (string Method, string Path, JsonObject Operation)? Find(string method, string path)
    {
        var plain = path == "/api/v1" ? "/" : path.StartsWith("/api/v1/", StringComparison.Ordinal) ? path["/api/v1".Length..] : path;
        foreach (var operation in operations)
        {
            if (operation.Method.Equals(method, StringComparison.OrdinalIgnoreCase) && Regex.IsMatch(plain, $"^{Braces().Replace(operation.Path.Replace(".", "\\.", StringComparison.Ordinal), "[^/]+")}/?$"))
            {
                return operation;
            }
        }

        return null;
    }

    private JsonNode Resolve(JsonNode node) =>
        node["$ref"] is { } reference ? ((string)reference!).Split('/').Skip(1).Aggregate((JsonNode)contract, (found, name) => found[name]!) : node;

    private static string NameOf(JsonNode? reference) => ((string)reference!["$ref"]!).Split('/')[^1];

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Braces();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Ids();

    [GeneratedRegex(@"\d[\d,]*")]
    private static partial Regex Numbers();
}

/// <summary>Notes every answer on its way; redirects are answers too.</summary>
internal sealed class NotedAnswers : DelegatingHandler
{
    private readonly AnswerTable table;

    public NotedAnswers(AnswerTable table)
        : base(new SocketsHttpHandler { AllowAutoRedirect = false }) => this.table = table;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        var sent = request.Content switch
        {
            JsonContent json => JsonNode.Parse(await json.ReadAsStringAsync(cancellationToken)),
            MultipartFormDataContent form => await FieldsAsync(form, cancellationToken),
            _ => null,
        };
        var answer = await base.SendAsync(request, cancellationToken);
        if (sent is not null && answer.IsSuccessStatusCode)
        {
            table.AddCall(request.Method.Method, path, request.Content!.Headers.ContentType!.MediaType!, sent);
        }

        await answer.Content.LoadIntoBufferAsync(cancellationToken);
        table.AddAnswer(
            request.Method.Method,
            path,
            (int)answer.StatusCode,
            answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsStringAsync(cancellationToken),
            header => answer.Headers.NonValidated.Contains(header) || answer.Content.Headers.NonValidated.Contains(header));
        return answer;
    }

    /// <summary>The fields of a form, numbers and truth values as such.</summary>
    private static async Task<JsonNode> FieldsAsync(MultipartFormDataContent form, CancellationToken cancellationToken)
    {
        var fields = new JsonObject();
        foreach (var part in form)
        {
            var value = await part.ReadAsStringAsync(cancellationToken);
            fields[part.Headers.ContentDisposition!.Name!] = bool.TryParse(value, out var flag) ? flag : int.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : value;
        }

        return fields;
    }
}
