using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Halftone.Api;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Intake;
using Halftone.Tests.Servers;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using HttpJsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Halftone.Tests.Contract;

/// <summary>
/// Makes docs/openapi.json. Routes, parameters and the shapes of bodies are what Microsoft.AspNetCore.OpenApi finds in the running server; words
/// and examples are the doc comments of the endpoints and of their answers; problems are what the routes say they may answer.
/// </summary>
internal sealed partial class OpenApiFile
{
    private const string ProblemJson = "application/problem+json";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly DocComments comments = new();
    private readonly HalftoneServer server;
    private readonly JsonObject document;

    private OpenApiFile(HalftoneServer server, JsonObject document)
    {
        this.server = server;
        this.document = document;
    }

    public static async Task<string> MakeAsync(HalftoneServer server, CancellationToken cancellationToken)
    {
        var file = new OpenApiFile(server, await FindAsync(server, cancellationToken));
        return file.Complete().ToJsonString(Indented) + "\n";
    }

    /// <summary>Each mapped route of a server with its method, without HEAD: the contract says once for all routes that it is GET without the body.</summary>
    public static IEnumerable<(string Method, string Path, RouteEndpoint Endpoint)> RoutesOf(HalftoneServer server) =>
        from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods
        where !HttpMethods.IsHead(method)
        select (method.ToLowerInvariant(), PathOf(endpoint.RoutePattern.RawText!), endpoint);

