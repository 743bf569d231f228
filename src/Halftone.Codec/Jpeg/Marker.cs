namespace Halftone.Codec.Jpeg;

/// <summary>Second bytes of the markers that matter here (ITU-T T.81, table B.1).</summary>
internal static class Marker
{
    public const byte Sof0 = 0xC0, Sof1 = 0xC1, Sof2 = 0xC2, Sof3 = 0xC3, Sof5 = 0xC5, Sof7 = 0xC7, Jpg = 0xC8, Sof9 = 0xC9, Sof15 = 0xCF;
    public const byte Dht =
        0xC4, Dac =
            0xCC, Rst0 = 0xD0, Rst7 = 0xD7, Soi = 0xD8, Eoi = 0xD9, Sos = 0xDA, Dqt = 0xDB, Dnl = 0xDC, Dri = 0xDD, Dhp = 0xDE, Exp = 0xDF;
    public const byte App0 = 0xE0, App1 = 0xE1, App2 = 0xE2, App13 = 0xED, App14 = 0xEE, App15 = 0xEF, Com = 0xFE, Tem = 0x01;
}
