namespace Halftone.Codec.Jpeg;

/// <summary>The look-ups of the four DC and four AC tables, rebuilt only when a table changed.</summary>
internal sealed class DecoderLookups
{
    private readonly HuffmanLookup[] dc = [new(), new(), new(), new()];
    private readonly HuffmanLookup[] ac = [new(), new(), new(), new()];
    private readonly HuffmanTable?[] built = new HuffmanTable?[8];

    public HuffmanLookup Dc(int index) => dc[index];

    public HuffmanLookup Ac(int index) => ac[index];

    /// <summary>Forgets what was built: tables of another image are never the same.</summary>
    public void Reset() => Array.Clear(built);

    /// <summary>Builds what a scan needs; false where it names a table that was never defined and is none of the standard's.</summary>
    public bool Prepare(ScanHeader scan, DecoderTables tables, bool isProgressive)
    {
        foreach (var c in scan.Components)
        {
            var needsDc = scan.First == 0 && scan.High == 0;
            if (needsDc && !Build(dc, 0, c.DcTable, tables.Dc, SymbolKind.Dc))
            {
                return false;
            }

            if (scan.Last > 0 && !Build(ac, 4, c.AcTable, tables.Ac, isProgressive ? SymbolKind.ProgressiveAc : SymbolKind.Ac))
            {
                return false;
            }
        }

        return true;
    }

    private bool Build(HuffmanLookup[] lookups, int offset, int index, HuffmanTable?[] tables, SymbolKind kind)
    {
        // A frame of Motion JPEG leaves the usual tables out, as everybody knows them (ITU-T T.81, annex K.3).
        if ((tables[index] ?? (kind == SymbolKind.ProgressiveAc ? null : StandardTables.Of(kind == SymbolKind.Dc, index))) is not { } table)
        {
            return false;
        }

        if (!ReferenceEquals(built[offset + index], table))
        {
            lookups[index].Build(table, kind);
            built[offset + index] = table;
        }

        return true;
    }
}
