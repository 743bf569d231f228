using System.Net;
using System.Net.Sockets;

namespace Halftone.Fetch;

/// <summary>
/// Addresses that may be called by default: those of the public internet. Everything in the IANA special-purpose
/// registries is refused, even the few entries marked globally reachable (anycast of AS112, AMT, PCP, TURN), because no
/// shop's image is served there. Source: iana-ipv4-special-registry, iana-ipv6-special-registry and the multicast
/// registries, read in 2026; ranges that IANA adds belong in these tables.
/// </summary>
internal static class PublicAddress
{
    /// <summary>IPv4, in either notation.</summary>
    private static readonly AddressBlock[] SpecialIPv4 =
    [
        AddressBlock.Parse("0.0.0.0/8"),          // "this network", RFC 791 section 3.2; 0.0.0.0 itself reaches loopback on Linux
        AddressBlock.Parse("10.0.0.0/8"),         // private use, RFC 1918
        AddressBlock.Parse("100.64.0.0/10"),      // shared address space behind carriers' NAT, RFC 6598
        AddressBlock.Parse("127.0.0.0/8"),        // loopback, RFC 1122 section 3.2.1.3
        AddressBlock.Parse("169.254.0.0/16"),     // link local, RFC 3927
        AddressBlock.Parse("172.16.0.0/12"),      // private use, RFC 1918
        AddressBlock.Parse("192.0.0.0/24"),       // IETF protocol assignments, RFC 6890 section 2.1 (with RFC 7335, 7600, 7723, 8155, 7050)
        AddressBlock.Parse("192.0.2.0/24"),       // documentation, RFC 5737
        AddressBlock.Parse("192.31.196.0/24"),    // AS112-v4, RFC 7535
        AddressBlock.Parse("192.52.193.0/24"),    // AMT, RFC 7450
        AddressBlock.Parse("192.88.99.0/24"),     // 6to4 relay anycast, deprecated, RFC 7526; 6a44 relay, RFC 6751
        AddressBlock.Parse("192.168.0.0/16"),     // private use, RFC 1918
        AddressBlock.Parse("192.175.48.0/24"),    // direct delegation AS112, RFC 7534
        AddressBlock.Parse("198.18.0.0/15"),      // benchmarking, RFC 2544
        AddressBlock.Parse("198.51.100.0/24"),    // documentation, RFC 5737
        AddressBlock.Parse("203.0.113.0/24"),     // documentation, RFC 5737
        AddressBlock.Parse("224.0.0.0/4"),        // multicast, RFC 5771
        AddressBlock.Parse("240.0.0.0/4"),        // reserved, RFC 1112 section 4, with limited broadcast, RFC 8190 and RFC 919
    ];

    /// <summary>
    /// The only part of IPv6 that is assigned as global unicast, RFC 4291 section 2.4 and RFC 3587. Everything outside
    /// is refused: unspecified and loopback (RFC 4291), IPv4-compatible ::/96 (deprecated there), NAT64 for local use
    /// 64:ff9b:1::/48 (RFC 8215), discard 100::/64 (RFC 6666), dummy 100:0:0:1::/64 (RFC 9780), segment routing
    /// 5f00::/16 (RFC 9602), unique local fc00::/7 (RFC 4193), link local fe80::/10 (RFC 4291), site local fec0::/10
    /// (RFC 3879), multicast ff00::/8 (RFC 4291).
    /// </summary>
    private static readonly AddressBlock GlobalUnicast = AddressBlock.Parse("2000::/3");

    /// <summary>Special ranges inside <see cref="GlobalUnicast"/>.</summary>
    private static readonly AddressBlock[] SpecialIPv6 =
    [
        AddressBlock.Parse("2001::/23"),          // IETF protocol assignments, RFC 2928: Teredo 2001::/32 (RFC 4380), PCP, TURN and
                                                  // DNS-SD SRP anycast (RFC 7723, 8155, 9665), benchmarking 2001:2::/48 (RFC 5180),
                                                  // AMT 2001:3::/32 (RFC 7450), AS112 2001:4:112::/48 (RFC 7535), ORCHID 2001:10::/28
                                                  // (RFC 4843), ORCHIDv2 2001:20::/28 (RFC 7343), drone tags 2001:30::/28 (RFC 9374)
        AddressBlock.Parse("2001:db8::/32"),      // documentation, RFC 3849
        AddressBlock.Parse("2002::/16"),          // 6to4, RFC 3056: carries any IPv4 address, private ones too
        AddressBlock.Parse("2620:4f:8000::/48"),  // direct delegation AS112, RFC 7534
        AddressBlock.Parse("3fff::/20"),          // documentation, RFC 9637
    ];

