using System.Data.Common;
using Dapper;
using Halftone.Model;
using Halftone.Telemetry;

namespace Halftone.Pipeline;

/// <summary>A pending image with everything that its message says, from its own row, its product's and its request's.</summary>
internal sealed record PendingImage
{
    public required Guid RequestId { get; init; }
    public required int Run { get; init; }
    public required string Owner { get; init; }
    public required bool Reuse { get; init; }
    public required long FirstImageId { get; init; }
    public required long Images { get; init; }
    public string? TraceParent { get; init; }
    public required string SerialNumber { get; init; }
    public required long ProductFirstImageId { get; init; }
    public required long ImageId { get; init; }
    public required string InputUrl { get; init; }
    public required int Attempt { get; init; }
    public required OutputOptions Outputs { get; init; }

    /// <summary>The beginning of every statement that finds such images: <c>image i</c>, <c>product p</c> and <c>request r</c>.</summary>
    public const string Select = $"""
        SELECT r.request_id, r.run, r.owner, r.reuse, r.first_image_id, r.images, r.trace_parent,
               p.serial_number, p.first_image_id AS product_first_image_id, i.image_id, i.input_url, i.attempt,
               {OutputOptions.Selected}
        FROM   image i
        JOIN   product p ON p.product_id = i.product_id
        JOIN   request r ON r.request_id = p.request_id
        """;

    /// <param name="connection">Reads them.</param>
    /// <param name="sql">Begins with <see cref="Select"/>.</param>
    /// <param name="parameters">Of the statement.</param>
    /// <param name="transaction">The connection's, if there is one.</param>
    public static async Task<List<PendingImage>> QueryAsync(
        DbConnection connection, string sql, object parameters, DbTransaction? transaction = null)
    {
        var images = await connection.QueryAsync<PendingImage, OutputOptions, PendingImage>(
            sql, static (image, outputs) => image with { Outputs = outputs }, parameters, transaction, splitOn: OutputOptions.SplitOn);
        return images.AsList();
    }

    /// <summary>The parent of the image's span, as a W3C <c>traceparent</c>; null if the image is not traced.</summary>
    public string? TraceOf(ImageSample sample) => sample.TraceOf(TraceParent, ImageId - FirstImageId, Images);

    /// <param name="traceParent">The parent of the image's span; null if the image is not traced.</param>
    public Message.Image ToMessage(string? traceParent) => new()
    {
        RequestId = RequestId,
        Run = Run,
        ImageId = ImageId,
        Url = InputUrl,
        Attempt = Attempt,
        Outputs = Outputs,
        Owner = Owner,
        Fresh = Reuse ? null : true,
        Name = ObjectKey.NameOf(SerialNumber, ImageId - ProductFirstImageId + 1),
        TraceParent = traceParent,
    };
}
