namespace Halftone.Hostile.Fuzz;

/// <summary>Makes a broken or odd input from good ones; equal numbers make equal inputs.</summary>
internal sealed class Mutator(FuzzTarget target, int number)
{
    private static readonly byte[] Interesting = [0, 1, 9, 10, 13, 0x20, 0x22, 0x2C, 0x7F, 0x80, 0xC0, 0xFE, 0xFF];

    private readonly Random random = new(number);

    public byte[] Next()
    {
        List<byte> input = [.. Pick(target.Seeds)];
        for (var times = 1 + random.Next(6); times > 0; times--)
        {
            Change(input);
        }

        return [.. input];
    }

    private void Change(List<byte> input)
    {
        var at = random.Next(input.Count + 1);
        var length = Math.Min(random.Next(1 << random.Next(9)), input.Count - at);
        switch (random.Next(10))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = (byte)random.Next(256);
                break;
            case 2 when at < input.Count:
                input[at] = Pick(Interesting);
                break;
            case 3:
                input.RemoveRange(at, length);
                break;
            case 4:
                input.InsertRange(at, input.GetRange(at, length));
                break;
            case 5:
                var other = Pick(target.Seeds);
                var from = random.Next(other.Length + 1);
                input.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, 257))]);
                break;
            case 6:
                input.RemoveRange(at, input.Count - at);
                break;
            case 7:
                // A number, little or big endian, that somebody may take for a length.
                var bytes = BitConverter.GetBytes(random.Next(3) switch { 0 => int.MaxValue, 1 => -1, _ => random.Next() });
                for (var index = 0; index < bytes.Length && at + index < input.Count; index++)
                {
                    input[at + index] = bytes[index];
                }

                break;
            case 8:
                input.InsertRange(at, Enumerable.Repeat(Pick(Interesting), random.Next(1 << random.Next(12))));
                break;
            default:
                input.InsertRange(at, Pick(target.Tokens));
                break;
        }
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];
}
