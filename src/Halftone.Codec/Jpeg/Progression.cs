namespace Halftone.Codec.Jpeg;

/// <summary>
/// Keeps account of which coefficients the scans have brought, and down to which bit (ITU-T T.81, G.1.1.1). It also bounds the
/// work: a file of a few kilobytes can ask for thousands of passes over a large image.
/// </summary>
internal sealed class Progression(JpegFrame frame)
{
    /// <summary>Passes over every block that are allowed; mozjpeg, the most thorough of encoders, makes some ten.</summary>
    private const int MaxPasses = 40;

    private const int NotSeen = -1;

    private readonly int[] low = [.. Enumerable.Repeat(NotSeen, 64 * frame.Components.Length)];
    private long visits;

    /// <summary>Every coefficient is there to its last bit.</summary>
    public bool IsComplete => Array.TrueForAll(low, bit => bit == 0);

    /// <summary>Enters a scan; null when it is due, else why the file is not for us.</summary>
    public JpegNotTaken? Enter(ScanHeader scan)
    {
        var isSequential = !frame.IsProgressive;
        if (isSequential ? (scan.First, scan.Last, scan.High, scan.Low) != (0, 63, 0, 0) : !IsProgressiveBand(scan))
        {
            return JpegNotTaken.UnusualScans;
        }

        foreach (var c in scan.Components)
        {
            var component = frame.Components[c.Component];
            visits += (long)component.PaddedWide * component.PaddedHigh;
            if (scan.First > 0 && low[c.Component * 64] == NotSeen)
            {
                return JpegNotTaken.UnusualScans;
            }

            for (var k = scan.First; k <= scan.Last; k++)
            {
                ref var bit = ref low[c.Component * 64 + k];
                var isDue = scan.High == 0 ? bit == NotSeen : bit == scan.High && scan.Low == scan.High - 1;
                if (!isDue)
                {
                    return JpegNotTaken.UnusualScans;
                }

                bit = scan.Low;
            }
        }

        return visits > MaxPasses * frame.TotalBlocks ? JpegNotTaken.TooManyScans : null;
    }

    /// <summary>DC alone, or a band of AC of one component.</summary>
    private static bool IsProgressiveBand(ScanHeader scan) => scan.First == 0 ? scan.Last == 0 : scan.Components.Length == 1;
}
