using Halftone.Codec.Colour;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// What a JPEG says beside its picture, and which of it stays: the orientation, and a small colour profile that is not sRGB.
/// All else is dropped: EXIF, XMP, comments, thumbnails, further pictures (MPF), and the JFIF density, which is a wish about
/// paper (the output says "no unit, 1:1").
/// </summary>
internal sealed class JpegMetadata
{
    private const int PlainJfifBytes = 14;

    private readonly List<Range> dropped = [];
    private readonly List<Range> profileParts = [];
    private byte[]?[]? parts;
    private bool hasBrokenProfile, hasExif;

    /// <summary>As EXIF counts, 1 to 8.</summary>
    public int Orientation { get; private set; } = 1;

    /// <summary>The profile to write back; null for none.</summary>
    public byte[]? Profile { get; private set; }

    public bool HasJfif { get; private set; }

    /// <summary>The transform of an Adobe segment: 0 RGB, 1 YCbCr, 2 YCCK; null without one.</summary>
    public int? AdobeTransform { get; private set; }

    /// <summary>Segments that a copy of the source leaves out, in order.</summary>
    public IReadOnlyList<Range> Dropped => dropped;

    private static ReadOnlySpan<byte> ProfilePrefix => "ICC_PROFILE\0"u8;

    /// <summary>Takes an APPn or COM segment that stands at <paramref name="where"/> in the source.</summary>
    public void Read(byte marker, ReadOnlySpan<byte> segment, Range where)
    {
        if (marker == Marker.App0 && segment.StartsWith("JFIF\0"u8))
        {
            HasJfif = true;
            if (segment.Length == PlainJfifBytes)
            {
                return;
            }
        }

        if (marker == Marker.App14 && segment.StartsWith("Adobe"u8) && segment.Length >= 12)
        {
            AdobeTransform = segment[11];
            return;
        }

        if (marker == Marker.App2 && segment.StartsWith(ProfilePrefix))
        {
            profileParts.Add(where);
            hasBrokenProfile |= !AddProfilePart(segment[ProfilePrefix.Length..]);
            return;
        }

        if (marker == Marker.App1 && segment.StartsWith(ExifOrientation.Prefix) && !hasExif)
        {
            hasExif = true;
            Orientation = ExifOrientation.Read(segment);
        }

        dropped.Add(where);
    }

    /// <summary>Takes an APPn or COM segment between scans: nothing there counts.</summary>
    public void Drop(Range where) => dropped.Add(where);

    /// <summary>After the last segment: decides about the profile. Null when the image can stay as it is.</summary>
    public JpegNotTaken? Judge(int components)
    {
        if (parts is null && !hasBrokenProfile)
        {
            return null;
        }

        if (hasBrokenProfile || Array.Exists(parts!, part => part is null))
        {
            return JpegNotTaken.BrokenProfile;
        }

        byte[] profile = [.. parts!.SelectMany(part => part!)];
        if (!IccProfile.IsProfile(profile) || !profile.AsSpan(16, 4).SequenceEqual(components == 3 ? "RGB "u8 : "GRAY"u8))
        {
            return JpegNotTaken.BrokenProfile;
        }

        if (IccProfile.IsSrgb(profile))
        {
            dropped.AddRange(profileParts);
            dropped.Sort((a, b) => a.Start.Value.CompareTo(b.Start.Value));
            return null;
        }

        Profile = profile;
        return ColourPolicy.KeepsProfile(profile, isGrey: components == 1, ImageFormat.Jpeg) ? null : JpegNotTaken.LargeProfile;
    }

    /// <summary>
    /// A profile comes in numbered parts, because a segment ends at 64 KiB (ICC.1:2022, B.4); false where the numbers are wrong.
    /// </summary>
    private bool AddProfilePart(ReadOnlySpan<byte> part)
    {
        if (part.Length < 2 || part[1] == 0 || part[0] == 0 || part[0] > part[1])
        {
            return false;
        }

        parts ??= new byte[]?[part[1]];
        if (parts.Length != part[1] || parts[part[0] - 1] is not null)
        {
            return false;
        }

        parts[part[0] - 1] = part[2..].ToArray();
        return true;
    }
}
