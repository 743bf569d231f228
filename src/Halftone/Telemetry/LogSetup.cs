using Microsoft.Extensions.Logging.Console;

namespace Halftone.Telemetry;

/// <summary>
/// Logs go to the standard output, a line per event: text, or JSON with <c>Logging:Console:FormatterName=json</c>, the framework's own setting. In JSON each line
/// carries the scopes of its work (<c>request_id</c>) and, where there is a trace, its ids.
/// </summary>
internal static class LogSetup
{
    public static void AddConsoleLog(this ILoggingBuilder logging)
    {
        logging.Configure(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        // Before the console's own, so that what is set in Logging:Console:FormatterOptions wins.
        logging.Services.Configure<SimpleConsoleFormatterOptions>(console => console.SingleLine = true);
        logging.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            console.IncludeScopes = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        logging.AddConsole();
    }

    /// <summary>Whether the standard output is to hold JSON and nothing else.</summary>
    public static bool IsJson(IConfiguration configuration) => string.Equals(configuration["Logging:Console:FormatterName"], ConsoleFormatterNames.Json, StringComparison.OrdinalIgnoreCase);

    /// <summary>The lines of calls about a request carry its id.</summary>
    public static void UseLogScope(this WebApplication server) => server.Use(async (context, next) =>
    {
        using var scope = Guid.TryParse(context.Request.RouteValues["requestId"] as string, out var requestId) ? server.Logger.BeginScope(new LogScope(requestId)) : null;
        await next(context);
    });
}
