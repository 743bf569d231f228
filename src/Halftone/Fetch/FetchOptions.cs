using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>Section <c>Fetch</c>: what may be called, how long and how much of it. The guard applies to webhooks too.</summary>
internal sealed class FetchOptions : IValidatableObject
{
    private static readonly int[] DefaultPorts = [80, 443, 8080, 8443];
    private static readonly TimeSpan[] DefaultRetrySchedule = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20)];

    /// <summary>
    /// Networks that may be called although they are not of the public internet, on every port; CIDR (<c>10.0.0.0/8</c>,
    /// <c>fd00::/8</c>) or one address. None by default. Cloud metadata addresses stay closed unless named themselves.
    /// </summary>
    public string[] AllowNetworks { get; set; } = [];

    /// <summary>Ports that may be called on public addresses, 1 to 65535; unset means 80, 443, 8080 and 8443. A list replaces these.</summary>
    // Null and not a default list: the configuration binder appends to a list that is there, and nobody could close a port.
    public int[]? Ports { get; set; }

    /// <summary>From the name to an open TCP connection, and as long again for TLS; 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// From connect to last byte over all redirects of one attempt; 30 s. Waiting inside Halftone, for a host's turn or for
    /// memory, does not count.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Least speed of a body, bytes per second averaged over <see cref="SpeedWindow"/>; 1024. 0 switches it off.</summary>
    [Range(0, 1 << 30)]
    public int MinBytesPerSecond { get; set; } = 1024;

    /// <summary>From the first body byte until speed is measured; 5 s.</summary>
    internal TimeSpan SpeedGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a body may stay below <see cref="MinBytesPerSecond"/>; 10 s.</summary>
    internal TimeSpan SpeedWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest body in bytes, counted after content decoding; 64 MiB.</summary>
    [Range(1, 1 << 30)]
    public int MaxBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Bytes of bodies in memory for the whole process, from download until compressed; 128 MiB. At least twice
    /// <see cref="MaxBytes"/>, so that one long body leaves room for others: see <see cref="ByteBudget"/>.
    /// </summary>
    [Range(typeof(long), "131072", "1099511627776")]
    public long BudgetBytes { get; set; } = 128L << 20;

    /// <summary>Longest response headers in KiB; 32.</summary>
    internal int MaxHeaderKiB { get; set; } = 32;

    /// <summary>Redirects followed per attempt; 5. 0 follows none.</summary>
    internal int MaxRedirects { get; set; } = 5;

    /// <summary>Waits before the second attempt at an image and each one after; unset means 1 s, 5 s, 20 s. An empty list cannot be given.</summary>
    public TimeSpan[]? RetrySchedule { get; set; }

    /// <summary>Longest <c>Retry-After</c> that is obeyed; a longer one counts as this; 60 s.</summary>
    internal TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Who runs this Halftone: a URL or mail address that origins find in the User-Agent, <c>Halftone/VERSION (+CONTACT)</c>.
    /// None by default.
    /// </summary>
    [RegularExpression("[!-'*-~]{1,200}", ErrorMessage = "Fetch:Contact must be a URL or mail address without spaces or parentheses.")]
    public string? Contact { get; set; }

    /// <summary>
    /// Extra request headers by host name, such as <c>Fetch:HostHeaders:cdn.example.com:Authorization</c>. Sent to that very
    /// host only, on every port, and not after a redirect from https down to http.
    /// </summary>
    public Dictionary<string, Dictionary<string, string>> HostHeaders { get; set; } = [];

    /// <summary>Requests at once to a host, whatever it answers; 4.</summary>
    [Range(1, 1024)]
    public int MinPerHost { get; set; } = 4;

    /// <summary>Requests at once to a host that answers well; 64.</summary>
    [Range(1, 1024)]
    public int MaxPerHost { get; set; } = 64;

    /// <summary>
    /// How long an image that waits for its host, for its turn or its answer, keeps its place among <c>Queue:Prefetch</c> before it gives it
    /// to another; 0.25 s.
    /// </summary>
    internal TimeSpan HoldPlace { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>
    /// How long a request may run before it no longer counts among those at once to its host, so that a few bad URLs do not hold up the host's
    /// good ones; 2 s. At most <see cref="MinPerHost"/> such requests are lent, or up to <see cref="MaxPerHost"/> in all while the host answers others.
    /// </summary>
    internal TimeSpan SlowAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Failures to resolve or connect in a row after which a host is left alone for a while; 4.</summary>
    internal int BreakerThreshold { get; set; } = 4;

    /// <summary>How long a host is left alone the first time; doubled at every failed try after that, up to six times; 1 s.</summary>
    internal TimeSpan BreakerPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long after its first failure a host's images are still retried; 15 s. After that they fail for good at once, so
    /// that a dead host does not hold up a request, while a restart of the host costs no image.
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
            yield return new ValidationResult($"Fetch:MinPerHost ({MinPerHost}) must not be above Fetch:MaxPerHost ({MaxPerHost}).", [nameof(MinPerHost), nameof(MaxPerHost)]);
        }

        if (ConnectTimeout > AttemptTimeout)
        {
            yield return new ValidationResult($"Fetch:ConnectTimeout ({ConnectTimeout}) must not be above Fetch:AttemptTimeout ({AttemptTimeout}).", [nameof(ConnectTimeout), nameof(AttemptTimeout)]);
        }

        var leastBudget = 2L * MaxBytes;
        if (BudgetBytes < leastBudget)
        {
            yield return new ValidationResult($"Fetch:BudgetBytes ({BudgetBytes}) must be at least {leastBudget}, twice Fetch:MaxBytes ({MaxBytes}).", [nameof(BudgetBytes), nameof(MaxBytes)]);
        }

        foreach (var (host, headers) in HostHeaders)
        {
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            {
                yield return new ValidationResult($"Fetch:HostHeaders: \"{host}\" must be a host name without scheme, port or path.", [nameof(HostHeaders)]);
            }

            if (headers is not { Count: > 0 })
            {
                yield return new ValidationResult($"Fetch:HostHeaders:{host}: names no header.", [nameof(HostHeaders)]);
                continue;
            }

            using var probe = new HttpRequestMessage();
            foreach (var (name, value) in headers)
            {
                if (!IsHeader(probe, name, value))
                {
                    // The value may be a secret: it is not repeated.
                    yield return new ValidationResult($"Fetch:HostHeaders:{host}: \"{name}\" must be a request header's name with a value in one line.", [nameof(HostHeaders)]);
                }
            }
        }
    }

    /// <summary>Framing and Host are not for configuration: with them a request could be smuggled into another.</summary>
    private static bool IsHeader(HttpRequestMessage probe, string name, string value) =>
        name.ToUpperInvariant() is not ("HOST" or "CONNECTION" or "TRANSFER-ENCODING" or "CONTENT-LENGTH" or "EXPECT" or "UPGRADE" or "TE")
        && !value.AsSpan().ContainsAny('\r', '\n', '\0')
        && probe.Headers.TryAddWithoutValidation(name, value);
}

/// <summary>The annotations and <see cref="FetchOptions.Validate"/>, generated.</summary>
[OptionsValidator]
internal sealed partial class FetchOptionsValidator : IValidateOptions<FetchOptions>;
