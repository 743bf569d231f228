namespace Halftone.Codec.Jpeg;

internal static class Tuning
{
    public static double ScaleY = 1, ScaleC = 1, Lam = 22, LamC = 9.3, LamMin = 12, FreqExp = 0.142, A0 = 60, Exp = 0.3, Hard = 0.58, Near = 1.0, Neighbour = 1, EobRate = 0.5, G0 = 0.79, G1 = 1.2, G2 = 0.9, G3 = 0.86, G4 = 1, G5 = 0.945, C0 = 0.85, C1 = 0.85, C2 = 0.85, FineFraction = 0.01, FineScale = 1.5, FineLoss = 100;
    public static int Split = 9;
    public static string[] Set(string[] args)
    {
        foreach (var a in args)
        {
            var parts = a.Split('=');
            if (typeof(Tuning).GetField(parts[0]) is { } f)
            {
                f.SetValue(null, Convert.ChangeType(parts[1], f.FieldType, System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        return args;
    }
}
