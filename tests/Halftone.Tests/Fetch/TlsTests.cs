using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Halftone.Fetch;
using Halftone.Model;

namespace Halftone.Tests.Fetch;

public class TlsTests
{
    private const string Image = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nimg";

    [Fact]
    public async Task A_certificate_nobody_vouches_for_is_refused()
    {
        using var certificate = NewCertificate("CN=127.0.0.1", issuer: null);
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Image), certificate);
        await using var kit = FetchKit.Open();

        var failed = await kit.FailAsync(origin.Url());

        Assert.Equal((FetchError.TlsFailed, false), (failed.Error, failed.Retryable));
        Assert.Equal("the site's certificate is signed by itself, or by an authority that is not known.", failed.Detail);
        Assert.Empty(origin.Heads);
    }

    [Theory]
    [InlineData("CN=127.0.0.1", true)]
    [InlineData("CN=shop.test", false)]
    public async Task A_certificate_is_good_for_its_own_host_only(string subject, bool isGood)
    {
        using var root = NewCertificate("CN=Root", issuer: null);
        using var certificate = NewCertificate(subject, root);
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Image), certificate);
        await using var kit = FetchKit.Open();
        using var http = new HttpMessageInvoker(kit.Http.CreateHandler([root]));
        using var request = new HttpRequestMessage(HttpMethod.Get, origin.Url());

        if (isGood)
        {
            using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        else
        {
            var e = await Assert.ThrowsAsync<HttpRequestException>(() => http.SendAsync(request, TestContext.Current.CancellationToken));
            var failed = FetchFailure.From(e, isInBody: false);
            Assert.Equal((FetchError.TlsFailed, "the site's certificate is for another name."), (failed.Error, failed.Detail));
        }
    }

    [Fact]
    public async Task An_expired_certificate_is_said_to_have_expired()
    {
        using var root = NewCertificate("CN=Root", issuer: null);
        using var certificate = NewCertificate("CN=127.0.0.1", root, isExpired: true);
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Image), certificate);
        await using var kit = FetchKit.Open();
        using var http = new HttpMessageInvoker(kit.Http.CreateHandler([root]));
        using var request = new HttpRequestMessage(HttpMethod.Get, origin.Url());

        var e = await Assert.ThrowsAsync<HttpRequestException>(() => http.SendAsync(request, TestContext.Current.CancellationToken));

        Assert.Equal("the site's certificate has expired, or is not valid yet.", FetchFailure.From(e, isInBody: false).Detail);
    }

    [Fact]
    public async Task A_chain_without_its_intermediate_is_said_to_be_incomplete()
    {
        using var root = NewCertificate("CN=Root that the server does not send", issuer: null);
        using var certificate = NewCertificate("CN=127.0.0.1", root);
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Image), certificate);
        await using var kit = FetchKit.Open();

        Assert.Equal(
            "the site does not send the intermediate certificate that leads to a known authority.",
            (await kit.FailAsync(origin.Url())).Detail);
    }

    [Fact]
    public async Task Versions_of_TLS_that_have_none_in_common_are_said_to_be_that()
    {
        // The alert that a server of TLS 1.1 alone answers a hello of 1.2 and 1.3 with (RFC 8446, section 6).
        byte[] alert = [21, 3, 1, 0, 2, 2, 70];
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var kit = FetchKit.Open();
        var failing = kit.FailAsync(new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await client.GetStream().ReadExactlyAsync(new byte[5], TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(alert, TestContext.Current.CancellationToken);

        Assert.Equal("the site and this server know no common version of TLS; 1.2 and 1.3 are spoken here.", (await failing).Detail);
    }

    [Fact]
    public async Task The_addresses_that_a_certificate_names_for_its_issuer_and_revocation_are_not_called()
    {
        await using var inner = HostileOrigin.Start(Image);
        using var root = NewCertificate("CN=Root that the server does not send", issuer: null);
        using var certificate = NewCertificate("CN=127.0.0.1", root, inner.Url("/issuer.crt"), inner.Url("/ocsp"), inner.Url("/list.crl"));
        await using var origin = HostileOrigin.Start(call => call.WriteAsync(Image), certificate);
        await using var kit = FetchKit.Open();

        Assert.Equal(FetchError.TlsFailed, (await kit.FailAsync(origin.Url())).Error);
        Assert.Equal(0, inner.ConnectionCount);
    }

    [Fact]
    public async Task A_handshake_that_stalls_ends_with_its_time()
    {
        await using var origin = HostileOrigin.Start(call => call.StallAsync());
        await using var kit = FetchKit.Open(options => options.ConnectTimeout = TimeSpan.FromSeconds(1));

        var failed = await kit.FailAsync(new Uri($"https://127.0.0.1:{origin.Port}/"));

        Assert.Equal((FetchError.TlsTimedOut, true), (failed.Error, failed.Retryable));
    }

    [Fact]
    public async Task A_host_that_speaks_no_TLS_fails_at_the_handshake()
    {
        await using var origin = HostileOrigin.Start(Image);
        await using var kit = FetchKit.Open(options => options.ConnectTimeout = TimeSpan.FromSeconds(1));

        // The origin waits for an empty line, which a handshake rarely holds.
        var failed = await kit.FailAsync(new Uri($"https://127.0.0.1:{origin.Port}/"));

        Assert.Contains(failed.Error, new[] { FetchError.TlsFailed, FetchError.TlsTimedOut });
    }

    private static X509Certificate2 NewCertificate(string subject, X509Certificate2? issuer, params Uri[] named) =>
        NewCertificate(subject, issuer, isExpired: false, named);

    private static X509Certificate2 NewCertificate(string subject, X509Certificate2? issuer, bool isExpired, params Uri[] named)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: issuer is null, false, 0, true));
        if (subject.EndsWith(".1", StringComparison.Ordinal))
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        if (named.Length > 0)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([named[1].AbsoluteUri], [named[0].AbsoluteUri]));
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([named[2].AbsoluteUri]));
        }

        var (from, until) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var certificate = issuer is null
            ? request.CreateSelfSigned(from, until)
            : request
                .Create(issuer, from.AddHours(1), isExpired ? from.AddHours(2) : until.AddHours(-1), RandomNumberGenerator.GetBytes(8))
                .CopyWithPrivateKey(key);
        // SslStream wants a key that does not vanish with the object it was made by.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
