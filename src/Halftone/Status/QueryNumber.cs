using System.Globalization;

namespace Halftone.Status;

/// <summary>Whole numbers in a query string.</summary>
internal static class QueryNumber
{
    /// <returns>False where there is a value and it is not a whole number within the bounds; without a value it is <paramref name="otherwise"/>.</returns>
    public static bool TryRead(string? text, long otherwise, long lowest, long highest, out long value)
    {
        value = otherwise;
        return string.IsNullOrEmpty(text)
            || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= lowest && value <= highest);
    }
}
