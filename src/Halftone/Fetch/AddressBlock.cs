using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Halftone.Fetch;

/// <summary>
/// A CIDR block. IPv4 shares the 128-bit space of IPv6, under <c>::ffff:0:0/96</c> (RFC 4291, 2.5.5.2), so that an IPv4
/// address and its IPv4-mapped notation are one value, and no rule can be bypassed by writing one as the other.
/// </summary>
/// <param name="First">The lowest address, host bits zero.</param>
/// <param name="PrefixLength">0 to 128; for an IPv4 block, 96 more than as written.</param>
internal readonly record struct AddressBlock(UInt128 First, int PrefixLength)
{
    private const int MappedPrefixLength = 96;

    /// <summary>True if the block is a single address: <c>/32</c> in IPv4, <c>/128</c> in IPv6.</summary>
    public bool IsOneAddress => PrefixLength == 128;

    /// <summary>An IPv6 block wide enough to contain the mapped range (<c>::/0</c>) does not apply to IPv4.</summary>
    public bool Contains(UInt128 address) =>
        (address & Mask(PrefixLength)) == First && (PrefixLength >= MappedPrefixLength || !IsIPv4(address));

    /// <summary>The address as a number, most significant byte first; a zone ID is not part of it.</summary>
    public static UInt128 Bits(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var written))
        {
            throw new ArgumentException("neither IPv4 nor IPv6", nameof(address));
        }

        return written == 4
            ? MappedFrom(BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>True if the number is an IPv4 address mapped into IPv6.</summary>
    public static UInt128 MappedFrom(uint ipv4) => new(0, 0xffff_0000_0000ul | ipv4);

    /// <summary>True for IPv4 in either notation.</summary>
    public static bool IsIPv4(UInt128 address) => address >> 32 == 0xffff;

    /// <summary>A block from the tables in this folder.</summary>
    /// <exception cref="FormatException">The text is not a CIDR block.</exception>
    public static AddressBlock Parse(string text) =>
        TryParse(text, out var block, out var problem) ? block : throw new FormatException($"{text}: {problem}");

    /// <summary>
    /// Parses <c>10.0.0.0/8</c>, <c>fd00::/8</c>, or one address without a slash. IPv4 must be written as four decimal
    /// numbers: the shorter notations that .NET accepts (<c>10</c> is 0.0.0.10) would open something else than
    /// intended.
    /// </summary>
    public static bool TryParse(string? text, out AddressBlock block, [NotNullWhen(false)] out string? problem)
    {
        block = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        var addressText = slash < 0 ? text : text![..slash];
        if (!IPAddress.TryParse(addressText, out var address) || address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 }
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != addressText))
        {
            problem = "must be a network such as 10.0.0.0/8 or fd00::/8, or one address";
            return false;
        }

        var isIPv4 = address.AddressFamily == AddressFamily.InterNetwork;
        var longest = isIPv4 ? 32 : 128;
        var length = longest;
        if (slash >= 0
            && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > longest))
        {
            problem = $"the number after the slash must be 0 to {longest}";
            return false;
        }

        var prefixLength = isIPv4 ? MappedPrefixLength + length : length;
        var first = Bits(address);
        if ((first & Mask(prefixLength)) != first)
        {
            problem = "has bits set after the prefix";
            return false;
        }

        block = new AddressBlock(first, prefixLength);
        problem = null;
        return true;
    }

    private static UInt128 Mask(int prefixLength) => prefixLength == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - prefixLength);
}
