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
    /// <summary>Begins the description of an upload's option in the query.</summary>
    public const string InQueryOrBody = "Give it here or in the body, not in both. ";

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
                ["summary"] = "Turns a CSV of products with image URLs into compressed images, and returns the CSV with their URLs.",
                ["description"] = """
                    Upload a CSV of products with image URLs. Every image is fetched, compressed to quality 50 and stored, and the CSV is returned
                    with a column `Output Image Urls`. JSON is snake_case, times are UTC, sizes are in bytes. Members without a value are absent;
                    clients must ignore unknown members, because new ones may be added. Every route exists at `/…` and at `/api/v1/…`, with or
                    without a trailing slash, and every GET route also answers HEAD, without a body.

                    Every unsuccessful answer is a problem of RFC 9457: `code` is for programs, `detail` for people, and `type` links to a page
                    about it. Calls refused before they are parsed get only a status, without a body: 414 if the URL is longer than 8 KiB, 431 if
                    the headers are longer than 32 KiB, and 400 if the call is not valid HTTP. See also: [errors](/docs/errors),
                    [the CSV](/docs/csv), [webhooks](/docs/webhook).

                    Without API keys, the server answers only this machine. Once the first key has been created with `halftone keys add NAME`,
                    every call needs a key, as `Authorization: Bearer …` or `X-API-Key: …`, and sees only its own requests.
                    """.ReplaceLineEndings(" ").Replace("  ", "\n\n", StringComparison.Ordinal),
                ["contact"] = new JsonObject { ["name"] = "The operator of this server" },
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(
                new JsonObject { ["url"] = "/", ["description"] = "This server." },
                new JsonObject { ["url"] = "/api/v1", ["description"] = "The same routes with a version in the path." }),
            // Optional: a server without keys requires none.
            ["security"] = new JsonArray(new JsonObject(), new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["api_key"] = new JsonArray() }),
            ["tags"] = new JsonArray(
                Tag("Requests", "Upload a CSV, and follow, cancel, retry or delete its request."),
                Tag("Results", "The result CSV, details of every image, the failed rows, and the images."),
                Tag("Webhooks", "Receive a call when a request has ended."),
                Tag("Health", "Probes for supervisors and load balancers."),
                Tag("Pages", "Pages for browsers.")),
            ["paths"] = paths,
            ["webhooks"] = new JsonObject
            {
                ["requestEnded"] = new JsonObject { ["post"] = Sent("requestEnded", "Event of an ended request", "Sent at least once when a request has ended, to the `webhook_url` of its upload and to every webhook registered for it.", typeof(WebhookEvent), "Retried: ten attempts over about 75 hours.") },
                ["webhookTested"] = new JsonObject { ["post"] = Sent("webhookTested", "Test event", "Sent once, to the webhook to test.", typeof(WebhookPing), "Logged, not retried.") },
            },
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(described),
                ["examples"] = Examples(),
                ["responses"] = new JsonObject(Problems().Where(problem => text.Contains($"/components/responses/{problem.Code}\"", StringComparison.Ordinal)).Select(problem => KeyValuePair.Create<string, JsonNode?>(problem.Code, ProblemResponse([problem])))),
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "An API key from `halftone keys add NAME`." },
                    ["api_key"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "X-API-Key", ["description"] = "The same key in a separate header." },
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
            parameters.Add(Header("If-None-Match", "The ETag of an earlier answer; the answer is 304 if nothing has changed.", "\"31UE8vDGmb3CkNq5-csv\""));
        }

        if (responses.ContainsKey("206"))
        {
            parameters.Add(Header("Range", "The bytes to send. Only a single range is supported; for several, the whole resource is sent.", "bytes=0-1023"));
            parameters.Add(Header("If-Range", "The ETag of the partly received answer; the whole resource is sent if it has changed.", "\"31UE8vDGmb3CkNq5-csv\""));
        }

        if (responses.ContainsKey("412"))
        {
            parameters.Add(Header("If-Match", "The ETag of an earlier answer; the answer is 412 if the resource has changed.", "\"31UE8vDGmb3CkNq5-csv\""));
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
            ["description"] = InQueryOrBody + comments.Summary(field),
            ["schema"] = schema,
            ["example"] = ExampleOf(schema, comments.Example(field)!.Value.Text),
        };
    }

    private JsonObject Body(Type shape) =>
        shape == typeof(Stream)
            ? new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["description"] = "The CSV, optionally gzipped." }, ["examples"] = new JsonObject { ["csv"] = Reference("examples", "csv") } }
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

    /// <summary>The file that is uploaded, and the answer that the section of each problem describes.</summary>
    private JsonObject Examples()
    {
        var examples = new JsonObject { ["csv"] = new JsonObject { ["summary"] = "Two products with three images", ["value"] = Compose(typeof(UploadJson))["csv"]!.DeepClone() } };
        foreach (var problem in Problems())
        {
            var section = ErrorPage.Of(problem.Code);
            examples[problem.Code] = new JsonObject { ["summary"] = section.Title, ["value"] = section.Answer(problem.Title) };
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
            ["description"] = when + " Signed according to Standard Webhooks; /docs/webhook shows how to verify the signature in ten lines.",
            ["parameters"] = new JsonArray(
                Header("webhook-id", "The same for every attempt of a delivery.", "msg_17"),
                Header("webhook-timestamp", "The time of this attempt, in seconds since 1970.", "1795336200"),
                Header("webhook-signature", "`v1,` and the base64 of HMAC-SHA256 over ID, timestamp and body. Several signatures are separated by spaces; one must match.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=")),
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = new JsonObject { ["application/json"] = Body(body) } },
            ["responses"] = new JsonObject
            {
                ["2XX"] = new JsonObject { ["description"] = "Delivered." },
                ["410"] = new JsonObject { ["description"] = "The endpoint wants no more events: a registered webhook is disabled." },
                ["default"] = new JsonObject { ["description"] = otherwise },
            },
        };
        return post;
    }

    private static JsonObject Problem() => new()
    {
        ["type"] = "object",
        ["description"] = "A problem as in RFC 9457.",
        ["required"] = new JsonArray("type", "title", "status", "detail", "code"),
        ["properties"] = new JsonObject
        {
            ["type"] = Text("URL of a page about the problem, on this server.", "/docs/errors/unknown_request"),
            ["title"] = Text("A short title.", "Request not found"),
            ["status"] = new JsonObject { ["type"] = "integer", ["format"] = "int32", ["description"] = "HTTP status of the answer.", ["examples"] = new JsonArray(404) },
            ["detail"] = Text("The problem and its fix, for people.", "Request '0192f0c1-7a3e-7bbb-8c4d-0123456789ab' not found. Check the request_id; the request may have been deleted."),
            ["code"] = Text("Code of the problem, for programs; /docs/errors explains each.", "unknown_request"),
        },
    };

    private static JsonObject FileProblem()
    {
        var problem = Problem();
        problem["description"] = "A refused file with its problems. The `code` is that of the first problem.";
        problem["required"]!.AsArray().Add("errors");
        problem["required"]!.AsArray().Add("error_count");
        problem["properties"]!["errors"] = new JsonObject { ["type"] = "array", ["items"] = Reference(nameof(UploadProblem)), ["description"] = "The first problems in file order, at most 100." };
        problem["properties"]!["error_count"] = new JsonObject { ["type"] = "integer", ["format"] = "int64", ["description"] = "Number of all problems, listed or not.", ["examples"] = new JsonArray(1) };
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
            "ETag" => ("Identifies exactly this answer; send it in If-None-Match to get 304 while nothing has changed.", "\"31UE8vDGmb3CkNq5-csv\""),
            "Content-Disposition" => ("File name for saving, derived from the name of the uploaded file.", "attachment; filename=products-result.csv"),
            "Cache-Control" => ("The bytes of an image URL never change.", "public, max-age=31536000, immutable"),
            "Accept-Ranges" => ("Parts can be requested with Range.", "bytes"),
            "Content-Range" => ("Range of these bytes, and the total.", "bytes 0-1023/103422"),
            "Location" => ("URL of the page.", "docs/index.html"),
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
