using Microsoft.AspNetCore.Diagnostics;

namespace Halftone.Status;

/// <summary>Every answer that is not a success is a problem+json that says what to do, and none carries a stack trace.</summary>
internal static partial class ProblemAnswers
{
    public static void UseProblems(this WebApplication server)
    {
        server.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerAsync, SuppressDiagnosticsCallback = _ => true });
        server.UseStatusCodePages(async context =>
        {
            var (code, title, detail) = context.HttpContext.Response.StatusCode switch
            {
                StatusCodes.Status404NotFound => ("not_found", "There is nothing here", "The address is wrong: the README names the ones there are."),
                StatusCodes.Status405MethodNotAllowed => ("method_not_allowed", "Wrong method", $"{context.HttpContext.Request.Method} is not possible here; the Allow header says what is."),
                _ => ("bad_request", "The request cannot be used", "The request is not understood."),
            };
            await Problems.Of(context.HttpContext.Response.StatusCode, code, title, detail).ExecuteAsync(context.HttpContext);
        });
    }

    /// <summary><c>/api/v1/…</c> and a trailing slash are other spellings of the same routes.</summary>
    public static void UseOneSpelling(this WebApplication server) => server.Use((context, next) =>
    {
        var request = context.Request;
        if (request.Path.StartsWithSegments("/api/v1", out var rest))
        {
            request.Path = rest.HasValue ? rest : "/";
        }

        if (request.Path.Value is { Length: > 1 } path && path.EndsWith('/'))
        {
            request.Path = path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/";
        }

        return next(context);
    });

    private static async Task AnswerAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var answer = exception switch
        {
            BadHttpRequestException bad => Problems.Of(bad.StatusCode, "bad_request", "The request cannot be used", bad.Message),
            IOException io when IsDiskFull(io) => DiskFull(),
            Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 13 } => DiskFull(),
            _ => Problems.Of(StatusCodes.Status500InternalServerError, "internal_error", "Something went wrong here", "This is the server's fault; its log says more. Nothing of the request was kept: try again."),
        };
        if (answer.StatusCode >= 500 && exception is not OperationCanceledException)
        {
            Log.Failed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Halftone.Api"), context.Request.Method, context.Request.Path, exception);
        }

        await answer.ExecuteAsync(context);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult DiskFull() =>
        Problems.Of(StatusCodes.Status507InsufficientStorage, "disk_full", "The disk is full", "The server has no room for this file: try again when there is space.");

    /// <summary>ENOSPC is 28 on Linux and macOS; .NET hands it on in the low 16 bits of HResult or as the number itself.</summary>
    public static bool IsDiskFull(IOException exception) => (exception.HResult & 0xFFFF) is 28 or 0x70;

    private static partial class Log
    {
        [LoggerMessage(601, LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, string method, string path, Exception? exception);
    }
}
