using Microsoft.Extensions.Logging.Console;

namespace Halftone.Telemetry;

/// <summary>
/// Writes logs to standard output, one line per event: text, or JSON with <c>Logging:Console:FormatterName=json</c>, a
/// setting of the framework. In JSON each line carries the scopes of its work (<c>request_id</c>) and, if there is a
/// trace, its IDs.
/// </summary>
internal static class LogSetup
{
    public static void AddConsoleLog(this ILoggingBuilder logging)
    {
        logging.Configure(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        // Added before the console's own options, so that Logging:Console:FormatterOptions takes precedence.
        logging.Services.Configure<SimpleConsoleFormatterOptions>(console => console.SingleLine = true);
        logging.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            console.IncludeScopes = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        logging.AddConsole();
    }

    /// <summary>True if standard output must contain only JSON.</summary>
    public static bool IsJson(IConfiguration configuration) =>
        string.Equals(configuration["Logging:Console:FormatterName"], ConsoleFormatterNames.Json, StringComparison.OrdinalIgnoreCase);

    /// <summary>Adds the request ID to log lines of calls about a request.</summary>
    public static void UseLogScope(this WebApplication server) => server.Use(async (context, next) =>
    {
        using var scope = Guid.TryParse(context.Request.RouteValues["requestId"] as string, out var requestId)
            ? server.Logger.BeginScope(new LogScope(requestId))
            : null;
        await next(context);
    });
}
