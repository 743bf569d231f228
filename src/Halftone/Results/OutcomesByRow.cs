namespace Halftone.Results;

/// <summary>Groups a sequence of outcomes in file order by row.</summary>
internal sealed class OutcomesByRow(IAsyncEnumerable<ImageOutcome> outcomes, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ImageOutcome> enumerator = outcomes.GetAsyncEnumerator(cancellationToken);
    private bool started;
    private bool more;

    /// <summary>Clears <paramref name="row"/> and fills it with the outcomes of one row.</summary>
    /// <exception cref="InvalidDataException">The next outcome belongs to an earlier row.</exception>
    public async ValueTask TakeAsync(long line, List<ImageOutcome> row)
    {
        row.Clear();
        if (!started)
        {
            started = true;
            more = await enumerator.MoveNextAsync();
        }

        while (more && enumerator.Current.Line == line)
        {
            row.Add(enumerator.Current);
            more = await enumerator.MoveNextAsync();
        }

        if (more && enumerator.Current.Line < line)
        {
            throw new InvalidDataException(
                $"An outcome names line {enumerator.Current.Line}, but the spooled file has no product row there.");
        }
    }

    /// <summary>Checks that no outcome is left at the end of the file.</summary>
    /// <exception cref="InvalidDataException">An outcome belongs to no row.</exception>
    public ValueTask ExpectEndAsync() => TakeAsync(long.MaxValue, []);

    public ValueTask DisposeAsync() => enumerator.DisposeAsync();
}
