using System.Buffers;
using System.Buffers.Binary;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Opens the picture among a TIFF's directories, and brings its samples to kinds that the rest knows: 32-bit numbers to 8, Lab to sRGB;
/// channels that
/// are no alpha are left out.
/// </summary>
internal sealed class TiffSource : IDisposable
{
    private const int LabPhotometric = 8, IccLabPhotometric = 9, RgbPhotometric = 2;

    private readonly TiffDirectory picture;
    private readonly ReadOnlyMemory<byte> file;
    private readonly MemoryHandle pinned;

    public TiffSource(ReadOnlyMemory<byte> source, TiffDirectory picture)
    {
        this.picture = picture;
        file = IsLab ? AsRgb(source, picture) : source;
        pinned = file.Pin();
    }

    private bool IsLab => picture.Photometric is LabPhotometric or IccLabPhotometric;

    /// <summary>Only the header is read.</summary>
    /// <exception cref="VipsException">The file is broken or of a kind that is not decoded.</exception>
    public Image Open()
    {
        var options = new VOption { { "access", Enums.Access.Sequential }, { "fail_on", Enums.FailOn.Error }, { "page", picture.Page } };
        if (picture.Sub >= 0)
        {
            options.Add("subifd", picture.Sub);
        }

        return VipsSource.Open("tiffload_buffer", pinned, file.Length, options);
    }

    /// <summary>Makes of the samples what they mean.</summary>
    public void Prepare(VipsPipeline pipeline)
    {
        LeaveOutMasks(pipeline);
        if (IsLab)
        {
            FromLab(pipeline);
        }
        else if (picture.Bits == 32)
        {
            var interpretation = pipeline.Image.Bands < 3
                ? Enums.Interpretation.Bw
                : pipeline.Image.Interpretation == Enums.Interpretation.Cmyk ? Enums.Interpretation.Cmyk : Enums.Interpretation.Srgb;
            pipeline
                .Apply(image => image.Linear([255.0 / uint.MaxValue], [0.5]).Cast(Enums.BandFormat.Uchar))
                .Apply(image => image.Copy(interpretation: interpretation));
        }
    }

    public void Dispose() => pinned.Dispose();

    /// <summary>Saved selections and channels for print look like alpha; only what is called alpha is (TIFF 6.0, ExtraSamples).</summary>
    private void LeaveOutMasks(VipsPipeline pipeline)
    {
        var colours = picture.Colours;
        var bands = pipeline.Image.Bands;
        // A palette is laid open by the decoder, and the sum does not hold.
        if (picture.Photometric == 3 || colours == 0 || bands <= colours || bands != picture.Samples)
        {
            return;
        }

        var alpha = Array.FindIndex(picture.Extra, kind => kind is 1 or 2);
        if (alpha == 0 && bands == colours + 1)
        {
            return;
        }

        pipeline.Apply(image =>
        {
            var plain = image.ExtractBand(0, n: colours);
            if (alpha < 0 || colours + alpha >= bands)
            {
                return plain;
            }

            using var colour = plain;
            using var mask = image.ExtractBand(colours + alpha);
            return colour.Bandjoin(mask);
        });
    }

    /// <summary>
    /// CIE Lab under D50: L from 0, a and b as signed numbers, or for the ICC's kind about the middle (TIFF 6.0, section 23; Technical Note
    /// 4).
    /// </summary>
    private void FromLab(VipsPipeline pipeline)
    {
        var isWide = picture.Bits == 16;
        var isIcc = picture.Photometric == IccLabPhotometric;
        double full = isWide ? isIcc ? 65280 : 65535 : 255, half = isWide ? 32768 : 128, unit = isWide ? 256 : 1;
        pipeline.Apply(image =>
        {
            using var lightness = image.ExtractBand(0).Linear([100 / full], [0]);
            using var stored = image.ExtractBand(1, n: 2).Cast(Enums.BandFormat.Int);
            // Signed numbers wrap where plain ones begin at the middle.
            using var shifted = isIcc ? stored.Copy() : stored.Linear([1], [half]).Cast(Enums.BandFormat.Int) % (2 * half);
            using var ab = shifted.Linear([1 / unit], [-half / unit]);
            using var lab = lightness.Bandjoin(ab).Cast(Enums.BandFormat.Float);
            using var named = lab.Copy(interpretation: Enums.Interpretation.Lab);
            using var rgb = named.IccExport(outputProfile: "srgb", intent: Enums.Intent.Relative, blackPointCompensation: true, depth: 8);
            if (image.Bands < 4)
            {
                return rgb.Copy();
            }

            using var alpha = image.ExtractBand(3).Linear([isWide ? 1 / 257.0 : 1], [0.5]).Cast(Enums.BandFormat.Uchar);
            return rgb.Bandjoin(alpha).Copy(interpretation: Enums.Interpretation.Srgb);
        });
    }

    /// <summary>A copy that says it is RGB: libvips does not read Lab of three plain samples.</summary>
    private static byte[] AsRgb(ReadOnlyMemory<byte> source, TiffDirectory picture)
    {
        var copy = source.ToArray();
        if (picture.Places.TryGetValue(TiffTag.Photometric, out var place) && place <= copy.Length - sizeof(ushort))
        {
            if (copy[0] == (byte)'I')
            {
                BinaryPrimitives.WriteUInt16LittleEndian(copy.AsSpan(place), RgbPhotometric);
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(copy.AsSpan(place), RgbPhotometric);
            }
        }

        return copy;
    }
}
