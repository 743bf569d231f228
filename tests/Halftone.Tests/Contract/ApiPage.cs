using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Halftone.Api;

namespace Halftone.Tests.Contract;

/// <summary>Makes docs/api.md, the contract to read.</summary>
internal static partial class ApiPage
{
    private const string Server = "http://127.0.0.1:4300";
    private static readonly string[] CommonCodes = [.. ProblemType.OfAccess.Concat(ProblemType.OfWriting).Select(problem => problem.Code)];
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Make()
    {
        var page = new StringBuilder();
        var contract = ContractFiles.OpenApi();
        var shown = new HashSet<string>(StringComparer.Ordinal);
        page.Append(CultureInfo.InvariantCulture, $"""
            # The API

            {PageLinks().Replace((string)contract["info"]!["description"]!, "]($1.md)")}

            Generated from `docs/openapi.json`, which a server gives out at `/openapi/v1.json`. A test calls every route until it has given
            every answer listed here, and fails if one is missing or another comes. `/docs` on a server shows the same to try.

            ## Answers of every route

            Each route lists its own answers. Every route that asks for an API key may also answer {Common(ProblemType.OfAccess)};
            every route that uses the database {Common(ProblemType.OfReading)}, and {Link(ProblemType.DiskFull)} if it writes.
            Every other address is answered {Link(ProblemType.NotFound)}, every other method {Link(ProblemType.MethodNotAllowed)}.

            """);
        foreach (var tag in contract["tags"]!.AsArray())
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {tag!["name"]}\n\n{tag["description"]}\n");
            foreach (var (method, path, operation) in ContractFiles.Operations().Where(operation => (string)operation.Operation["tags"]![0]! == (string)tag["name"]!))
            {
                if ((string)tag["name"]! == "Pages")
                {
                    page.Append(CultureInfo.InvariantCulture, $"\n- `{method.ToUpperInvariant()} {path}`: {operation["summary"]}");
                    continue;
                }

                Operation(page, method.ToUpperInvariant(), path, operation, shown);
            }

            page.Append((string)tag["name"]! == "Pages" ? "\n" : "");
        }

        foreach (var (_, webhook) in contract["webhooks"]!.AsObject())
        {
            var sent = webhook!["post"]!;
            var shape = ((string)sent["requestBody"]!["content"]!["application/json"]!["schema"]!["$ref"]!).Split('/')[^1];
            page.Append(CultureInfo.InvariantCulture, $"\n## {sent["summary"]}\n\n{sent["description"]} [Webhooks](webhook.md) has the details; the body is a [{shape}](#{shape.ToLowerInvariant()}).\n");
        }

        page.Append("\n## Shapes\n");
        var upload = ContractFiles.Operations().First(operation => operation.Path == "/upload").Operation;
        var described = upload["parameters"]!.AsArray().Where(option => (string)option!["in"]! == "query")
            .ToDictionary(
                option => $"{option!["name"]} {TypeOf(option["schema"]!)}, optional): {WithoutPlace(option)}",
                _ => (string)upload["summary"]!);
        foreach (var (name, schema) in contract["components"]!["schemas"]!.AsObject())
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {name}\n\n{schema!["description"]}\n\n");
            var required = schema["required"]?.AsArray().Select(member => (string)member!).ToHashSet(StringComparer.Ordinal) ?? [];
            var members = schema["properties"]!.AsObject().Select(of =>
            {
                var type = TypeOf(of.Value!) + (required.Contains(of.Key) ? "" : ", optional");
                return (of.Key, Text: $"{type}): {(string)of.Value!["description"]!}");
            }).ToArray();
            foreach (var (member, text) in members.Where(member => described.TryAdd($"{member.Key} {member.Text}", name)))
            {
                page.Append(CultureInfo.InvariantCulture, $"- `{member}` ({text}\n");
            }

