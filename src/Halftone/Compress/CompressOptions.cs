using System.ComponentModel.DataAnnotations;
using Halftone.Codec;
using Microsoft.Extensions.Options;

namespace Halftone.Compress;

/// <summary>Section <c>Compress</c>: what an image may cost, and the processes that work on them.</summary>
internal sealed class CompressOptions : IValidatableObject
{
    public const string Section = "Compress";

    /// <summary>Quality where an upload names none, 1 to 100 as libjpeg and libvips count it; 50.</summary>
    [Range(1, 100)]
    public int Quality { get; set; } = 50;

    /// <summary>
    /// How hard WebP is compressed, 0 (quick) to 6 (small); 3. Up to 4, lossy WebP and JPEG become WebP through an encoder of our own, which takes a
    /// quarter of libwebp's processor time at 3 for 5 % fewer bytes (bench/results/webp.md); 5 and 6 are always libwebp's.
    /// </summary>
    [Range(0, 6)]
    public int WebpEffort { get; set; } = CodecRequest.DefaultWebpEffort;

    /// <summary>
    /// How hard AVIF is compressed, 0 (quick) to 9 (small); 3. Against it 1 takes 0.3 of the processor time for 10 % more bytes, 4 takes 4.5 times as much
    /// for 13 % fewer (bench/results/vips-settings.md).
    /// </summary>
    [Range(0, 9)]
    public int AvifEffort { get; set; } = CodecRequest.DefaultAvifEffort;

    /// <summary>Child processes, each with one image at a time, 1 to 256; unset means one per processor core.</summary>
    [Range(1, 256)]
    public int? Children { get; set; }

    /// <summary>Limit on width x height x frames, read from the header; 100,000,000 pixels. A larger image fails as <c>too_many_pixels</c>.</summary>
    [Range(1, 10_000_000_000)]
    public long MaxPixels { get; set; } = 100_000_000;

    /// <summary>Memory a child may ask for (RLIMIT_DATA), 256 MiB and up; 1 GiB. An image that needs more fails as <c>codec_out_of_memory</c>.</summary>
    [Range(256L << 20, 1L << 40)]
    public long MaxChildBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Processor time for one image (RLIMIT_CPU), whole seconds, up to one more because of their counting, 1 to 3600; 9. One that needs more fails
    /// as <c>codec_timed_out</c>, at once.
    /// </summary>
    [Range(1, 3600)]
    public int CpuSeconds { get; set; } = 9;

    /// <summary>
    /// From sending an image to its answer; 2 min. A backstop for a child that waits instead of working: it must leave room
    /// for <see cref="CpuSeconds"/> on a busy machine, so it is not below that.
    /// </summary>
    internal TimeSpan ImageTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>From starting a child to its being ready for its first image; 30 s.</summary>
    internal TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Resident memory after an image above which a child is replaced by a fresh one; 256 MiB.</summary>
    internal long RecycleBytes { get; set; } = 256L << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ImageTimeout < TimeSpan.FromSeconds(CpuSeconds))
        {
            yield return new ValidationResult($"Compress:ImageTimeout must be at least Compress:CpuSeconds, {CpuSeconds} s.", [nameof(ImageTimeout)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class CompressOptionsValidator : IValidateOptions<CompressOptions>;
