using System.Security.Cryptography;
using System.Text;
using Halftone.Model;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary>The body of an upload, on disk and not parsed yet.</summary>
/// <param name="RequestId">The ID that its request will have.</param>
/// <param name="Key">Its key in the file store.</param>
/// <param name="FileName">The sender's name of the file, at most 255 characters.</param>
/// <param name="BodyHash">SHA-256, hexadecimal.</param>
internal sealed record SpooledUpload(Guid RequestId, string Key, string FileName, string BodyHash);

/// <summary>The body is longer than <see cref="IntakeOptions.MaxBodyBytes"/>, or than its kind allows.</summary>
internal sealed class SpoolTooLargeException : Exception;

/// <summary>The bodies of uploads in the file store: decompressed, limited in length and on disk before anything reads them.</summary>
internal sealed class UploadSpool(IFileStore files, IOptions<IntakeOptions> options, TimeProvider time)
{
    private const int MaxFileNameChars = 255;

    /// <summary>Writes the body to the file store; it is on disk when this returns.</summary>
    public Task<SpooledUpload> SpoolAsync(Stream body, string fileName, CancellationToken cancellationToken) =>
        SpoolAsync(body, fileName, options.Value.MaxBodyBytes, cancellationToken);

    /// <param name="body">Decompressed first if it is gzip.</param>
    /// <param name="fileName">The sender's name of the file.</param>
    /// <param name="maxBytes">Maximum bytes to write.</param>
    /// <param name="cancellationToken">Stops writing.</param>
    /// <exception cref="SpoolTooLargeException">The body is longer.</exception>
    public async Task<SpooledUpload> SpoolAsync(Stream body, string fileName, long maxBytes, CancellationToken cancellationToken)
    {
        var requestId = Guid.CreateVersion7(time.GetUtcNow());
        var key = ObjectKey.ForFile(requestId, "upload", "csv");
        await using var plain = await GzipBody.PlainAsync(body, cancellationToken);
        string hash;
        try
        {
            var limit = Math.Min(maxBytes, options.Value.MaxBodyBytes);
            hash = await files.PutAsync(key, "text/csv", spool => CopyAsync(plain, spool, limit, cancellationToken), cancellationToken);
        }
        catch
        {
            await files.DeleteAllAsync(requestId, CancellationToken.None);
            throw;
        }

        return new SpooledUpload(requestId, key, NameOf(fileName), hash);
    }

    /// <summary>SHA-256 of a body that is not kept, as <see cref="SpooledUpload.BodyHash"/> would be.</summary>
    public async Task<string> HashAsync(Stream body, CancellationToken cancellationToken)
    {
        await using var plain = await GzipBody.PlainAsync(body, cancellationToken);
        return await CopyAsync(plain, Stream.Null, options.Value.MaxBodyBytes, cancellationToken);
    }

    /// <summary>Opens a spooled body.</summary>
    public async Task<Stream> OpenAsync(SpooledUpload upload, CancellationToken cancellationToken) =>
        await files.OpenReadAsync(upload.Key, cancellationToken)
        ?? throw new InvalidOperationException($"The spooled upload {upload.Key} is missing.");

    /// <summary>Deletes a spooled body.</summary>
    public Task DiscardAsync(SpooledUpload upload) => files.DeleteAllAsync(upload.RequestId, CancellationToken.None);

    /// <summary>
    /// The sender's name without characters that a database or a header refuses: no control characters, no lone surrogates.
    /// </summary>
    private static string NameOf(string fileName)
    {
        var name = new StringBuilder();
        foreach (var rune in fileName.EnumerateRunes().Where(rune => !Rune.IsControl(rune)))
        {
            if (name.Length + rune.Utf16SequenceLength > MaxFileNameChars)
            {
                break;
            }

            name.Append(rune.ToString());
        }

        return name.ToString();
    }

    private static async Task<string> CopyAsync(Stream body, Stream spool, long maxBytes, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[65_536];
        var length = 0L;
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            // A gzip of a few KB can expand to gigabytes, so the limit applies to the spooled bytes.
            if ((length += read) > maxBytes)
            {
                throw new SpoolTooLargeException();
            }

            hash.AppendData(buffer, 0, read);
            await spool.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
