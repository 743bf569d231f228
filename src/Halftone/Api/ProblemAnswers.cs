using Halftone.Io;
using Halftone.Store;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace Halftone.Api;

/// <summary>Every answer that is not a success is a problem+json that says what to do, and none carries a stack trace.</summary>
internal static partial class ProblemAnswers
{
    public static void UseProblems(this WebApplication server)
    {
        server.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerAsync, SuppressDiagnosticsCallback = _ => true });
        server.UseStatusCodePages(async context =>
        {
            var status = context.HttpContext.Response.StatusCode;
            var (type, detail) = status switch
            {
                StatusCodes.Status404NotFound => (ProblemType.NotFound, "The address is wrong: /docs names the ones there are."),
                StatusCodes.Status405MethodNotAllowed => (ProblemType.MethodNotAllowed, $"{context.HttpContext.Request.Method} is not possible here; the Allow header says what is."),
                StatusCodes.Status412PreconditionFailed => (ProblemType.PreconditionFailed, "It has changed since the answer that If-Match or If-Unmodified-Since names: ask without it for what there is now."),
                StatusCodes.Status416RangeNotSatisfiable => (ProblemType.RangeNotSatisfiable, "It ends before the range begins: Content-Range says how many bytes it has."),
                _ => (ProblemType.MalformedRequest with { Status = status }, "The request is not understood."),
            };
            await Problems.Of(type, detail).ExecuteAsync(context.HttpContext);
        });
        server.Use(async (context, next) =>
        {
            await next(context);
            if (context.Response is { StatusCode: StatusCodes.Status412PreconditionFailed or StatusCodes.Status416RangeNotSatisfiable, HasStarted: false } response)
            {
                // Of the file that is not sent: its type, its name, and that it may be kept for ever.
                var (status, range) = (response.StatusCode, response.Headers.ContentRange);
                response.Clear();
                (response.StatusCode, response.Headers.ContentRange) = (status, range);
            }
        });
    }

    /// <summary>
    /// A body is framed by a length or by chunks (RFC 9112, section 6.1). Kestrel lets "chunked, chunked" pass, which a proxy before it may read as
    /// something else, and then takes part of a body for the next request.
    /// </summary>
    public static void UseOneFraming(this WebApplication server) => server.Use(async (context, next) =>
    {
        if (context.Request.Headers.TransferEncoding is { Count: > 0 } codings && !string.Equals(codings.ToString(), "chunked", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.Connection = "close";
            await Problems.Of(ProblemType.MalformedRequest, "The only Transfer-Encoding that is understood is 'chunked', once.").ExecuteAsync(context);
            return;
        }

        await next(context);
    });

    private static async Task AnswerAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var answer = exception switch
        {
            BadHttpRequestException bad => Problems.Of(ProblemType.MalformedRequest with { Status = bad.StatusCode }, bad.Message),
            IOException io when IsDiskFull(io) => DiskFull(),
            Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 13 } or PostgresException { SqlState: PostgresErrorCodes.DiskFull } => DiskFull(),
            NpgsqlException down when Outage.Is(down) => Down(context, ProblemType.DatabaseDown, "database"),
            StoreUnavailableException => Down(context, ProblemType.StoreDown, "store"),
            _ => Problems.Of(ProblemType.InternalError, "This is the server's fault; its log says more. Nothing of the request was kept: try again."),
        };
        if (answer.StatusCode == StatusCodes.Status503ServiceUnavailable)
        {
            Log.Unavailable(LoggerOf(context), context.Request.Method, context.Request.Path, exception!.Message);
        }
        else if (answer.StatusCode >= 500 && exception is not OperationCanceledException)
        {
            Log.Failed(LoggerOf(context), context.Request.Method, context.Request.Path, exception);
        }

        await answer.ExecuteAsync(context);
    }

    private static ILogger LoggerOf(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Halftone.Api");

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult Down(HttpContext context, ProblemType type, string what)
    {
        context.Response.Headers.RetryAfter = "10";
        return Problems.Of(type, $"Nothing of the request was kept: try again as Retry-After says. Work that was accepted goes on when the {what} is back.");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult DiskFull() =>
        Problems.Of(ProblemType.DiskFull, "The server has no room for this file: try again when there is space.");

    /// <summary>ENOSPC is 28 on Linux and macOS; .NET hands it on in the low 16 bits of HResult or as the number itself.</summary>
    public static bool IsDiskFull(IOException exception) => (exception.HResult & 0xFFFF) is 28 or 0x70;

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, string method, string path, Exception? exception);

        [LoggerMessage(1002, LogLevel.Warning, "{Method} {Path} was answered 503: {Reason}")]
        public static partial void Unavailable(ILogger logger, string method, string path, string reason);
    }
}