    /// <summary>
    /// NAT64's well-known prefix, RFC 6052 section 2.1. An IPv6-only network reaches every IPv4 shop through it, so it
    /// is as public as the IPv4 address in its last 32 bits.
    /// </summary>
    private static readonly AddressBlock Nat64 = AddressBlock.Parse("64:ff9b::/96");

    private static readonly AddressBlock Nat64Local = AddressBlock.Parse("64:ff9b:1::/48");
    private static readonly AddressBlock SixToFour = AddressBlock.Parse("2002::/16");
    private static readonly AddressBlock Teredo = AddressBlock.Parse("2001::/32");
    private static readonly AddressBlock Compatible = AddressBlock.Parse("::/96");

    /// <summary>
    /// Addresses at which clouds give a machine its identity and credentials. Some are in networks that an operator
    /// allows for good reasons, one is a public address.
    /// </summary>
    private static readonly AddressBlock[] Metadata =
    [
        AddressBlock.Parse("169.254.169.254"),    // AWS, Azure, Google, Oracle, DigitalOcean, Hetzner, OpenStack and others
        AddressBlock.Parse("169.254.169.253"),    // AWS name server
        AddressBlock.Parse("169.254.170.2"),      // AWS ECS task credentials
        AddressBlock.Parse("169.254.170.23"),     // AWS EKS pod identity
        AddressBlock.Parse("fd00:ec2::254"),      // AWS over IPv6
        AddressBlock.Parse("fd00:ec2::253"),      // AWS name server over IPv6
        AddressBlock.Parse("fd00:ec2::23"),       // AWS EKS pod identity over IPv6
        AddressBlock.Parse("fd20:ce::254"),       // Google over IPv6
        AddressBlock.Parse("168.63.129.16"),      // Azure's host agent, a public address
        AddressBlock.Parse("100.100.100.200"),    // Alibaba
        AddressBlock.Parse("169.254.0.23"),       // Tencent
        AddressBlock.Parse("169.254.42.42"),      // Scaleway
        AddressBlock.Parse("fd00:42::42"),        // Scaleway over IPv6
        AddressBlock.Parse("192.0.0.192"),        // Oracle, older shapes
    ];

    /// <summary>True for an address on the public internet that may be called. An address with a zone ID never is.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 })
        {
            return false;
        }

        var bits = AddressBlock.Bits(address);
        return !IsMetadata(bits) && IsPublic(bits);
    }

    /// <summary>True for a cloud metadata address, including one embedded in NAT64, 6to4, Teredo or IPv4-compatible IPv6.</summary>
    public static bool IsMetadata(UInt128 address) =>
        Contains(Metadata, address) || (EmbeddedIPv4(address) is { } inner && Contains(Metadata, inner));

    private static bool IsPublic(UInt128 address)
    {
        if (AddressBlock.IsIPv4(address))
        {
            return !Contains(SpecialIPv4, address);
        }

        return Nat64.Contains(address)
            ? IsPublic(EmbeddedIPv4(address)!.Value)
            : GlobalUnicast.Contains(address) && !Contains(SpecialIPv6, address);
    }

    private static UInt128? EmbeddedIPv4(UInt128 address) => address switch
    {
        _ when Nat64.Contains(address) || Nat64Local.Contains(address) || Compatible.Contains(address) =>
            AddressBlock.MappedFrom((uint)address),
        _ when SixToFour.Contains(address) => AddressBlock.MappedFrom((uint)(address >> 80)),
        _ when Teredo.Contains(address) => AddressBlock.MappedFrom(~(uint)address), // RFC 4380 section 4: the client's address, inverted
        _ => null,
    };

    private static bool Contains(AddressBlock[] blocks, UInt128 address)
    {
        foreach (var block in blocks)
        {
            if (block.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
