using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>Section <c>Fetch</c>: what may be called, for how long and how much. The guard applies to webhooks too.</summary>
internal sealed class FetchOptions : IValidatableObject
{
    private static readonly int[] DefaultPorts = [80, 443, 8080, 8443];
    private static readonly TimeSpan[] DefaultRetrySchedule = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20)];

    /// <summary>
    /// Networks outside the public internet that may be called, on every port: CIDR (<c>10.0.0.0/8</c>,
    /// <c>fd00::/8</c>) or one address. Default: none. Cloud metadata addresses stay blocked unless named themselves.
    /// </summary>
    public string[] AllowNetworks { get; set; } = [];

    /// <summary>
    /// Ports that may be called on public addresses, 1 to 65535; unset means 80, 443, 8080 and 8443. A list replaces
    /// these.
    /// </summary>
    // Null instead of a default list, because the configuration binder appends to an existing list and nobody could close a port.
    public int[]? Ports { get; set; }

    /// <summary>Timeout from name lookup to an open TCP connection, and the same again for TLS; 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Timeout of one attempt, from connect to last byte over all redirects; 30 s. Waiting inside Halftone, for a
    /// host's turn or for memory, does not count.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Minimum speed of a body in bytes per second, averaged over <see cref="SpeedWindow"/>; 1024. 0 disables it.</summary>
    [Range(0, 1 << 30)]
    public int MinBytesPerSecond { get; set; } = 1024;

    /// <summary>Time from the first body byte until speed is measured; 5 s.</summary>
    internal TimeSpan SpeedGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Maximum time that a body may stay below <see cref="MinBytesPerSecond"/>; 10 s.</summary>
    internal TimeSpan SpeedWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum body size in bytes, after content decoding; 64 MiB.</summary>
    [Range(1, 1 << 30)]
    public int MaxBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Memory for bodies in the whole process, from download until compressed, in bytes; 128 MiB. At least twice
    /// <see cref="MaxBytes"/>, so that one long body leaves room for others: see <see cref="ByteBudget"/>.
    /// </summary>
    [Range(typeof(long), "131072", "1099511627776")]
    public long BudgetBytes { get; set; } = 128L << 20;

    /// <summary>Maximum size of response headers in KiB; 32.</summary>
    internal int MaxHeaderKiB { get; set; } = 32;

    /// <summary>Maximum redirects per attempt; 5. 0 follows none.</summary>
    internal int MaxRedirects { get; set; } = 5;

    /// <summary>
    /// Delays before the second and later attempts at an image; unset means 1 s, 5 s, 20 s. An empty list is not
    /// possible.
    /// </summary>
    public TimeSpan[]? RetrySchedule { get; set; }

    /// <summary>Upper limit for <c>Retry-After</c>; 60 s.</summary>
    internal TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Contact of this installation: a URL or mail address that origins find in the User-Agent,
    /// <c>Halftone/VERSION (+CONTACT)</c>. Default: none.
    /// </summary>
    [RegularExpression("[!-'*-~]{1,200}", ErrorMessage = "Fetch:Contact must be a URL or mail address without spaces or parentheses.")]
    public string? Contact { get; set; }

    /// <summary>
    /// Extra request headers by host name, such as <c>Fetch:HostHeaders:cdn.example.com:Authorization</c>. Sent only to
    /// exactly that host, on every port, and not after a redirect from https to http.
    /// </summary>
    public Dictionary<string, Dictionary<string, string>> HostHeaders { get; set; } = [];

    /// <summary>Concurrent requests to a host, whatever it answers; 4.</summary>
    [Range(1, 1024)]
    public int MinPerHost { get; set; } = 4;

    /// <summary>Maximum concurrent requests to a host that answers well; 64.</summary>
    [Range(1, 1024)]
    public int MaxPerHost { get; set; } = 64;

    /// <summary>
    /// Time that an image that waits for its host, for its turn or for an answer, keeps its slot of
    /// <c>Queue:Prefetch</c> before it releases it; 0.25 s.
    /// </summary>
    internal TimeSpan HoldPlace { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>
    /// Time that a request runs before it no longer counts as concurrent at its host, so that a few bad URLs do not
    /// hold up the host's good ones; 2 s. At most <see cref="MinPerHost"/> such requests are exempt, or up to
    /// <see cref="MaxPerHost"/> in total while the host answers others.
    /// </summary>
    internal TimeSpan SlowAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Consecutive failures to resolve or connect after which a host is not called for a while; 4.</summary>
    internal int BreakerThreshold { get; set; } = 4;

    /// <summary>Time for which a host is not called at first; doubled at every failed try after that, up to six times; 1 s.</summary>
    internal TimeSpan BreakerPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Time after its first failure in which a host's images are still retried; 15 s. After that they fail permanently
    /// at once, so that a dead host does not hold up a request, while a restart of the host costs no image.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan OutageGrace { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary><see cref="Ports"/> or the default.</summary>
    internal IReadOnlyList<int> OpenPorts => Ports is { Length: > 0 } ? Ports : DefaultPorts;

    /// <summary><see cref="RetrySchedule"/> or the default.</summary>
    internal IReadOnlyList<TimeSpan> RetryDelays => RetrySchedule is { Length: > 0 } ? RetrySchedule : DefaultRetrySchedule;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var network in AllowNetworks)
        {
            if (!AddressBlock.TryParse(network, out _, out var problem))
            {
                yield return new ValidationResult($"Fetch:AllowNetworks: \"{network}\" {problem}.", [nameof(AllowNetworks)]);
            }
        }

        foreach (var port in OpenPorts.Where(port => port is < 1 or > 65535))
        {
            yield return new ValidationResult($"Fetch:Ports: {port} must be 1 to 65535.", [nameof(Ports)]);
        }

        foreach (var delay in RetryDelays.Where(delay => delay < TimeSpan.Zero || delay > TimeSpan.FromDays(1)))
        {
            yield return new ValidationResult($"Fetch:RetrySchedule: {delay} must be 0 to 1 day.", [nameof(RetrySchedule)]);
        }

        if (MinPerHost > MaxPerHost)
        {
            yield return new ValidationResult(
                $"Fetch:MinPerHost ({MinPerHost}) must not be above Fetch:MaxPerHost ({MaxPerHost}).",
                [nameof(MinPerHost), nameof(MaxPerHost)]);
        }

        if (ConnectTimeout > AttemptTimeout)
        {
            yield return new ValidationResult(
                $"Fetch:ConnectTimeout ({ConnectTimeout}) must not be above Fetch:AttemptTimeout ({AttemptTimeout}).",
                [nameof(ConnectTimeout), nameof(AttemptTimeout)]);
        }

        var leastBudget = 2L * MaxBytes;
        if (BudgetBytes < leastBudget)
        {
            yield return new ValidationResult(
                $"Fetch:BudgetBytes ({BudgetBytes}) must be at least {leastBudget}, twice Fetch:MaxBytes ({MaxBytes}).",
                [nameof(BudgetBytes), nameof(MaxBytes)]);
        }

        foreach (var (host, headers) in HostHeaders)
        {
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            {
                yield return new ValidationResult(
                    $"Fetch:HostHeaders: \"{host}\" must be a host name without scheme, port or path.",
                    [nameof(HostHeaders)]);
            }

            if (headers is not { Count: > 0 })
            {
                yield return new ValidationResult($"Fetch:HostHeaders:{host} must name a header.", [nameof(HostHeaders)]);
                continue;
            }

            using var probe = new HttpRequestMessage();
            foreach (var (name, value) in headers)
            {
                if (!IsHeader(probe, name, value))
                {
                    // The value may be a secret, so it is not repeated.
                    yield return new ValidationResult(
                        $"Fetch:HostHeaders:{host}: \"{name}\" must be the name of a request header, with a value in one line.",
                        [nameof(HostHeaders)]);
                }
            }
        }
    }

    /// <summary>Framing headers and Host cannot be configured, because they would allow request smuggling.</summary>
    private static bool IsHeader(HttpRequestMessage probe, string name, string value) =>
        name.ToUpperInvariant() is not ("HOST" or "CONNECTION" or "TRANSFER-ENCODING" or "CONTENT-LENGTH" or "EXPECT" or "UPGRADE" or "TE")
        && !value.AsSpan().ContainsAny('\r', '\n', '\0')
        && probe.Headers.TryAddWithoutValidation(name, value);
}

/// <summary>Generated from the annotations and <see cref="FetchOptions.Validate"/>.</summary>
[OptionsValidator]
internal sealed partial class FetchOptionsValidator : IValidateOptions<FetchOptions>;
