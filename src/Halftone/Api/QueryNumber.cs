using System.Globalization;

namespace Halftone.Api;

/// <summary>Whole numbers in a query string.</summary>
internal static class QueryNumber
{
    /// <returns>False if the value is not a whole number within the bounds; a missing value gives <paramref name="otherwise"/>.</returns>
    public static bool TryRead(string? text, long otherwise, long lowest, long highest, out long value)
    {
        value = otherwise;
        return string.IsNullOrEmpty(text)
            || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= lowest && value <= highest);
    }
}

/// <summary>
/// Marks a whole number in the query that is bound as text, so that an invalid one is answered with our own message.
/// Gives the contract its bounds, see <see cref="QueryNumber"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class WholeNumberAttribute(int lowest, int highest, int otherwise) : Attribute
{
    public int Lowest => lowest;

    public int Highest => highest;

    public int Otherwise => otherwise;
}
