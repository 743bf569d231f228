namespace Halftone.Results;

/// <summary>Hands out a sequence of outcomes, which is in file order, row by row.</summary>
internal sealed class OutcomesByRow(IAsyncEnumerable<ImageOutcome> outcomes, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ImageOutcome> enumerator = outcomes.GetAsyncEnumerator(cancellationToken);
    private bool started;
    private bool more;

    /// <summary>Moves to the outcomes of one row into <paramref name="row"/>, which is emptied first.</summary>
    /// <exception cref="InvalidDataException">The next outcome belongs to a row that was passed.</exception>
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
            throw new InvalidDataException($"An outcome names line {enumerator.Current.Line}, where the spooled file has no product row.");
        }
    }

    /// <summary>Checks that nothing is left when the file is over.</summary>
    /// <exception cref="InvalidDataException">An outcome belongs to no row.</exception>
    public ValueTask ExpectEndAsync() => TakeAsync(long.MaxValue, []);

    public ValueTask DisposeAsync() => enumerator.DisposeAsync();
}
