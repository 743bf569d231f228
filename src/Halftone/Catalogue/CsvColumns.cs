using System.Text;
using Halftone.Csv;

namespace Halftone.Catalogue;

/// <summary>
/// Which column of a header is which. Names are compared by their letters and digits alone, whatever their case. Where a file has several
/// columns with accepted names, the name that stands first in its list here wins; the others pass through like any column.
/// </summary>
/// <remarks>
/// New names go to the end of a list, and none is ever moved: the files of requests from before an upgrade are read again to write their
/// results, and must then give the same columns.
/// </remarks>
internal sealed class CsvColumns
{
    /// <summary>The column of output URLs, in results and in files that were results once.</summary>
    public const string OutputName = "Output Image Urls";

    /// <summary>The column that says why images have no output.</summary>
    public const string ErrorsName = "Image Errors";

    /// <summary>Accepted names of the image URL column, best first.</summary>
    public static readonly string[] UrlNames =
    [
        "Input Image Urls", "Input Image Url", "Input Images", "Input Urls", "Image Urls", "Image Url", "Image Src", "Images", "Image",
        "Image Links", "Image Link", "Product Image Urls", "Product Image Url", "Product Images", "Product Image", "Main Image Url",
        "Picture Urls", "Picture Url", "Pictures", "Picture", "Photo Urls", "Photo Url", "Photos", "Photo", "Urls", "Url",
    ];

    /// <summary>Accepted names of the serial number column, best first.</summary>
    public static readonly string[] SerialNames =
    [
        "S. No.", "Serial Number", "Serial No.", "Serial", "Sr. No.", "Sl. No.", "S/N", "Number", "No.", "SKU", "Product Id", "Id", "Handle",
    ];

    /// <summary>Accepted names of the product name column, best first.</summary>
    public static readonly string[] NameNames = ["Product Name", "Product Title", "Product", "Title", "Name", "Item Name", "Item"];

    private readonly bool[] outputs;
    private readonly bool[] errors;

    private CsvColumns(string[] names)
    {
        Names = names;
        var keys = Array.ConvertAll(names, Key);
        UrlIndex = Find(keys, UrlKeys);
        SerialIndex = Find(keys, SerialKeys);
        NameIndex = Find(keys, NameKeys);
        outputs = Array.ConvertAll(keys, key => key == OutputKey);
        errors = Array.ConvertAll(keys, key => key == ErrorsKey);
        SecondUrlIndex = UrlIndex < 0 ? -1 : Array.IndexOf(keys, keys[UrlIndex], UrlIndex + 1);
    }

    /// <summary>The column names as written.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>0-based; -1 where there is none. So are the following.</summary>
    public int UrlIndex { get; }

    /// <summary>Another column with the very name of the URL column.</summary>
    public int SecondUrlIndex { get; }

    public int SerialIndex { get; }

    public int NameIndex { get; }

    private int Recognised => (UrlIndex >= 0 ? 3 : 0) + (SerialIndex >= 0 ? 1 : 0) + (NameIndex >= 0 ? 1 : 0);

    /// <summary>The column of a variant's output URLs.</summary>
    public static string VariantName(string variant) => $"{OutputName} ({variant})";

    /// <summary>Whether a column is one of output URLs. A file may have several, and each is written over: none may show an earlier run's.</summary>
    public bool IsOutput(int index) => outputs[index];

    public bool IsErrors(int index) => errors[index];

    /// <summary>Whether a column is that of a variant. Signs tell variants apart, so its name counts as it is, but for case.</summary>
    public bool IsVariant(int index, string variant) => Names[index].Trim().Equals(VariantName(variant), StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the header that <paramref name="scanner"/> stands on.</summary>
    public static CsvColumns Read(CsvScanner scanner, CsvDialect dialect) => new(CsvText.ReadAll(scanner, dialect));

    /// <summary>How many of the columns we look for a header has; tells the right delimiter from a wrong one.</summary>
    public static int Score(IReadOnlyList<string> names) => new CsvColumns([.. names]).Recognised;

    /// <summary>What to call a column in a message: its name, or its place where it has none.</summary>
    public string Title(int index) => string.IsNullOrWhiteSpace(Names[index]) ? $"column {index + 1}" : Names[index];

    /// <summary>The column whose name is a slip of the pen away from an accepted name of the URL column; -1 where none is.</summary>
    public int NearMiss()
    {
        for (var index = 0; index < Names.Count; index++)
        {
            var key = Key(Names[index]);
            if (key.Length >= 4 && index != SerialIndex && index != NameIndex && !outputs[index] && UrlKeys.Any(accepted => accepted.Length >= 4 && Distance(key, accepted) <= (accepted.Length >= 8 ? 2 : 1)))
            {
                return index;
            }
        }

        return -1;
    }

    private static int Find(string[] keys, string[] accepted)
    {
        foreach (var key in accepted)
        {
            var index = Array.IndexOf(keys, key);
            if (index >= 0)
            {
                return index;
            }
        }

        return -1;
    }

    private static string Key(string name)
    {
        var key = new StringBuilder(name.Length);
        foreach (var character in name)
        {
            if (char.IsLetterOrDigit(character))
            {
                key.Append(char.ToLowerInvariant(character));
            }
        }

        return key.ToString();
    }

    /// <summary>Letters to add, drop, change or swap with their neighbour (optimal string alignment distance).</summary>
    private static int Distance(string left, string right)
    {
        if (Math.Abs(left.Length - right.Length) > 2)
        {
            return int.MaxValue;
        }

        var cost = new int[left.Length + 1, right.Length + 1];
        for (var row = 0; row <= left.Length; row++)
        {
            for (var column = 0; column <= right.Length; column++)
            {
                if (row == 0 || column == 0)
                {
                    cost[row, column] = row + column;
                    continue;
                }

                var change = cost[row - 1, column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                var best = Math.Min(change, Math.Min(cost[row - 1, column], cost[row, column - 1]) + 1);
                if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1])
                {
                    best = Math.Min(best, cost[row - 2, column - 2] + 1);
                }

                cost[row, column] = best;
            }
        }

        return cost[left.Length, right.Length];
    }

    private static readonly string OutputKey = Key(OutputName);
    private static readonly string ErrorsKey = Key(ErrorsName);
    private static readonly string[] UrlKeys = Array.ConvertAll(UrlNames, Key);
    private static readonly string[] SerialKeys = Array.ConvertAll(SerialNames, Key);
    private static readonly string[] NameKeys = Array.ConvertAll(NameNames, Key);
}