            foreach (var known in members.GroupBy(member => described[$"{member.Key} {member.Text}"]).Where(known => known.Key != name))
            {
                var anchor = known.Key.ToLowerInvariant().Replace(' ', '-');
                var names = Names(known.Select(member => member.Key));
                page.Append(CultureInfo.InvariantCulture, $"- {names}: as in [{known.Key}](#{anchor}).\n");
            }
        }

        return page.ToString();
    }

    private static string Common(IEnumerable<ProblemType> problems) => string.Join(", ", problems.Select(Link));

    /// <summary>What a parameter means, without the sentence that every option of an upload begins with.</summary>
    private static string WithoutPlace(JsonNode parameter) =>
        ((string)parameter["description"]!).Replace(OpenApiFile.InQueryOrBody, "", StringComparison.Ordinal);

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"`{name}`"));

    private static string Link(ProblemType problem) => $"{problem.Status} {ErrorPage.Of(problem.Code).Link}";

    /// <param name="shown">Examples and parameters that the page has already; each is shown once.</param>
    private static void Operation(StringBuilder page, string method, string path, JsonObject operation, HashSet<string> shown)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n### {operation["summary"]}\n\n`{method} {path}`{(operation["security"] is null ? "" : " · no API key required")}\n\n{operation["description"]}\n");
        if (operation["parameters"] is JsonArray parameters)
        {
            page.Append('\n');
            var texts = parameters.Select(parameter => (
                Name: (string)parameter!["name"]!,
                Text: $"({parameter["in"]}, {TypeOf(parameter["schema"]!)}): {WithoutPlace(parameter)}"));
            var known = texts.ToLookup(parameter => !shown.Add($"{parameter.Name} {parameter.Text}"));
            foreach (var (name, text) in known[false])
            {
                page.Append(CultureInfo.InvariantCulture, $"- `{name}` {text}\n");
            }

            if (known[true].Any())
            {
                page.Append(CultureInfo.InvariantCulture, $"- {Names(known[true].Select(parameter => parameter.Name))}: as above.\n");
            }
        }

        if (operation["requestBody"]?["content"] is JsonObject bodies)
        {
            page.Append(CultureInfo.InvariantCulture, $"\nBody: {string.Join("; ", bodies.GroupBy(body => ShapeOf(body.Value!)).Select(body => $"{string.Join(", ", body.Select(one => $"`{one.Key}`"))}: {body.Key}"))}.\n");
        }

        page.Append("\nAnswers:\n\n");
        foreach (var (status, response) in ContractFiles.Responses(operation))
        {
            var headers = response["headers"] is JsonObject named ? $" Headers: {string.Join(", ", named.Select(header => $"`{header.Key}`"))}." : "";
            if (response["content"]?["application/problem+json"] is null)
            {
                var bodiesOf = response["content"]?.AsObject().Select(body => $"`{body.Key}`: {ShapeOf(body.Value!)}") ?? ["no body"];
                var meaning = ((string)response["description"]!).TrimEnd('.');
                page.Append(CultureInfo.InvariantCulture, $"- **{status}** {string.Join(", ", bodiesOf)}. {meaning}.{headers}\n");
            }
            else if (AnswerTable.WhatsOf(response).Except(CommonCodes).ToArray() is { Length: > 0 } codes)
            {
                var links = string.Join(", ", codes.Select(code => ErrorPage.Of(code).Link));
                page.Append(CultureInfo.InvariantCulture, $"- **{status}** {links}.{headers}\n");
            }
        }

        Example(page, method, path, operation, shown);
    }

    /// <summary>A call that can be typed, and what it is answered.</summary>
    private static void Example(StringBuilder page, string method, string path, JsonObject operation, HashSet<string> shown)
    {
        if (ContractFiles.Responses(operation).FirstOrDefault(response => response.Status == "200") is not { Response: { } response } || response["content"]?.AsObject().First() is not { } body)
        {
            return;
        }

        var example = body.Value!["example"] ?? body.Value["examples"]?.AsObject().First().Value!["value"];
        if (example is null)
        {
            return;
        }

        var url = (operation["parameters"]?.AsArray() ?? []).Where(parameter => (string)parameter!["in"]! == "path")
            .Aggregate(Server + path, (address, parameter) => address.Replace($"{{{parameter!["name"]}}}", (string)parameter["example"]!, StringComparison.Ordinal));
        var options = (method, operation["requestBody"]?["content"]) switch
        {
            (_, JsonObject bodies) when bodies.ContainsKey("multipart/form-data") => "-F file=@products.csv ",
            (_, JsonObject bodies) => $"--json '{bodies["application/json"]!["example"]!.ToJsonString()}' ",
            ("GET", _) => "",
            _ => $"-X {method} ",
        };
        page.Append(CultureInfo.InvariantCulture, $"\n```bash\ncurl {options}{url}\n```\n");
        if (!shown.Add(example.ToJsonString()))
        {
            return;
        }

        var (language, text) = example is JsonValue ? ("text", ((string)example!).TrimEnd('\n')) : ("json", example.ToJsonString(Indented));
        page.Append(CultureInfo.InvariantCulture, $"\n```{language}\n{text}\n```\n");
    }

    private static string ShapeOf(JsonNode body) => body["schema"]!["anyOf"] is JsonArray shapes ? string.Join(" or ", shapes.Select(shape => Link(shape!)))
        : body["schema"]!["$ref"] is not null ? Link(body["schema"]!)
        : (string?)body["schema"]!["description"] is { } description ? char.ToLowerInvariant(description[0]) + description[1..].TrimEnd('.')
        : "text";

    private static string TypeOf(JsonNode schema) => schema["$ref"] is not null ? Link(schema)
        : schema["enum"] is JsonArray words ? string.Join(", ", words.Select(word => $"`{word}`"))
        : (string)schema["type"]! == "array" ? $"list of {TypeOf(schema["items"]!)}"
        : (string)schema["type"]!
            + ((string?)schema["format"] is { } format and not ("int32" or "int64" or "double") ? $" ({format})" : "")
            + (schema["minimum"] is { } least ? $", {least} to {schema["maximum"]}" : "")
            + (schema["default"] is { } otherwise ? $", default {otherwise}" : "");

    private static string Link(JsonNode reference)
    {
        var name = ((string)reference["$ref"]!).Split('/')[^1];
        return $"[{name}](#{name.ToLowerInvariant()})";
    }

    [GeneratedRegex(@"\]\(/docs/(\w+)\)")]
    private static partial Regex PageLinks();

}
