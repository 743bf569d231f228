namespace Halftone.Codec.Webp;

/// <summary>
/// The second partition of a frame. Decisions are held back until their probabilities are known; where a picture has more of them than
/// are held, those
/// seen so far decide the probabilities of all, and the rest goes straight into the partition.
/// </summary>
internal sealed class CoefficientStream(CoefficientModel model)
{
    private readonly DecisionList list = new();
    private readonly BoolWriter writer = new();
    private readonly byte[] probabilities = new byte[CoefficientTree.Places];
    private bool isSettled;
    private int at;

    /// <summary>The partition, after <see cref="Finish"/>.</summary>
    public ReadOnlySpan<byte> Bytes => writer.Bytes;

    public void Start()
    {
        list.Clear();
        writer.Start();
        (isSettled, at) = (false, 0);
    }

    /// <summary>Before each macroblock.</summary>
    public void MakeRoom()
    {
        if (at + DecisionList.Room <= list.Current.Length)
        {
            return;
        }

        if (list.IsFull)
        {
            list.End(at);
            Drain();
            list.Clear();
        }
        else
        {
            list.Continue(at);
        }

        at = 0;
    }

    /// <summary>Adds one block; parameters as in <see cref="CoefficientModel.Write"/>.</summary>
    public void Add(int type, BlockLevels levels, int block, int first, int context) =>
        at = model.Write(list.Current, at, type, levels.Block(block), first, levels.Lengths[block], context);

    public void Finish()
    {
        list.End(at);
        Drain();
        writer.Finish();
    }

    /// <summary>Tells which of the default probabilities are replaced (RFC 6386, section 13.4), after <see cref="Finish"/>.</summary>
    public void WriteProbabilities(BoolWriter header)
    {
        for (var context = 0; context < Vp8Tables.Contexts; context++)
        {
            for (var k = 0; k < Vp8Tables.Decisions; k++)
            {
                int i = context * Vp8Tables.Decisions + k, own = probabilities[context * CoefficientTree.Stride + k];
                var isNew = own != Vp8Tables.Defaults[i];
                header.Put(isNew ? 1 : 0, Vp8Tables.Updates[i]);
                if (isNew)
                {
                    header.Number(own, 8);
                }
            }
        }
    }

    public void Trim(int bytes)
    {
        list.Trim(bytes);
        writer.Trim(bytes);
    }

    private void Drain()
    {
        if (!isSettled)
        {
            Settle();
            isSettled = true;
        }

        for (var i = 0; i < list.ChunkCount; i++)
        {
            writer.PutAll(list.Chunk(i), probabilities);
        }
    }

    /// <summary>Replaces a default where what it saves is more than what telling it costs.</summary>
    private void Settle()
    {
        CoefficientTree.SetFixed(probabilities);
        Span<uint> zeros = stackalloc uint[Vp8Tables.Decisions], ones = stackalloc uint[Vp8Tables.Decisions];
        for (var context = 0; context < Vp8Tables.Contexts; context++)
        {
            model.Count(context, zeros, ones);
            for (var k = 0; k < Vp8Tables.Decisions; k++)
            {
                var i = context * Vp8Tables.Decisions + k;
                int usual = Vp8Tables.Defaults[i], update = Vp8Tables.Updates[i];
                long all = (long)zeros[k] + ones[k];
                var own = all == 0 ? usual : (int)Math.Clamp((zeros[k] * 256L + all / 2) / all, 1, 255);
                var saved = Cost(zeros[k], ones[k], usual) - Cost(zeros[k], ones[k], own);
                var told = 8 * 256 + CoefficientTree.BitCosts[256 - update] - CoefficientTree.BitCosts[update];
                probabilities[context * CoefficientTree.Stride + k] = (byte)(saved > told ? own : usual);
            }
        }

        static long Cost(uint zeros, uint ones, int probability) =>
            (long)zeros * CoefficientTree.BitCosts[probability] + (long)ones * CoefficientTree.BitCosts[256 - probability];
    }
}
