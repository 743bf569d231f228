using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Halftone.Tests.Contract;

/// <summary>
/// Makes postman/halftone.postman_collection.json: a walk over every route, from an upload to its removal. Descriptions and the example responses are the
/// contract's; what is sent and what must come back stands here.
/// </summary>
internal static class PostmanFile
{
    private const string Csv = "S. No.,Product Name,Input Image Urls\n007,Stoneware Mug,\"{{image_url}},{{image_url}}-gone\"\n";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The calls, by folder, in the order in which they build on each other.</summary>
    private static readonly (string Folder, Call[] Calls)[] Walk =
    [
        ("Upload and status",
        [
            new("Check a CSV", "POST /upload")
            {
                Body = Form(("file", "../samples/products.csv"), ("validate_only", "true")),
                Tests = ["body.valid === true", "body.products === 6 && body.images === 12", "body.columns.image_urls === 'Input Image Urls'"],
            },
            new("Upload a CSV", "POST /upload")
            {
                Body = Raw(new JsonObject { ["csv"] = Csv, ["file_name"] = "products.csv" }.ToJsonString(Indented), "json"),
                Header = ("Content-Type", "application/json"),
                Tests = ["/^[0-9a-f-]{36}$/.test(body.request_id)", "body.status === 'PENDING'", "body.images === 2"],
                Keep = "pm.collectionVariables.set('request_id', body.request_id);",
            },
            new("Follow it to its end", "GET /status/{request_id}/events") { Tests = ["text.startsWith('event: status\\ndata: {')", "text.includes('event: end')"] },
            new("Status", "GET /status/{request_id}")
            {
                Query = "?limit=20",
                Tests = ["body.request_id === pm.collectionVariables.get('request_id')", "body.status === 'COMPLETED'", "body.products[0].product_name === 'Stoneware Mug'", "body.products[0].images[1].error.code === 'http_status'"],
                Keep = "pm.collectionVariables.set('output_url', body.products[0].images[0].output_url);",
            },
            new("Images of a request", "GET /requests/{request_id}/images") { Query = "?status=completed&limit=20", Tests = ["body.images.length === 1", "body.images[0].output_url === pm.collectionVariables.get('output_url')", "body.images[0].width > 0"] },
            new("List of requests", "GET /requests") { Query = "?limit=20", Tests = ["body.requests[0].request_id === pm.collectionVariables.get('request_id')"] },
        ]),
        ("Results",
        [
            new("Result CSV", "GET /results/{request_id}.csv") { Tests = ["text.startsWith('S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors')", "text.includes(pm.collectionVariables.get('output_url'))"] },
            new("Line per image", "GET /results/{request_id}.ndjson") { Tests = ["JSON.parse(text.split('\\n')[0]).sha256.length === 64", "text.trim().split('\\n').length === 2"] },
            new("Failed rows", "GET /results/{request_id}/failed.csv") { Tests = ["text.includes('-gone') && !text.includes('Output Image Urls')"] },
            new("Output image", "GET /images/{request_id}/{file}") { Url = "{{output_url}}", Tests = ["pm.response.stream.length > 0", "pm.response.headers.get('Content-Type').startsWith('image/')"] },
        ]),
        ("Webhooks",
        [
            new("Register a webhook", "POST /webhook")
            {
                Body = Raw(new JsonObject { ["callback_url"] = "{{webhook_url}}", ["request_id"] = "{{request_id}}" }.ToJsonString(Indented), "json"),
                Header = ("Content-Type", "application/json"),
                Tests = ["body.message === 'Webhook registered successfully.'", "body.secret.startsWith('whsec_')"],
                Keep = "pm.collectionVariables.set('webhook_id', body.webhook_id);",
            },
            new("Send an event again", "POST /webhook")
            {
                Body = Raw(new JsonObject { ["request_id"] = "{{request_id}}" }.ToJsonString(Indented), "json"),
                Header = ("Content-Type", "application/json"),
                Tests = ["body.message === 'The event is being sent again.'"],
            },
            new("Send a test event", "POST /webhook/{webhook_id}/ping") { Tests = ["body.message === 'The test event is being sent.'"] },
            new("List of webhooks", "GET /webhook") { Tests = ["body.webhooks.some(webhook => webhook.webhook_id === pm.collectionVariables.get('webhook_id'))"] },
            new("List deliveries to a webhook", "GET /webhook/{webhook_id}/deliveries") { Tests = ["body.deliveries.length === 2", "body.deliveries.some(delivery => delivery.request_id === pm.collectionVariables.get('request_id'))"] },
            new("List deliveries of a request", "GET /requests/{request_id}/deliveries") { Tests = ["body.deliveries[0].webhook_id === pm.collectionVariables.get('webhook_id')"] },
            new("Remove a webhook", "DELETE /webhook/{webhook_id}") { Tests = ["pm.response.code === 204 && text === ''"] },
        ]),
        ("Retry, cancel, delete",
        [
            new("Retry unfinished images", "POST /requests/{request_id}/retry") { Tests = ["body.request_id === pm.collectionVariables.get('request_id')", "body.progress.failed === 0"] },
            new("Cancel", "POST /requests/{request_id}/cancel")
            {
                Tests = ["(pm.response.code === 200 && body.request_id === pm.collectionVariables.get('request_id')) || (pm.response.code === 409 && body.code === 'already_finished')"],
            },
            new("Delete", "DELETE /requests/{request_id}") { Tests = ["pm.response.code === 204 && text === ''"] },
            new("Status of what is deleted", "GET /status/{request_id}") { Tests = ["pm.response.code === 404", "body.code === 'unknown_request'", "body.type === '/docs/errors/unknown_request'"] },
        ]),
        ("Health and pages",
        [
            new("Alive", "GET /health/live") { Tests = ["body.status === 'live'"] },
            new("Ready", "GET /health/ready") { Tests = ["body.status === 'ready'"] },
            new("Contract", "GET /openapi/v1.json") { Tests = ["body.openapi.startsWith('3.1') && body.info.title === 'Halftone'"] },
            new("API to browse", "GET /docs") { Tests = ["text.includes('swagger-ui')"] },
            new("Page of the documentation", "GET /docs/{page}") { Url = "{{base_url}}/docs/errors", Tests = ["text.includes('<h1 id=\"errors\">Errors</h1>')"] },
            new("Page of an error code", "GET /docs/errors/{code}") { Url = "{{base_url}}/docs/errors/unknown_request", Tests = ["text.includes('Request not found')"] },
            new("Page", "GET /") { Tests = ["text.includes('Halftone')"] },
            new("File of the page", "GET /page/{file}") { Url = "{{base_url}}/page/page.css", Tests = ["text.includes(':root')"] },
        ]),
    ];

