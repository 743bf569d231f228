using System.ComponentModel.DataAnnotations;
using Halftone.Codec;
using Halftone.Compress.Sandbox;
using Microsoft.Extensions.Options;

namespace Halftone.Compress;

/// <summary>Section <c>Compress</c>: limits of an image, and the processes that work on images.</summary>
internal sealed class CompressOptions : IValidatableObject
{
    public const string Section = "Compress";

    /// <summary>Quality if an upload gives none, 1 to 100 on the scale of libjpeg and libvips; 50.</summary>
    [Range(1, 100)]
    public int Quality { get; set; } = 50;

    /// <summary>
    /// How JPEGs are written: <c>optimised</c>, progressive from about 5 KB; <c>baseline</c>, the same in one scan, about
    /// 8 % larger, for viewers that are slow with progressive files; <c>classic</c>, libjpeg's tables and plain rounding
    /// (bench/results/jpeg.md). The default is <c>optimised</c>.
    /// </summary>
    [EnumDataType(typeof(JpegStyle))]
    public JpegStyle Jpeg { get; set; }

    /// <summary>
    /// Effort for WebP, 0 (fast) to 6 (small); 3. Up to 4, lossy WebP and JPEG sources use our own encoder, which takes a
    /// quarter of libwebp's processor time for 5 % fewer bytes (bench/results/webp.md); 5 and 6 always use libwebp.
    /// </summary>
    [Range(0, 6)]
    public int WebpEffort { get; set; } = CodecRequest.DefaultWebpEffort;

    /// <summary>
    /// Effort for AVIF, 0 (fast) to 9 (small); 3. Compared with it, 1 takes 0.3 of the processor time for 10 % more
    /// bytes, and 4 takes 4.5 times as much for 13 % fewer (bench/results/vips-settings.md).
    /// </summary>
    [Range(0, 9)]
    public int AvifEffort { get; set; } = CodecRequest.DefaultAvifEffort;

    /// <summary>
    /// Metadata that outputs keep: <c>Rights</c> (copyright, creator, credit, licence and IPTC's digital source type, as a minimal XMP) or
    /// <c>None</c>;
    /// <c>Rights</c>. Locations, serial numbers, thumbnails and comments are always removed.
    /// </summary>
    public KeptMetadata Metadata { get; set; } = KeptMetadata.Rights;

    /// <summary>Child processes, each with one image at a time, 1 to 256; unset means one per processor core.</summary>
    [Range(1, 256)]
    public int? Children { get; set; }

    /// <summary>
    /// Maximum width x height x frames, read from the header; 100,000,000 pixels. A larger image fails as
    /// <c>too_many_pixels</c>.
    /// </summary>
    [Range(1, 10_000_000_000)]
    public long MaxPixels { get; set; } = 100_000_000;

    /// <summary>
    /// Maximum memory of a child (RLIMIT_DATA), 256 MiB and up; 1 GiB. An image that needs more fails as
    /// <c>codec_out_of_memory</c>.
    /// </summary>
    [Range(256L << 20, 1L << 40)]
    public long MaxChildBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Maximum processor time for one image (RLIMIT_CPU), in whole seconds plus up to one more, 1 to 3600; 9. An image
    /// that needs more fails at once as <c>codec_timed_out</c>. Its pixels add to it, by what the output's format costs several times over:
    /// for
    /// a million pixels over all frames, 0.5 s for JPEG and PNG, 1 s for WebP and GIF, 2.5 s for AVIF at its usual effort.
    /// </summary>
    [Range(1, 3600)]
    public int CpuSeconds { get; set; } = 9;

    /// <summary>
    /// The sandbox of the children: <c>auto</c> uses what the system offers, <c>required</c> refuses to start without all of it
    /// (Linux with Landlock and seccomp filters); auto.
    /// </summary>
    public SandboxMode Sandbox { get; set; }

    /// <summary>
    /// Timeout from sending an image to its answer; 2 min. A backstop for a child that hangs: it must leave room for
    /// <see cref="CpuSeconds"/> on a busy machine, so it cannot be lower.
    /// </summary>
    internal TimeSpan ImageTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How much of what its pixels add to <see cref="CpuSeconds"/> an image gets; 1. A test that waits for the limit sets 0.
    /// </summary>
    internal double BudgetOfPixels { get; set; } = 1;

    /// <summary>Timeout from starting a child until it is ready for its first image; 30 s.</summary>
    internal TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Resident memory after an image above which a child is replaced; 256 MiB.</summary>
    internal long RecycleBytes { get; set; } = 256L << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ImageTimeout < TimeSpan.FromSeconds(CpuSeconds))
        {
            yield return new ValidationResult(
                $"Compress:ImageTimeout must be at least Compress:CpuSeconds, {CpuSeconds} s.",
                [nameof(ImageTimeout)]);
        }
    }
}

internal enum KeptMetadata
{
    Rights,
    None,
}

[OptionsValidator]
internal sealed partial class CompressOptionsValidator : IValidateOptions<CompressOptions>;
