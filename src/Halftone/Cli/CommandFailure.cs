using System.Text.Json.Serialization;
using Halftone.Intake;

namespace Halftone.Cli;

/// <summary>The reason why a verb failed.</summary>
internal sealed record CommandFailure
{
    /// <summary>A code for programs, such as <c>folder_in_use</c>.</summary>
    public required string Code { get; init; }

    /// <summary>The problem and what to do about it.</summary>
    public required string Detail { get; init; }

    /// <summary>The problems of a CSV, if the CSV is the reason.</summary>
    public IReadOnlyList<UploadProblem>? Errors { get; init; }

    /// <summary>The number of all problems, listed or not.</summary>
    public long? ErrorCount { get; init; }

    /// <summary>The unchanged answer of the server, if the server refused.</summary>
    [JsonIgnore]
    public string? Problem { get; init; }

    /// <summary>Sentences for standard error: one, or one per problem of the file.</summary>
    public IEnumerable<string> ToLines()
    {
        if (Errors is not { Count: > 0 })
        {
            return [Detail];
        }

        var more = (ErrorCount ?? Errors.Count) - Errors.Count;
        return
        [
            .. Errors.Select(error =>
                (error.Line is { } line ? $"line {line:N0}: " : "")
                    + (error.Column is { } column ? $"column {column}: " : "")
                    + error.Message),
            .. more > 0 ? [$"… and {more:N0} more."] : Array.Empty<string>(),
        ];
    }
}

/// <summary>Ends a verb that failed.</summary>
internal class CommandFailedException(CommandFailure failure, Exception? inner = null) : Exception(failure.Detail, inner)
{
    public CommandFailedException(string code, string detail, Exception? inner = null)
        : this(new CommandFailure { Code = code, Detail = detail }, inner)
    {
    }

    public CommandFailure Failure { get; } = failure;
}