    /// <param name="Name">What the call is for.</param>
    /// <param name="Route">Method and path of the contract.</param>
    private sealed record Call(string Name, string Route)
    {
        /// <summary>Where it is not the route with variables in place of its parameters.</summary>
        public string? Url { get; init; }

        public string Query { get; init; } = "";

        public (string Name, string Value)? Header { get; init; }

        public JsonObject? Body { get; init; }

        /// <summary>What must be true of the answer; <c>text</c> is its body and <c>body</c> its JSON.</summary>
        public required string[] Tests { get; init; }

        /// <summary>What later calls need.</summary>
        public string? Keep { get; init; }
    }

    public static IEnumerable<string> Routes => Walk.SelectMany(folder => folder.Calls).Select(call => call.Route).Distinct();

    public static string Make() => new JsonObject
    {
        ["info"] = new JsonObject
        {
            ["name"] = "Halftone",
            ["description"] = """
                Every route of Halftone, from uploading a CSV to deleting its request. Run the collection from top to bottom: each call uses results of earlier ones.

                Set `base_url` to the server, `image_url` to an image that the server can fetch, `webhook_url` to an endpoint that it can call, and `api_key` if the server requires keys.
                """.ReplaceLineEndings("\n"),
            ["schema"] = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        ["auth"] = new JsonObject
        {
            ["type"] = "apikey",
            ["apikey"] = new JsonArray(Pair("key", "X-API-Key"), Pair("value", "{{api_key}}"), Pair("in", "header")),
        },
        ["variable"] = new JsonArray(
            Pair("base_url", "http://127.0.0.1:4300"), Pair("image_url", "https://shop.example/mug-front.jpg"), Pair("webhook_url", "https://shop.example/hooks/halftone"), Pair("api_key", ""),
            Pair("request_id", ""), Pair("output_url", ""), Pair("webhook_id", "")),
        ["item"] = new JsonArray([.. Walk.Select(folder => new JsonObject
        {
            ["name"] = folder.Folder,
            ["item"] = new JsonArray([.. folder.Calls.Select(Item)]),
        })]),
    }.ToJsonString(Indented) + "\n";

    private static JsonObject Item(Call call)
    {
        var (method, path, operation) = ContractFiles.Operations().Single(operation => $"{operation.Method.ToUpperInvariant()} {operation.Path}" == call.Route);
        var request = new JsonObject
        {
            ["method"] = method.ToUpperInvariant(),
            ["header"] = call.Header is { } header ? new JsonArray(Pair(header.Name, header.Value)) : new JsonArray(),
            ["url"] = call.Url ?? "{{base_url}}" + path.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal) + call.Query,
            ["description"] = (string)operation["description"]!,
        };
        if (call.Body is not null)
        {
            request["body"] = call.Body.DeepClone();
        }

        return new JsonObject
        {
            ["name"] = call.Name,
            ["event"] = new JsonArray(new JsonObject { ["listen"] = "test", ["script"] = new JsonObject { ["type"] = "text/javascript", ["exec"] = Script(call) } }),
            ["request"] = request,
            ["response"] = new JsonArray([.. Responses(operation, request)]),
        };
    }

