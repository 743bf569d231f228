using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Halftone.Csv;

/// <summary>Text that is not valid in any supported encoding.</summary>
public enum CsvFault
{
    /// <summary>A zero byte, or U+0000 in UTF-16.</summary>
    ZeroByte = 1,

    /// <summary>The file starts with the byte order mark of UTF-8 but contains bytes that are not UTF-8.</summary>
    BrokenUtf8 = 2,

    /// <summary>The file starts with the byte order mark of UTF-16 but contains half a character.</summary>
    BrokenUtf16 = 3,
}

/// <summary>The dialect of a file, or why it has none.</summary>
public abstract record CsvDetected
{
    private CsvDetected()
    {
    }

    /// <summary>The file can be read.</summary>
    /// <param name="Dialect">Its encoding and delimiter.</param>
    public sealed record Found(CsvDialect Dialect) : CsvDetected;

    /// <summary>The file cannot be read as text.</summary>
    /// <param name="Fault">The reason.</param>
    /// <param name="Line">The 1-based line of the fault.</param>
    public sealed record Broken(CsvFault Fault, long Line) : CsvDetected;
}

/// <summary>Detects the encoding and the delimiter of a spooled file.</summary>
public static class CsvDetection
{
    private const int HeadBytes = 3;
    private const int ChunkBytes = 256 * 1024;

