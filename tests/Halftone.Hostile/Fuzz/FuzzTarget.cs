namespace Halftone.Hostile.Fuzz;

/// <summary>Something that takes bytes from strangers. Whatever they are, it must come to an end and to a value.</summary>
internal abstract class FuzzTarget : IAsyncDisposable
{
    /// <summary>All of them, by name.</summary>
    public static IReadOnlyDictionary<string, Func<string, Task<FuzzTarget>>> Known { get; } =
        new Dictionary<string, Func<string, Task<FuzzTarget>>>(StringComparer.Ordinal)
        {
            ["csv"] = _ => Task.FromResult<FuzzTarget>(new CsvTarget()),
            ["urls"] = _ => Task.FromResult<FuzzTarget>(new UrlTarget()),
            ["answers"] = _ => Task.FromResult<FuzzTarget>(new AnswerTarget()),
            ["multipart"] = async program => new MultipartTarget(await ServerUnderAttack.StartAsync(program, MultipartTarget.Settings)),
            ["requests"] = async program => new RequestTarget(await ServerUnderAttack.StartAsync(program, MultipartTarget.Settings)),
            ["containers"] = _ => Task.FromResult<FuzzTarget>(new ContainerTarget()),
            ["images"] = async _ => await ImageTarget.StartAsync(),
        };

    /// <summary>Good inputs to begin with.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Pieces that mean something to it.</summary>
    public abstract IReadOnlyList<byte[]> Tokens { get; }

    /// <summary>Inputs that are tried at a time; more than one where most of it is waiting.</summary>
    public virtual int AtOnce => 1;

    /// <summary>Tries one input.</summary>
    /// <returns>What came of it, in a word or two.</returns>
    /// <exception cref="FuzzException">It did what it never may.</exception>
    public abstract Task<string> TryAsync(byte[] input, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A rule was broken.</summary>
internal sealed class FuzzException(string message) : Exception(message);