    private static JsonArray Script(Call call)
    {
        var lines = new JsonArray { "const text = pm.response.text();" };
        if (call.Tests.Append(call.Keep ?? "").Any(test => test.Contains("body.", StringComparison.Ordinal)))
        {
            lines.Add("const body = JSON.parse(text);");
        }

        foreach (var test in call.Tests)
        {
            lines.Add($"pm.test({JsonSerializer.Serialize(test, Indented)}, () => pm.expect({test}, text).to.be.true);");
        }

        if (call.Keep is not null)
        {
            lines.Add(call.Keep);
        }

        return lines;
    }

    /// <summary>The examples of the contract: of a success each shape, of every other status the first problem.</summary>
    private static IEnumerable<JsonNode> Responses(JsonObject operation, JsonObject request)
    {
        foreach (var (status, response) in ContractFiles.Responses(operation))
        {
            if (response["content"] is not JsonObject content)
            {
                yield return Response((string)response["description"]!, status, null, null);
                continue;
            }

            var (media, body) = content.First();
            var examples = body!["examples"]?.AsObject().Select(example => example.Value!["$ref"] is { } reference ? ContractFiles.Find((string)reference!) : example.Value).ToArray();
            foreach (var example in media == "application/problem+json" ? examples!.Take(1) : examples ?? [new JsonObject { ["value"] = body["example"]?.DeepClone() }])
            {
                yield return Response((string?)example!["summary"] ?? (string)response["description"]!, status, media, example["value"]);
            }
        }

        JsonObject Response(string name, string status, string? media, JsonNode? body) => new()
        {
            ["name"] = name,
            ["originalRequest"] = request.DeepClone(),
            ["code"] = int.Parse(status, System.Globalization.CultureInfo.InvariantCulture),
            ["header"] = media is null ? new JsonArray() : new JsonArray(Pair("Content-Type", media)),
            ["body"] = body switch { null => "", JsonValue text => (string)text!, _ => body.ToJsonString(Indented) },
        };
    }

    private static JsonObject Raw(string text, string language) =>
        new() { ["mode"] = "raw", ["raw"] = text, ["options"] = new JsonObject { ["raw"] = new JsonObject { ["language"] = language } } };

    /// <summary>The first field is the file.</summary>
    private static JsonObject Form((string Name, string Path) file, params (string Name, string Value)[] fields) => new()
    {
        ["mode"] = "formdata",
        ["formdata"] = new JsonArray([
            new JsonObject { ["key"] = file.Name, ["type"] = "file", ["src"] = file.Path },
            .. fields.Select(field => new JsonObject { ["key"] = field.Name, ["type"] = "text", ["value"] = field.Value })]),
    };

    private static JsonObject Pair(string key, string value) => new() { ["key"] = key, ["value"] = value };
}
