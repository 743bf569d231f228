using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Halftone.Tests.Contract;

/// <summary>Makes docs/api.md, the contract to read.</summary>
internal static partial class ApiPage
{
    private const string Server = "http://127.0.0.1:4300";
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private const string Origin =
        "Made from `docs/openapi.json`, which the server gives out at `/openapi/v1.json`, by the test that also calls every "
            + "route until it has given\nevery answer listed here, and fails where one is missing or another comes. "
            + "`/docs` on a server shows the same to try.";

    public static string Make()
    {
        var page = new StringBuilder();
        var contract = ContractFiles.OpenApi();
        page.Append(CultureInfo.InvariantCulture, $"""
            # The API

            {PageLinks().Replace((string)contract["info"]!["description"]!, "]($1.md)")}

            {Origin}

            ## All answers

            How many different answers each route has, by status. Each of them was really given.


            """);
        Overview(page);
        page.Append(
            "\nEvery other address is answered 404 ([`not_found`](errors/not_found.md)), every method but those and HEAD 405 "
                + "([`method_not_allowed`](errors/method_not_allowed.md)).\n");
        foreach (var tag in contract["tags"]!.AsArray())
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {tag!["name"]}\n\n{tag["description"]}\n");
            foreach (var (method, path, operation) in ContractFiles.Operations().Where(
                operation => (string)operation.Operation["tags"]![0]! == (string)tag["name"]!))
            {
                Operation(page, method.ToUpperInvariant(), path, operation);
            }
        }

        foreach (var (_, webhook) in contract["webhooks"]!.AsObject())
        {
            var sent = webhook!["post"]!;
            var shape = ((string)sent["requestBody"]!["content"]!["application/json"]!["schema"]!["$ref"]!).Split('/')[^1];
            page.Append(
                CultureInfo.InvariantCulture,
                $"\n## {sent["summary"]}\n\n{sent["description"]} [Webhooks](webhook.md) has all of it; the body is a [{shape}](#"
                    + $"{shape.ToLowerInvariant()}).\n");
        }

