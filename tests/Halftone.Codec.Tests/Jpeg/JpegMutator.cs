using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>Makes one broken or odd JPEG from a seed corpus; equal seeds give equal files.</summary>
internal sealed class JpegMutator(List<byte[]> seeds, int seed)
{
    private readonly Random random = new(seed);

    public byte[] Next()
    {
        var file = Pick(seeds).ToArray();
        for (var times = 1 + random.Next(4); times > 0 && file.Length > 0; times--)
        {
            file = random.Next(10) switch
            {
                0 or 1 => FlipBits(file),
                2 => Overwrite(file),
                3 => Cut(file),
                4 => Insert(file),
                5 => ChangeFrame(file),
                6 => ChangeScan(file),
                7 => ChangeTable(file),
                8 => MoveSegments(file),
                _ => SpliceScan(file),
            };
        }

        return file;
    }

    private byte[] FlipBits(byte[] file)
    {
        for (var i = random.Next(1, 8); i > 0; i--)
        {
            file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
        }

        return file;
    }

    private byte[] Overwrite(byte[] file)
    {
        var at = random.Next(file.Length);
        var span = file.AsSpan(at, Math.Min(random.Next(1, 40), file.Length - at));
        if (random.Next(2) == 0)
        {
            span.Fill(random.Next(2) == 0 ? (byte)0 : (byte)0xFF);
        }
        else
        {
            random.NextBytes(span);
        }

        return file;
    }

    private byte[] Cut(byte[] file)
    {
        int from = random.Next(file.Length), length = Math.Min(random.Next(1, 200), file.Length - from);
        return random.Next(3) == 0 ? file[..from] : [.. file[..from], .. file[(from + length)..]];
    }

    private byte[] Insert(byte[] file)
    {
        var at = random.Next(file.Length + 1);
        byte[] inserted = random.Next(3) switch
        {
            0 => [0xFF, (byte)(Marker.Rst0 + random.Next(8))],
            1 => TestJpeg.Segment(Marker.Dri, [0, (byte)random.Next(8)]),
            _ => [0xFF, (byte)random.Next(256), (byte)random.Next(2), (byte)random.Next(256)],
        };
        return [.. file[..at], .. inserted, .. file[at..]];
    }

    /// <summary>Kind, size, sampling, ids, table numbers.</summary>
    private byte[] ChangeFrame(byte[] file)
    {
        if (Segments(file).FirstOrDefault(s => file[s.Start.Value + 1] is Marker.Sof0 or Marker.Sof2) is { End.Value: > 0 } frame)
        {
            var at = frame.Start.Value;
            if (random.Next(4) == 0)
            {
                file[at + 1] = (byte)(Marker.Sof0 + random.Next(3));
            }

            var offset = random.Next(5, Math.Max(6, frame.End.Value - at));
            file[at + offset] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(random.Next(1, 5) << 4 | random.Next(1, 5));
        }

        return file;
    }

    /// <summary>Components, table numbers, band, bit positions.</summary>
    private byte[] ChangeScan(byte[] file)
    {
        var scans = Segments(file).Where(s => file[s.Start.Value + 1] == Marker.Sos).ToArray();
        if (scans.Length > 0)
        {
            var scan = Pick(scans);
            var at = random.Next(scan.Start.Value + 4, scan.End.Value);
            file[at] = (byte)(random.Next(3) switch
            {
                0 => random.Next(256),
                1 => random.Next(64),
                _ => random.Next(4) << 4 | random.Next(4),
            });
        }

        return file;
    }

    private byte[] ChangeTable(byte[] file)
    {
        var tables = Segments(file).Where(s => file[s.Start.Value + 1] is Marker.Dht or Marker.Dqt or Marker.Dri).ToArray();
        if (tables.Length > 0)
        {
            var table = Pick(tables);
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                file[random.Next(table.Start.Value + 4, table.End.Value)] = (byte)random.Next(random.Next(2) == 0 ? 256 : 17);
            }
        }

        return file;
    }

    /// <summary>Repeats, removes or exchanges segments.</summary>
    private byte[] MoveSegments(byte[] file)
    {
        var segments = Segments(file);
        if (segments.Count < 2)
        {
            return file;
        }

        Range one = Pick(segments), other = Pick(segments);
        return random.Next(3) switch
        {
            0 => [.. file[..one.Start.Value], .. file[other], .. file[one.Start.Value..]],
            1 => [.. file[..one.Start.Value], .. file[one.End.Value..]],
            _ => [.. file[..one.Start.Value], .. file[other], .. file[one.End.Value..]],
        };
    }

    /// <summary>Puts the end of another file, from one of its scans on, behind a scan's start here.</summary>
    private byte[] SpliceScan(byte[] file)
    {
        var other = Pick(seeds);
        var here = Segments(file).Where(s => file[s.Start.Value + 1] == Marker.Sos).ToArray();
        var there = Segments(other).Where(s => other[s.Start.Value + 1] == Marker.Sos).ToArray();
        return here.Length == 0 || there.Length == 0 ? file : [.. file[..Pick(here).End.Value], .. other[Pick(there).End.Value..]];
    }

    /// <summary>Where marker segments lie, scans' headers among them, as far as the file can be followed.</summary>
    private static List<Range> Segments(byte[] file)
    {
        List<Range> segments = [];
        for (var at = 2; at + 4 <= file.Length;)
        {
            if (file[at] != 0xFF || file[at + 1] is 0 or 0xFF or (>= Marker.Rst0 and <= Marker.Eoi))
            {
                at++;
                continue;
            }

            var end = at + 2 + (file[at + 2] << 8 | file[at + 3]);
            if (end > file.Length || end < at + 5)
            {
                at += 2;
                continue;
            }

            segments.Add(at..end);
            at = end;
        }

        return segments;
    }

    private T Pick<T>(IList<T> from) => from[random.Next(from.Count)];
}
