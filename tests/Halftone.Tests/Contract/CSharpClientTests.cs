using System.Security.Cryptography;
using Halftone.Client;
using Halftone.Client.Models;
using Halftone.Tests.Servers;
using Microsoft.Kiota.Abstractions;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;

namespace Halftone.Tests.Contract;

/// <summary>The client of <c>clients/csharp</c>, which Kiota makes from the contract, against the real server.</summary>
public sealed class CSharpClientTests
{
    private static readonly string Folder = Path.Combine(Script.Repository, "clients", "csharp");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void It_was_made_from_the_contract_as_it_is()
    {
        var contract = Convert.ToHexStringLower(
            SHA256.HashData(File.ReadAllBytes(Path.Combine(Script.Repository, "docs", "openapi.json"))));
        Assert.True(
            contract == File.ReadAllText(Path.Combine(Folder, "contract.sha256")).Trim(),
            "docs/openapi.json has changed: run clients/csharp/generate.");
    }

    [Fact]
    public async Task It_checks_a_CSV_uploads_it_reads_its_status_and_failures_and_understands_a_refusal()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        using var adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider())
        {
            BaseUrl = server.Client.BaseAddress!.AbsoluteUri.TrimEnd('/'),
        };
        var halftone = new HalftoneClient(adapter);
        var csv = $"S. No.,Product Name,Input Image Urls\n1,A,{origin.Url("a.jpg")}\n2,B,{origin.Url("missing.jpg")}\n";

        var looked = await halftone.Upload.PostAsync(new UploadJson { Csv = csv, ValidateOnly = true }, cancellationToken: Cancelled);
        // Of two answers that have a member in common Kiota fills that of the first alone.
        Assert.Equal((true, 2L), (looked!.UploadChecked!.Valid, looked.UploadAccepted!.Images));

        var accepted = (await halftone.Upload.PostAsync(
            new UploadJson { Csv = csv, Quality = 40 }, cancellationToken: Cancelled))!.UploadAccepted!;
        var id = accepted.RequestId!.Value;
        await server.WaitForEndAsync(id, Cancelled);
        var status = await halftone.Status[id.ToString("D")].GetAsync(cancellationToken: Cancelled);
        Assert.Equal((RequestStatus_status.COMPLETED, 40, 1L), (status!.Status, status.Options!.Quality, status.Progress!.Failed));

        var images = await halftone.Requests[id.ToString("D")].Images.GetAsync(
            request => request.QueryParameters.Status = "failed", Cancelled);
        Assert.Equal(
            (origin.Url("missing.jpg").ToString(), "http_status"), (images!.Images!.Single().InputUrl, images.Images!.Single().ErrorCode));

        // The contract has two forms of refusal under 400, of which Kiota makes none its exception.
        var refused = await Assert.ThrowsAsync<ApiException>(() =>
            halftone.Upload.PostAsync(
                new UploadJson { Csv = "Product Name,Input Image Urls\nA,no address\n" }, cancellationToken: Cancelled));
        Assert.Equal(400, refused.ResponseStatusCode);
        var unknown = await Assert.ThrowsAsync<Problem>(
            () => halftone.Status[Guid.Empty.ToString("D")].GetAsync(cancellationToken: Cancelled));
        Assert.Equal("unknown_request", unknown.Code);
    }
}