        page.Append("\n## Shapes\n");
        foreach (var (name, schema) in contract["components"]!["schemas"]!.AsObject())
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"\n### {name}\n\n{schema!["description"]}\n\n| member | type | meaning |\n| --- | --- | --- |\n");
            var required = schema["required"]?.AsArray().Select(member => (string)member!).ToHashSet(StringComparer.Ordinal) ?? [];
            foreach (var (member, of) in schema["properties"]!.AsObject())
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| `{member}`{(required.Contains(member) ? "" : " (optional)")} | {TypeOf(of!)} | "
                        + $"{Cell((string)of!["description"]!)} |\n");
            }
        }

        return page.ToString();
    }

    private static void Overview(StringBuilder page)
    {
        var operations = ContractFiles.Operations().ToArray();
        var statuses = operations
            .SelectMany(operation => operation.Operation["responses"]!.AsObject().Select(response => response.Key))
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToArray();
        page.Append(
            CultureInfo.InvariantCulture,
            $"| route | {string.Join(" | ", statuses)} |\n|{string.Concat(Enumerable.Repeat(" --- |", statuses.Length + 1))}\n");
        foreach (var (method, path, operation) in operations)
        {
            var counts = ContractFiles.Responses(operation).ToDictionary(
                response => response.Status, response => AnswerTable.WhatsOf(response.Response).Count());
            var cells = statuses.Select(status => counts.GetValueOrDefault(status) is var count and > 0 ? $"{count}" : "");
            page.Append(CultureInfo.InvariantCulture, $"| `{method.ToUpperInvariant()} {path}` | {string.Join(" | ", cells)} |\n");
        }
    }

    private static void Operation(StringBuilder page, string method, string path, JsonObject operation)
    {
        page.Append(
            CultureInfo.InvariantCulture,
            $"\n### {operation["summary"]}\n\n`{method} {path}`{(operation["security"] is null ? "" : " · no API key asked")}\n\n"
                + $"{operation["description"]}\n");
        if (operation["parameters"] is JsonArray parameters)
        {
            page.Append("\n| parameter | in | type | meaning |\n| --- | --- | --- | --- |\n");
            foreach (var parameter in parameters)
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| `{parameter!["name"]}` | {parameter["in"]} | {TypeOf(parameter["schema"]!)} | "
                        + $"{Cell((string)parameter["description"]!)} |\n");
            }
        }

        if (operation["requestBody"]?["content"] is JsonObject bodies)
        {
            var shapes = bodies.GroupBy(body => ShapeOf(body.Value!))
                .Select(body => $"{string.Join(", ", body.Select(one => $"`{one.Key}`"))}: {body.Key}");
            page.Append(CultureInfo.InvariantCulture, $"\nBody: {string.Join("; ", shapes)}.\n");
        }

        page.Append("\n| status | answer | meaning |\n| --- | --- | --- |\n");
        foreach (var (status, response) in ContractFiles.Responses(operation))
        {
            var isProblem = response["content"]?["application/problem+json"] is not null;
            var answers = isProblem
                ? AnswerTable.WhatsOf(response).Select(code => $"[`{code}`](errors/{code}.md)")
                : response["content"]?.AsObject().Select(body => $"`{body.Key}`: {ShapeOf(body.Value!)}") ?? ["no body"];
            var meaning = isProblem
                ? string.Join(", ", AnswerTable.WhatsOf(response).Select(code => (string)ErrorPage.ExampleOf(code)["title"]!).Distinct())
                : (string)response["description"]!;
            var headers = response["headers"] is JsonObject named
                ? $" Headers: {string.Join(", ", named.Select(header => $"`{header.Key}`"))}."
                : "";
            page.Append(
                CultureInfo.InvariantCulture, $"| {status} | {string.Join(", ", answers)} | {Cell(meaning.TrimEnd('.'))}.{headers} |\n");
        }

        Example(page, method, path, operation);
    }

    /// <summary>A call that can be typed, and what it is answered.</summary>
    private static void Example(StringBuilder page, string method, string path, JsonObject operation)
    {
        if (ContractFiles.Responses(operation).FirstOrDefault(response => response.Status == "200") is not { Response: { } response }
            || response["content"]?.AsObject().First() is not { } body)
        {
            return;
        }

        var example = body.Value!["example"] ?? body.Value["examples"]?.AsObject().First().Value!["value"];
        if (example is null)
        {
            return;
        }

        var url = (operation["parameters"]?.AsArray() ?? []).Where(parameter => (string)parameter!["in"]! == "path")
            .Aggregate(
                Server + path,
                (address, parameter) =>
                    address.Replace($"{{{parameter!["name"]}}}", (string)parameter["example"]!, StringComparison.Ordinal));
        var options = (method, operation["requestBody"]?["content"]) switch
        {
            (_, JsonObject bodies) when bodies.ContainsKey("multipart/form-data") => "-F file=@products.csv ",
            (_, JsonObject bodies) => $"--json '{bodies["application/json"]!["example"]!.ToJsonString()}' ",
            ("GET", _) => "",
            _ => $"-X {method} ",
        };
        page.Append(
            CultureInfo.InvariantCulture,
            $"\n```bash\ncurl {options}{url}\n```\n\n```{(example is JsonValue ? "text" : "json")}\n"
                + $"{(example is JsonValue ? ((string)example!).TrimEnd('\n') : example.ToJsonString(Indented))}\n```\n");
    }

    private static string ShapeOf(JsonNode body) =>
        body["schema"]!["anyOf"] is JsonArray shapes ? string.Join(" or ", shapes.Select(shape => Link(shape!)))
            : body["schema"]!["$ref"] is not null
                ? Link(body["schema"]!)
            : (string?)body["schema"]!["description"] is { } description
                ? char.ToLowerInvariant(description[0]) + description[1..].TrimEnd('.')
                    : "text";

    private static string TypeOf(JsonNode schema) => schema["$ref"] is not null ? Link(schema)
        : schema["enum"] is JsonArray words ? string.Join(", ", words.Select(word => $"`{word}`"))
        : (string)schema["type"]! == "array"
            ? $"list of {TypeOf(schema["items"]!)}"
        : ((string)schema["type"]! + (schema["format"] is { } format ? $" ({format})" : "")
            + (schema["minimum"] is { } least ? $", {least} to {schema["maximum"]}" : "")
            + (schema["default"] is { } otherwise ? $", default {otherwise}" : ""));

    private static string Link(JsonNode reference)
    {
        var name = ((string)reference["$ref"]!).Split('/')[^1];
        return $"[{name}](#{name.ToLowerInvariant()})";
    }

    [GeneratedRegex(@"\]\(/docs/(\w+)\)")]
    private static partial Regex PageLinks();

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
