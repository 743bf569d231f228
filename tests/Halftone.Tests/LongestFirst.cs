using Halftone.Tests.EndToEnd;
using Halftone.Tests.Hostile;
using Halftone.Tests.Page;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Halftone.Tests.LongestFirst))]

namespace Halftone.Tests;

/// <summary>Starts the classes that take longest before all others, so that none of them is left over for the end of the run.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        nameof(CrashTests), nameof(AttackTests), nameof(PageTests), nameof(DiskCallTests), nameof(FuzzTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => RankOf(collection.TestCollectionDisplayName))];

    private static int RankOf(string name) =>
        Array.FindIndex(Longest, longest => name.Contains("." + longest, StringComparison.Ordinal)) is >= 0 and var rank
            ? rank
            : Longest.Length;
}
