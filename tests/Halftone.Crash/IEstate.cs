using Halftone.Database;

namespace Halftone.Crash;

internal enum StoredKind
{
    /// <summary>An output image.</summary>
    Image,
    /// <summary>An upload or a result.</summary>
    File,
}

/// <summary>What servers leave behind when they have ended: rows and objects.</summary>
internal interface IEstate
{
    HalftoneDatabase OpenDatabase();

    /// <summary>What an object is called in <see cref="AllAsync"/> and in findings.</summary>
    string NameOf(StoredKind kind, string key);

    /// <returns>The object's bytes, or null where there is none.</returns>
    Task<byte[]?> ReadAsync(StoredKind kind, string key, CancellationToken cancellationToken);

    /// <summary>Names of everything that is stored, and of what was left empty for requests that there are not.</summary>
    Task<IReadOnlyList<string>> AllAsync(IReadOnlySet<Guid> requests, CancellationToken cancellationToken);
}
