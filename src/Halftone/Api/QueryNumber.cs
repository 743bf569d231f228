using System.Globalization;

namespace Halftone.Api;

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

/// <summary>A whole number of the query that is bound as text, so that what is none is answered in our words. Tells the contract what <see cref="QueryNumber"/> is asked for.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class WholeNumberAttribute(int lowest, int highest, int otherwise) : Attribute
{
    public int Lowest => lowest;

    public int Highest => highest;

    public int Otherwise => otherwise;
}
