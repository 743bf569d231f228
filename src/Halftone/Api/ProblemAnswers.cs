using Halftone.Io;
using Halftone.Store;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace Halftone.Api;

/// <summary>Turns every unsuccessful answer into a problem+json that says what to do, without a stack trace.</summary>
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
                StatusCodes.Status404NotFound => (ProblemType.NotFound, "No such route. See /docs for the list."),
                StatusCodes.Status405MethodNotAllowed =>
                    (
                        ProblemType.MethodNotAllowed,
                        $"{context.HttpContext.Request.Method} is not supported here. The Allow header lists the supported methods."),
                StatusCodes.Status412PreconditionFailed =>
                    (
                        ProblemType.PreconditionFailed,
                        "The resource has changed since the answer that If-Match or If-Unmodified-Since names. Call again without "
                        + "that header for the current version."),
                StatusCodes.Status416RangeNotSatisfiable =>
                    (
                        ProblemType.RangeNotSatisfiable,
                        "The range starts after the end of the resource. Content-Range has its length in bytes."),
                _ => (ProblemType.MalformedRequest with { Status = status }, "The request could not be understood."),
            };
            await Problems.Of(type, detail).ExecuteAsync(context.HttpContext);
        });
        server.Use(async (context, next) =>
        {
            await next(context);
            var response = context.Response;
            var isRefused = response.StatusCode is StatusCodes.Status412PreconditionFailed or StatusCodes.Status416RangeNotSatisfiable;
            if (isRefused && !response.HasStarted)
            {
                // Headers of the file, which is not sent: type, name and caching.
                var (status, range) = (response.StatusCode, response.Headers.ContentRange);
                response.Clear();
                (response.StatusCode, response.Headers.ContentRange) = (status, range);
            }
        });
    }

    /// <summary>
    /// A body is framed by a length or by chunks (RFC 9112, section 6.1). Kestrel accepts "chunked, chunked"; a proxy
    /// in front of it may read that differently and take part of the body for the next request.
    /// </summary>
    public static void UseOneFraming(this WebApplication server) => server.Use(async (context, next) =>
    {
        if (context.Request.Headers.TransferEncoding is { Count: > 0 } codings
            && !string.Equals(codings.ToString(), "chunked", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.Connection = "close";
            await Problems
                .Of(ProblemType.MalformedRequest, "The only supported Transfer-Encoding is a single 'chunked'.")
                .ExecuteAsync(context);
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
            Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 13 } or PostgresException { SqlState: PostgresErrorCodes.DiskFull } =>
                DiskFull(),
            NpgsqlException down when Outage.Is(down) => Down(context, ProblemType.DatabaseDown, "database"),
            StoreUnavailableException => Down(context, ProblemType.StoreDown, "store"),
            _ =>
                Problems.Of(
                    ProblemType.InternalError,
                    "This is an error of the server; its log has the details. Nothing was kept: try again."),
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

    private static ILogger LoggerOf(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Halftone.Api");

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult Down(HttpContext context, ProblemType type, string what)
    {
        context.Response.Headers.RetryAfter = "10";
        return Problems.Of(
            type,
            $"Nothing was kept. Try again after the time in Retry-After. Accepted work resumes when the {what} is back.");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult DiskFull() =>
        Problems.Of(ProblemType.DiskFull, "The server has no space left for this file. Try again when there is space.");

    /// <summary>ENOSPC is 28 on Linux and macOS; .NET reports it in the low 16 bits of HResult or as the number itself.</summary>
    public static bool IsDiskFull(IOException exception) => (exception.HResult & 0xFFFF) is 28 or 0x70;

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, string method, string path, Exception? exception);

        [LoggerMessage(1002, LogLevel.Warning, "{Method} {Path} was answered 503: {Reason}")]
        public static partial void Unavailable(ILogger logger, string method, string path, string reason);
    }
}
