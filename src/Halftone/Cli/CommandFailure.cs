using System.Text.Json.Serialization;
using Halftone.Intake;

namespace Halftone.Cli;

/// <summary>Why a verb ends undone.</summary>
internal sealed record CommandFailure
{
    /// <summary>A word for programs, such as <c>folder_in_use</c>.</summary>
    public required string Code { get; init; }

    /// <summary>What is wrong and what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>What is wrong with a CSV, where that is it.</summary>
    public IReadOnlyList<UploadProblem>? Errors { get; init; }

    /// <summary>All of them, listed or not.</summary>
    public long? ErrorCount { get; init; }

    /// <summary>The server's answer as it came, where a server refused.</summary>
    [JsonIgnore]
    public string? Problem { get; init; }

    /// <summary>Sentences for standard error: one, or one for each problem of the file.</summary>
    public IEnumerable<string> ToLines()
    {
        if (Errors is not { Count: > 0 })
        {
            return [Detail];
        }

        var more = (ErrorCount ?? Errors.Count) - Errors.Count;
        return
        [
            .. Errors.Select(error => (error.Line is { } line ? $"line {line:N0}: " : "") + (error.Column is { } column ? $"column {column}: " : "") + error.Message),
            .. more > 0 ? [$"… and {more:N0} more."] : Array.Empty<string>(),
        ];
    }
}

/// <summary>Ends a verb undone.</summary>
internal class CommandFailedException(CommandFailure failure, Exception? inner = null) : Exception(failure.Detail, inner)
{
    public CommandFailedException(string code, string detail, Exception? inner = null)
        : this(new CommandFailure { Code = code, Detail = detail }, inner)
    {
    }

    public CommandFailure Failure { get; } = failure;
}
