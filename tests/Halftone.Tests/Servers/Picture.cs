namespace Halftone.Tests.Servers;

/// <summary>Real picture files for tests that are not about pictures.</summary>
internal static class Picture
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "samples", "images");

    /// <summary>The bundled samples, in alphabetical order.</summary>
    public static IReadOnlyList<string> SampleNames { get; } = [.. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    /// <summary>A JPEG of some 100 KB.</summary>
    public static byte[] Jpeg { get; } = Sample(SampleNames.First(name => name.EndsWith(".jpg", StringComparison.Ordinal)));

    public static byte[] Sample(string name) => File.ReadAllBytes(Path.Combine(Folder, name));
}