    /// <summary>In a container of its own: the server itself carries nothing of it.</summary>
    private static async Task<JsonObject> FindAsync(HalftoneServer server, CancellationToken cancellationToken)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(server.Services.GetRequiredService<IHostEnvironment>());
        services.AddRoutingCore();
        services.AddOpenApi("v1", options => options.AddDocumentTransformer(async (found, context, token) =>
        {
            foreach (var type in TypesOf(server))
            {
                found.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, null, token));
            }
        }));
        var json = server.Services.GetRequiredService<IOptions<HttpJsonOptions>>().Value.SerializerOptions;
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = json.PropertyNamingPolicy;
            options.SerializerOptions.TypeInfoResolver = json.TypeInfoResolver;
            // Numbers are read from texts too; what we answer is a number.
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddSingleton(server.Services.GetRequiredService<EndpointDataSource>());
        await using var provider = services.BuildServiceProvider();
        var document = await provider.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync(cancellationToken);
        return JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, cancellationToken))!.AsObject();
    }

    /// <summary>Everything with members that comes over the wire.</summary>
    private static HashSet<Type> TypesOf(HalftoneServer server)
    {
        var types = new HashSet<Type>();
        foreach (var (_, _, endpoint) in RoutesOf(server))
        {
            Add(endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Select(answer => answer.Type));
            Add(endpoint.Metadata.GetOrderedMetadata<PossibleBody>().Select(body => body.Shape));
        }

        Add([typeof(WebhookEvent), typeof(WebhookPing), typeof(UploadProblem)]);
        return types;

        void Add(IEnumerable<Type?> found)
        {
            foreach (var type in found)
            {
                if (type?.Assembly == typeof(Program).Assembly && types.Add(type))
                {
                    Add(type.GetProperties().Select(property => ElementOf(property.PropertyType) ?? property.PropertyType));
                }
            }
        }
    }

    private JsonObject Complete()
    {
        var schemas = document["components"]!["schemas"]!.AsObject();
        // The finder knows no service of the server and takes them for bodies: only what we know to be on the wire is kept.
        var described = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal) { ["Problem"] = Problem(), ["FileProblem"] = FileProblem() };
        var types = TypesOf(server);
        foreach (var type in types)
        {
            DescribeSchema(type, schemas[type.Name]!.AsObject(), types);
            described[type.Name] = schemas[type.Name]!.DeepClone();
        }

        var paths = new JsonObject();
        foreach (var (method, path, endpoint) in RoutesOf(server))
        {
            var found = document["paths"]![endpoint.RoutePattern.RawText!]![method]!.AsObject();
            if (!paths.ContainsKey(path))
            {
                paths[path] = new JsonObject();
            }

            paths[path]![method] = Operation(endpoint, found);
        }

        var text = paths.ToJsonString();
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Halftone",
                ["version"] = "1.0.0",
                ["summary"] = "A CSV of products with image URLs in, compressed images and the CSV back.",
                ["description"] = """
                    Upload a CSV of products with image URLs; every image is fetched, compressed to quality 50 and stored, and the CSV comes back with a column
                    `Output Image Urls`. JSON is snake_case, times are UTC, sizes are bytes. Members that have no value are absent; new members may come, and a client
                    ignores what it does not know. Every route stands at `/…` and `/api/v1/…` alike, with or without a trailing slash, and
                    every GET answers HEAD too, without the body.

                    Every answer that is no success is a problem of RFC 9457: `code` is for programs, `detail` for people, and `type` leads to a page about it. A call that
                    is refused before it is understood has only a status and no body: 414 where its address is longer than 8 KiB, 431 where its headers are longer than
                    32 KiB, and 400 where it is no HTTP. All of them: [errors](/docs/errors). Besides: [the CSV](/docs/csv), [webhooks](/docs/webhook).

                    Without API keys the server answers this machine alone. From the first `halftone keys add NAME` on, every call needs a key, as
                    `Authorization: Bearer …` or `X-API-Key: …`, and sees its own requests only.
                    """.ReplaceLineEndings(" ").Replace("  ", "\n\n", StringComparison.Ordinal),
                ["contact"] = new JsonObject { ["name"] = "Whoever runs this server" },
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(
                new JsonObject { ["url"] = "/", ["description"] = "This server." },
                new JsonObject { ["url"] = "/api/v1", ["description"] = "The same routes by their versioned name." }),
            // Optional: a server without keys asks for none.
            ["security"] = new JsonArray(new JsonObject(), new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["api_key"] = new JsonArray() }),
            ["tags"] = new JsonArray(
                Tag("Requests", "Upload a CSV and follow, cancel, retry or delete what became of it."),
                Tag("Results", "The CSV back, a line per image, the failed rows, and the images."),
                Tag("Webhooks", "Be called when a request has ended."),
                Tag("Health", "Probes for supervisors and balancers."),
                Tag("Pages", "What a browser shows.")),
            ["paths"] = paths,
            ["webhooks"] = new JsonObject
            {
                ["requestEnded"] = new JsonObject { ["post"] = Sent("requestEnded", "What a webhook is sent", "Sent when a request has ended, at least once: to the `webhook_url` of its upload and to every webhook registered for it.", typeof(WebhookEvent), "Tried again, ten times over about 75 hours.") },
                ["webhookTested"] = new JsonObject { ["post"] = Sent("webhookTested", "What a test sends", "Sent once, to the webhook that is tested.", typeof(WebhookPing), "Noted, and not tried again.") },
            },
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(described),
                ["examples"] = Examples(),
                ["responses"] = new JsonObject(Problems().Where(problem => text.Contains($"/components/responses/{problem.Code}\"", StringComparison.Ordinal)).Select(problem => KeyValuePair.Create<string, JsonNode?>(problem.Code, ProblemResponse([problem])))),
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "An API key, as `halftone keys add NAME` printed it." },
                    ["api_key"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "X-API-Key", ["description"] = "The same key in a header of its own." },
                },
            },
        };
    }

    private JsonObject Operation(RouteEndpoint endpoint, JsonObject found)
    {
        var method = endpoint.Metadata.GetRequiredMetadata<MethodInfo>();
        var operation = new JsonObject
        {
            ["operationId"] = found["operationId"]!.DeepClone(),
            ["tags"] = found["tags"]!.DeepClone(),
            ["summary"] = comments.Summary(method) ?? throw Undescribed(method),
            ["description"] = comments.Remarks(method) ?? throw Undescribed(method),
        };
        var isForAnyone = method.GetParameters().All(parameter => parameter.ParameterType != typeof(Caller));
        var responses = Responses(endpoint, method, isForAnyone);
        var parameters = new JsonArray();
        foreach (var parameter in found["parameters"]?.AsArray() ?? [])
        {
            parameters.Add(Parameter(method, parameter!.AsObject()));
        }

        if (responses.ContainsKey("304"))
        {
            parameters.Add(Header("If-None-Match", "The ETag of an answer that the caller holds: 304 where it has not changed.", "\"31UE8vDGmb3CkNq5-csv\""));
        }

        if (responses.ContainsKey("206"))
        {
            parameters.Add(Header("Range", "The bytes to send; one range, and of several the whole is sent.", "bytes=0-1023"));
            parameters.Add(Header("If-Range", "The ETag of the answer whose bytes are there already: the whole is sent where it is another one now.", "\"31UE8vDGmb3CkNq5-csv\""));
        }

        if (responses.ContainsKey("412"))
        {
            parameters.Add(Header("If-Match", "The ETag of an answer: 412 where it is another one now.", "\"31UE8vDGmb3CkNq5-csv\""));
        }

        var bodies = endpoint.Metadata.GetOrderedMetadata<PossibleBody>();
        if (bodies.Any(body => body.Shape == typeof(UploadJson)))
        {
            foreach (var field in typeof(UploadJson).GetProperties().Where(field => field.Name != nameof(UploadJson.Csv)))
            {
                parameters.Add(OptionInQuery(field));
            }
        }

        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (bodies.Count > 0)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject(bodies.SelectMany(body => body.MediaTypes.Select(type => KeyValuePair.Create<string, JsonNode?>(type, Body(body.Shape))))),
            };
        }

        operation["responses"] = responses;
        if (isForAnyone)
        {
            operation["security"] = new JsonArray();
        }

        return operation;
    }

    private JsonObject Parameter(MethodInfo method, JsonObject found)
    {
        var name = found["name"]!.GetValue<string>();
        var parameter = method.GetParameters().Single(candidate => candidate.Name == name || candidate.GetCustomAttribute<FromHeaderAttribute>()?.Name == name);
        var (description, example) = comments.Parameter(method, parameter.Name!) ?? throw Undescribed(method);
        var schema = found["schema"]!.DeepClone().AsObject();
        if (parameter.GetCustomAttribute<WholeNumberAttribute>() is { } number)
        {
            schema = new JsonObject { ["type"] = "integer", ["minimum"] = number.Lowest, ["maximum"] = number.Highest, ["default"] = number.Otherwise };
        }

        return new JsonObject
        {
            ["name"] = found["in"]!.GetValue<string>() == "path" ? JsonNamingPolicy.SnakeCaseLower.ConvertName(name) : name,
            ["in"] = found["in"]!.DeepClone(),
            ["required"] = found["required"]?.DeepClone() ?? false,
            ["description"] = description,
            ["schema"] = schema,
            ["example"] = ExampleOf(schema, example),
        };
    }

    private JsonObject OptionInQuery(PropertyInfo field)
    {
        var schema = document["components"]!["schemas"]![nameof(UploadJson)]!["properties"]![JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name)]!.DeepClone().AsObject();
        schema.Remove("description");
        schema.Remove("examples");
        return new JsonObject
        {
            ["name"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name),
            ["in"] = "query",
            ["required"] = false,
            ["description"] = $"Here or in the body, not in both. {comments.Summary(field)}",
            ["schema"] = schema,
            ["example"] = ExampleOf(schema, comments.Example(field)!.Value.Text),
        };
    }

    private JsonObject Body(Type shape) =>
        shape == typeof(Stream)
            ? new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["description"] = "The CSV as it is, also gzipped." }, ["examples"] = new JsonObject { ["csv"] = Reference("examples", "csv") } }
            : new JsonObject { ["schema"] = Reference(shape.Name), ["example"] = Compose(shape) };

    private JsonObject Responses(RouteEndpoint endpoint, MethodInfo method, bool isForAnyone)
    {
        var responses = new JsonObject();
        var answers = endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Where(answer => answer.Type is not null && answer.Type != typeof(void)).ToArray();
        foreach (var (status, description, headers) in comments.Responses(method))
        {
            var response = responses[status] = new JsonObject { ["description"] = description };
            if (headers.Length > 0)
            {
                response["headers"] = new JsonObject(headers.Select(header => KeyValuePair.Create<string, JsonNode?>(header, ResponseHeader(header))));
            }

            if (answers.Where(answer => $"{answer.StatusCode}" == status).ToArray() is { Length: > 0 } given)
            {
                response["content"] = Content(given, comments.Example(method));
            }
        }

        var problems = endpoint.Metadata.GetOrderedMetadata<PossibleProblems>().SelectMany(possible => possible.Types).Concat(isForAnyone ? [] : ProblemType.OfAccess);
        foreach (var group in problems.GroupBy(problem => problem.Status).OrderBy(group => group.Key))
        {
            responses[$"{group.Key}"] = group.ToArray() is [var only] ? Reference("responses", only.Code) : ProblemResponse([.. group]);
        }

        return responses;
    }

    private JsonObject Content(IProducesResponseTypeMetadata[] answers, string? example)
    {
        var types = answers.Select(answer => answer.Type!).Distinct().ToArray();
        var content = types switch
        {
            [var type] when type == typeof(Stream) => new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["format"] = "binary" } },
            [var type] when type == typeof(string) => new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } },
            [var type] => new JsonObject { ["schema"] = Reference(type.Name), ["example"] = Compose(type) },
            _ => new JsonObject
            {
                ["schema"] = new JsonObject { ["anyOf"] = new JsonArray([.. types.Select(type => (JsonNode)Reference(type.Name))]) },
                ["examples"] = new JsonObject(types.Select(type => KeyValuePair.Create<string, JsonNode?>(type.Name, new JsonObject { ["summary"] = comments.Summary(type), ["value"] = Compose(type) }))),
            },
        };
        if (example is not null)
        {
            content["example"] = example;
        }

        return new JsonObject(answers[0].ContentTypes.Select(media => KeyValuePair.Create<string, JsonNode?>(media, content.DeepClone())));
    }

    private static JsonObject ProblemResponse(ProblemType[] problems)
    {
        var response = new JsonObject
        {
            ["description"] = string.Join(" ", problems.GroupBy(problem => problem.Title).Select(group => $"{group.Key}: {string.Join(", ", group.Select(problem => $"`{problem.Code}`"))}.")),
        };
        if (problems[0].Status is 429 or 503 && problems.All(problem => problem != ProblemType.NotReady))
        {
            response["headers"] = new JsonObject { ["Retry-After"] = ResponseHeader("Retry-After") };
        }
        else if (problems[0] == ProblemType.RangeNotSatisfiable)
        {
            response["headers"] = new JsonObject { ["Content-Range"] = ResponseHeader("Content-Range") };
        }
        else if (problems[0] == ProblemType.Unauthorized)
        {
            response["headers"] = new JsonObject { ["WWW-Authenticate"] = ResponseHeader("WWW-Authenticate") };
        }

        var hasFiles = problems.Any(ProblemType.OfFiles.Contains);
        response["content"] = new JsonObject
        {
            [ProblemJson] = new JsonObject
            {
                ["schema"] = hasFiles ? new JsonObject { ["anyOf"] = new JsonArray(Reference("Problem"), Reference("FileProblem")) } : Reference("Problem"),
                ["examples"] = new JsonObject(problems.Select(problem => KeyValuePair.Create<string, JsonNode?>(problem.Code, Reference("examples", problem.Code)))),
            },
        };
        return response;
    }

    private void DescribeSchema(Type type, JsonObject schema, HashSet<Type> described)
    {
        schema["description"] = comments.Summary(type) ?? throw new InvalidOperationException($"{type.Name} has no doc comment.");
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (schema["properties"]?[JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)] is not JsonObject found)
            {
                continue;
            }

            // What is computed is always there.
            if (!property.CanWrite)
            {
                schema["required"]!.AsArray().Add(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
            }

            // Members without a value are absent and never null.
            if (described.Contains(property.PropertyType))
            {
                found.Clear();
                found["$ref"] = Reference(property.PropertyType.Name)["$ref"]!.DeepClone();
            }
            else if (ElementOf(property.PropertyType) is { } element && described.Contains(element))
            {
                found.Clear();
                found["type"] = "array";
                found["items"] = Reference(element.Name);
            }
            else if (found["type"] is JsonArray types)
            {
                found["type"] = types.Select(one => one!.GetValue<string>()).Single(one => one != "null");
            }

            found["description"] = comments.Summary(property) ?? throw new InvalidOperationException($"{type.Name}.{property.Name} has no doc comment.");
            if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed)
            {
                found["enum"] = new JsonArray([.. allowed.Values.Select(value => JsonValue.Create((string?)value))]);
            }

            if (comments.Example(property) is { } example)
            {
                found["examples"] = new JsonArray(ExampleOf(found, example.Text));
            }
        }
    }

    /// <summary>An object made of the examples of its members; of those that fit beside each other.</summary>
    private JsonObject Compose(Type type)
    {
        var whole = new JsonObject();
        foreach (var property in InheritedFirst(type))
        {
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            var schema = document["components"]!["schemas"]![type.Name]!["properties"]![name]!.AsObject();
            if (comments.Example(property) is { } example)
            {
                if (!example.IsApart)
                {
                    whole[name] = ExampleOf(schema, example.Text);
                }
            }
            else if (property.PropertyType == typeof(Stream))
            {
                whole[name] = Compose(typeof(UploadJson))["csv"]!.DeepClone();
            }
            else if (ElementOf(property.PropertyType) is { } element)
            {
                whole[name] = new JsonArray(Compose(element));
            }
            else if (property.PropertyType.Assembly == type.Assembly)
            {
                whole[name] = Compose(property.PropertyType);
            }
            else
            {
                throw new InvalidOperationException($"{type.Name}.{property.Name} has no example.");
            }
        }

        return whole;
    }

    private static IEnumerable<PropertyInfo> InheritedFirst(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.DeclaringType == type ? 0 : 1);

    private static Type? ElementOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>The text as the schema has it: a number, a truth value, JSON for what has structure, or text in which \n is a line break.</summary>
    private static JsonNode ExampleOf(JsonObject schema, string text) =>
        schema["type"]?.GetValue<string>() is "string" ? JsonValue.Create(text.Replace("\\n", "\n", StringComparison.Ordinal)) : JsonNode.Parse(text)!;

    /// <summary>The file that is uploaded, and the answer that the page of each problem shows.</summary>
    private JsonObject Examples()
    {
        var examples = new JsonObject { ["csv"] = new JsonObject { ["summary"] = "Two products with three images", ["value"] = Compose(typeof(UploadJson))["csv"]!.DeepClone() } };
        foreach (var problem in Problems())
        {
            examples[problem.Code] = new JsonObject { ["summary"] = new ErrorPage(problem.Code).Title, ["value"] = ErrorPage.ExampleOf(problem.Code) };
        }

        return examples;
    }

    /// <summary>Every problem that any route may answer.</summary>
    private IEnumerable<ProblemType> Problems() => RoutesOf(server)
        .SelectMany(route => route.Endpoint.Metadata.GetOrderedMetadata<PossibleProblems>())
        .SelectMany(possible => possible.Types)
        .Concat(ProblemType.OfAccess)
        .Distinct()
        .OrderBy(problem => problem.Code, StringComparer.Ordinal);

    private JsonObject Sent(string operationId, string summary, string when, Type body, string otherwise)
    {
        var post = new JsonObject
        {
            ["operationId"] = operationId,
            ["tags"] = new JsonArray("Webhooks"),
            ["summary"] = summary,
            ["description"] = when + " Signed as Standard Webhooks say; /docs/webhook shows how to check it in ten lines.",
            ["parameters"] = new JsonArray(
                Header("webhook-id", "The same at every attempt of a delivery.", "msg_17"),
                Header("webhook-timestamp", "The time of this attempt, in seconds since 1970.", "1795336200"),
                Header("webhook-signature", "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body; several are separated by spaces, and one must match.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=")),
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = new JsonObject { ["application/json"] = Body(body) } },
            ["responses"] = new JsonObject
            {
                ["2XX"] = new JsonObject { ["description"] = "Delivered." },
                ["410"] = new JsonObject { ["description"] = "No more events, ever: a registered webhook is switched off." },
                ["default"] = new JsonObject { ["description"] = otherwise },
            },
        };
        return post;
    }

    private static JsonObject Problem() => new()
    {
        ["type"] = "object",
        ["description"] = "What is wrong, as RFC 9457 has it.",
        ["required"] = new JsonArray("type", "title", "status", "detail", "code"),
        ["properties"] = new JsonObject
        {
            ["type"] = Text("Leads to a page about it, on this server.", "/docs/errors/unknown_request"),
            ["title"] = Text("What is wrong, in a few words.", "There is no such request"),
            ["status"] = new JsonObject { ["type"] = "integer", ["format"] = "int32", ["description"] = "The status of the answer.", ["examples"] = new JsonArray(404) },
            ["detail"] = Text("What is wrong and what to do, for people.", "No request '0192f0c1-7a3e-7bbb-8c4d-0123456789ab' is known: check the request_id, it may have been deleted."),
            ["code"] = Text("What is wrong, for programs: a word of a closed list, which /docs/errors explains.", "unknown_request"),
        },
    };

    private static JsonObject FileProblem()
    {
        var problem = Problem();
        problem["description"] = "A refused file, with everything that is wrong with it. Its `code` is that of its first problem.";
        problem["required"]!.AsArray().Add("errors");
        problem["required"]!.AsArray().Add("error_count");
        problem["properties"]!["errors"] = new JsonObject { ["type"] = "array", ["items"] = Reference(nameof(UploadProblem)), ["description"] = "The first problems in the order of the file, 100 at most." };
        problem["properties"]!["error_count"] = new JsonObject { ["type"] = "integer", ["format"] = "int64", ["description"] = "All problems, listed or not.", ["examples"] = new JsonArray(1) };
        return problem;
    }

    private static JsonObject Text(string description, string example) => new() { ["type"] = "string", ["description"] = description, ["examples"] = new JsonArray(example) };

    private static JsonObject Header(string name, string description, string example) => new()
    {
        ["name"] = name,
        ["in"] = "header",
        ["required"] = false,
        ["description"] = description,
        ["schema"] = new JsonObject { ["type"] = "string" },
        ["example"] = example,
    };

    private static JsonObject ResponseHeader(string name)
    {
        var (description, example) = name switch
        {
            "ETag" => ("Names this very answer; send it in If-None-Match to be told 304 while it has not changed.", "\"31UE8vDGmb3CkNq5-csv\""),
            "Content-Disposition" => ("The name to save it under, made from the uploaded file's.", "attachment; filename=products-result.csv"),
            "Cache-Control" => ("The bytes behind an image's URL never change.", "public, max-age=31536000, immutable"),
            "Accept-Ranges" => ("Parts of it may be asked for with Range.", "bytes"),
            "Content-Range" => ("Which bytes these are, of how many.", "bytes 0-1023/103422"),
            "Location" => ("Where the page is.", "docs/index.html"),
            "Retry-After" => ("Seconds to wait.", "5"),
            "WWW-Authenticate" => ("How to send a key.", "Bearer"),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not described."),
        };
        return new JsonObject { ["description"] = description, ["schema"] = new JsonObject { ["type"] = "string" }, ["example"] = example };
    }

    private static JsonObject Reference(string schema) => Reference("schemas", schema);

    private static JsonObject Reference(string kind, string name) => new() { ["$ref"] = $"#/components/{kind}/{name}" };

    private static JsonObject Tag(string name, string description) => new() { ["name"] = name, ["description"] = description };

    /// <summary>The contract names its parameters as all else, in snake_case.</summary>
    private static string PathOf(string template) => InBraces().Replace(template, match => JsonNamingPolicy.SnakeCaseLower.ConvertName(match.Value));

    private static InvalidOperationException Undescribed(MethodInfo method) => new($"{method.DeclaringType!.Name}.{method.Name}: something about it has no doc comment.");

    [GeneratedRegex(@"(?<=\{)\w+(?=\})")]
    private static partial Regex InBraces();
}