    /// <summary>
    /// Decides the encoding from the whole file: by its byte order mark, otherwise UTF-8 if every byte fits, otherwise
    /// Windows-1252. The delimiter is the one for which the header scores best; with equal scores, the one that gives
    /// more columns.
    /// </summary>
    /// <param name="spooled">Seekable, not empty; its position is undefined afterwards.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="scoreHeader">Number of expected column names in a header, given its cells; 0 to 99.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task<CsvDetected> DetectAsync(
        Stream spooled,
        CsvLimits limits,
        Func<IReadOnlyList<string>, int> scoreHeader,
        CancellationToken cancellationToken)
    {
        var head = new byte[HeadBytes];
        spooled.Position = 0;
        var headLength = await spooled.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        var marked = EncodingByMark(head.AsSpan(0, headLength));
        var (encoding, broken) = marked is CsvEncoding.Utf16Le or CsvEncoding.Utf16Be
            ? (marked.Value, await CheckUtf16Async(spooled, marked == CsvEncoding.Utf16Be, cancellationToken))
            : await CheckBytesAsync(spooled, marked == CsvEncoding.Utf8Bom, cancellationToken);
        return broken is null
            ? new CsvDetected.Found(await WithDelimiterAsync(spooled, encoding, limits, scoreHeader, cancellationToken))
            : broken;
    }

    private static CsvEncoding? EncodingByMark(ReadOnlySpan<byte> head) => head switch
    {
        [0xEF, 0xBB, 0xBF, ..] => CsvEncoding.Utf8Bom,
        [0xFF, 0xFE, ..] => CsvEncoding.Utf16Le,
        [0xFE, 0xFF, ..] => CsvEncoding.Utf16Be,
        _ => null,
    };

    private static async Task<(CsvEncoding, CsvDetected.Broken?)> CheckBytesAsync(
        Stream spooled,
        bool marked,
        CancellationToken cancellationToken)
    {
        var chunk = new byte[Math.Min(ChunkBytes, spooled.Length + 4)];
        var kept = 0;
        var validUtf8 = true;
        var lines = new LineCounter();
        spooled.Position = 0;
        while (true)
        {
            var read = await spooled.ReadAsync(chunk.AsMemory(kept), cancellationToken);
            var data = chunk.AsSpan(0, kept + read);
            var zero = data.IndexOf((byte)0);
            if (zero >= 0)
            {
                return (default, new CsvDetected.Broken(CsvFault.ZeroByte, lines.LineAt(data, zero)));
            }

            // A character cut by the end of the chunk is checked with the next chunk; at the end of the file it is invalid.
            var whole = validUtf8 && read > 0 ? data[..^CutCharacter(data)] : data;
            if (validUtf8 && !Utf8.IsValid(whole))
            {
                validUtf8 = false;
                if (marked)
                {
                    return (default, new CsvDetected.Broken(CsvFault.BrokenUtf8, lines.LineAt(whole, FirstInvalid(whole))));
                }
            }

            if (read == 0)
            {
                return (marked ? CsvEncoding.Utf8Bom : validUtf8 ? CsvEncoding.Utf8 : CsvEncoding.Windows1252, null);
            }

            lines.Add(whole);
            data[whole.Length..].CopyTo(chunk);
            kept = data.Length - whole.Length;
        }
    }

    /// <summary>Number of bytes at the end that start a UTF-8 character without finishing it: 0 to 3.</summary>
    private static int CutCharacter(ReadOnlySpan<byte> data)
    {
        for (var back = 1; back <= Math.Min(3, data.Length); back++)
        {
            var value = data[^back];
            if ((value & 0xC0) != 0x80)
            {
                var length = value >= 0xF0 ? 4 : value >= 0xE0 ? 3 : value >= 0xC0 ? 2 : 1;
                return length > back ? back : 0;
            }
        }

        return 0;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> data)
    {
        var (valid, invalid) = (0, data.Length);
        while (invalid - valid > 1)
        {
            var middle = (valid + invalid) / 2;
            var part = data[..middle];
            (valid, invalid) = Utf8.IsValid(part[..^CutCharacter(part)]) ? (middle, invalid) : (valid, middle);
        }

        return valid;
    }

    private static async Task<CsvDetected.Broken?> CheckUtf16Async(Stream spooled, bool bigEndian, CancellationToken cancellationToken)
    {
        var chunk = new byte[Math.Min(ChunkBytes, spooled.Length + 4)];
        var kept = 0;
        var highBefore = false;
        var line = 1L;
        spooled.Position = 0;
        while (true)
        {
            var read = await spooled.ReadAtLeastAsync(chunk.AsMemory(kept), 1, throwOnEndOfStream: false, cancellationToken);
            if (read == 0)
            {
                return kept > 0 || highBefore ? new CsvDetected.Broken(CsvFault.BrokenUtf16, line) : null;
            }

            var available = kept + read;
            var units = MemoryMarshal.Cast<byte, ushort>(chunk.AsSpan(0, available));
            if (bigEndian == BitConverter.IsLittleEndian)
            {
                BinaryPrimitives.ReverseEndianness(units, units);
            }

            var characters = MemoryMarshal.Cast<ushort, char>(units);
            var broken = FirstBroken(characters, ref highBefore);
            if (broken >= 0)
            {
                line += characters[..broken].Count('\n');
                return characters[broken] == 0
                    ? new CsvDetected.Broken(CsvFault.ZeroByte, line)
                    : new CsvDetected.Broken(CsvFault.BrokenUtf16, line);
            }

            line += characters.Count('\n');
            kept = available % 2;
            chunk[0] = chunk[available - 1];
        }
    }

    /// <summary>Index of a lone surrogate or a zero; -1 if the text is valid so far.</summary>
    private static int FirstBroken(ReadOnlySpan<char> characters, ref bool highBefore)
    {
        var zero = characters.IndexOf('\0');
        var text = zero < 0 ? characters : characters[..zero];
        for (var index = 0; index < text.Length; index++)
        {
            if (!highBefore)
            {
                var skip = text[index..].IndexOfAnyInRange('\uD800', '\uDFFF');
                if (skip < 0)
                {
                    return zero;
                }

                index += skip;
            }

            if (highBefore != char.IsLowSurrogate(text[index]))
            {
                return index;
            }

            highBefore = !highBefore;
        }

        return zero;
    }

    private static async Task<CsvDialect> WithDelimiterAsync(
        Stream spooled,
        CsvEncoding encoding,
        CsvLimits limits,
        Func<IReadOnlyList<string>, int> scoreHeader,
        CancellationToken cancellationToken)
    {
        CsvDialect? best = null;
        var bestScore = (-1, -1);
        foreach (var delimiter in CsvDialect.Delimiters.ToArray())
        {
            var dialect = new CsvDialect(encoding, delimiter);
            var score = await HeaderScoreAsync(spooled, dialect, limits, scoreHeader, cancellationToken);
            if (score.CompareTo(bestScore) > 0)
            {
                (best, bestScore) = (dialect, score);
            }
        }

        return best ?? throw new UnreachableException();
    }

    /// <summary>The score of a delimiter: the number of expected columns, then of all columns. A separator line decides at once.</summary>
    private static async Task<(int, int)> HeaderScoreAsync(
        Stream spooled,
        CsvDialect dialect,
        CsvLimits limits,
        Func<IReadOnlyList<string>, int> scoreHeader,
        CancellationToken cancellationToken)
    {
        var scanner = CsvScanner.Open(spooled, dialect, limits);
        var settled = 0;
        while (true)
        {
            switch (await scanner.ReadAsync(cancellationToken))
            {
                case CsvScan.Record when scanner.Kind == CsvRecordKind.SeparatorLine:
                    settled = 100;
                    break;
                case CsvScan.Record when scanner.Kind == CsvRecordKind.Header:
                    return (settled + scoreHeader(CsvText.ReadAll(scanner, dialect)), scanner.CellCount);
                case CsvScan.Record:
                    break;
                case CsvScan.End:
                    return (settled, 0);
                default:
                    // A header without an end: count the cells so far plus the unfinished one.
                    return (settled, scanner.CellCount + 1);
            }
        }
    }

    /// <summary>Counts lines across chunks; CR LF counts as one.</summary>
    private struct LineCounter()
    {
        private long line = 1;
        private bool carriageReturnBefore;

        public void Add(ReadOnlySpan<byte> data)
        {
            if (data.IsEmpty)
            {
                return;
            }

            line = LineAt(data, data.Length);
            carriageReturnBefore = data[^1] == '\r';
        }

        public readonly long LineAt(ReadOnlySpan<byte> data, int index)
        {
            var before = data[..index];
            var breaks = (long)before.Count((byte)'\n');
            if (carriageReturnBefore && data is [(byte)'\n', ..] && index > 0)
            {
                breaks--;
            }

            while (before.IndexOf((byte)'\r') is var found and >= 0)
            {
                breaks += found + 1 < before.Length && before[found + 1] == '\n' ? 0 : 1;
                before = before[(found + 1)..];
            }

            return line + breaks;
        }
    }
}
