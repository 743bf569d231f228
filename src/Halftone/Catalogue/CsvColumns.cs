using System.Text;
using Halftone.Csv;

namespace Halftone.Catalogue;

/// <summary>
/// The meaning of each column of a header. Names are compared by letters and digits only, ignoring case. If several
/// columns have accepted names, the name that comes first in its list wins; the others are left unchanged like any
/// other column.
/// </summary>
/// <remarks>
/// Add new names at the end of a list and never move one: files of requests from before an upgrade are read again to
/// write their results, and must then give the same columns.
/// </remarks>
internal sealed class CsvColumns
{
    /// <summary>The column of output URLs, in results and in uploaded files that were results.</summary>
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
        "S. No.", "Serial Number", "Serial No.", "Serial", "Sr. No.", "Sl. No.", "S/N", "Number", "No.", "SKU",
        "Product Id", "Id", "Handle",
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

    /// <summary>0-based index, -1 if there is none; the same for the following.</summary>
    public int UrlIndex { get; }

    /// <summary>Another column with exactly the name of the URL column.</summary>
    public int SecondUrlIndex { get; }

    public int SerialIndex { get; }

    public int NameIndex { get; }

    private int Recognised => (UrlIndex >= 0 ? 3 : 0) + (SerialIndex >= 0 ? 1 : 0) + (NameIndex >= 0 ? 1 : 0);

    /// <summary>The column of a variant's output URLs.</summary>
    public static string VariantName(string variant) => $"{OutputName} ({variant})";

    /// <summary>
    /// True for a column of output URLs. A file may have several, and all are overwritten, so that none shows URLs of
    /// an earlier run.
    /// </summary>
    public bool IsOutput(int index) => outputs[index];

    public bool IsErrors(int index) => errors[index];

    /// <summary>
    /// True for the column of a variant. Its name is compared exactly except for case, because signs distinguish
    /// variants.
    /// </summary>
    public bool IsVariant(int index, string variant) =>
        Names[index].Trim().Equals(VariantName(variant), StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the header at which <paramref name="scanner"/> is.</summary>
    public static CsvColumns Read(CsvScanner scanner, CsvDialect dialect) => new(CsvText.ReadAll(scanner, dialect));

    /// <summary>Number of expected columns that a header has; tells the right delimiter from a wrong one.</summary>
    public static int Score(IReadOnlyList<string> names) => new CsvColumns([.. names]).Recognised;

    /// <summary>The name of the column for a message, or its position if it has no name.</summary>
    public string Title(int index) => string.IsNullOrWhiteSpace(Names[index]) ? $"column {index + 1}" : Names[index];

    /// <summary>The column whose name looks like a typing error of an accepted name of the URL column; -1 if there is none.</summary>
    public int NearMiss()
    {
        for (var index = 0; index < Names.Count; index++)
        {
            var key = Key(Names[index]);
            if (key.Length >= 4
                && index != SerialIndex
                && index != NameIndex
                && !outputs[index]
                && UrlKeys.Any(accepted => accepted.Length >= 4 && Distance(key, accepted) <= (accepted.Length >= 8 ? 2 : 1)))
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

    /// <summary>Number of letters to add, drop, change or swap with their neighbour (optimal string alignment distance).</summary>
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
