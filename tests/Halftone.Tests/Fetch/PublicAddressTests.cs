using System.Globalization;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Fetch;

namespace Halftone.Tests.Fetch;

public class PublicAddressTests
{
    /// <summary>First and last address of every refused range, with the neighbours outside where those are public.</summary>
    public static TheoryData<string, string, string?, string?> Ranges => new()
    {
        // first, last, the address before, the address after (null: refused as well)
        { "0.0.0.0", "0.255.255.255", null, "1.0.0.0" },
        { "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
        { "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0" },
        { "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0" },
        { "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0" },
        { "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0" },
        { "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0" },
        { "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0" },
        { "192.31.196.0", "192.31.196.255", "192.31.195.255", "192.31.197.0" },
        { "192.52.193.0", "192.52.193.255", "192.52.192.255", "192.52.194.0" },
        { "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0" },
        { "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0" },
        { "192.175.48.0", "192.175.48.255", "192.175.47.255", "192.175.49.0" },
        { "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0" },
        { "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0" },
        { "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0" },
        { "224.0.0.0", "239.255.255.255", "223.255.255.255", null },
        { "240.0.0.0", "255.255.255.255", null, null },
        { "168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17" },
        { "::", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", null, "64:ff9b::808:808" },
        { "64:ff9b::1:0:0", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::dfff:ffff", "2000::" },
        { "64:ff9b::a00:0", "64:ff9b::aff:ffff", "64:ff9b::9ff:ffff", "64:ff9b::b00:0" },
        { "64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe", null, null },
        { "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::" },
        { "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
        { "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::" },
        { "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::" },
        { "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::" },
        { "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Both_ends_of_a_special_range_are_refused_and_its_public_neighbours_are_not(
        string first, string last, string? before, string? after)
    {
        Assert.False(PublicAddress.IsPublic(IPAddress.Parse(first)));
        Assert.False(PublicAddress.IsPublic(IPAddress.Parse(last)));
        Assert.True(before is null || PublicAddress.IsPublic(IPAddress.Parse(before)));
        Assert.True(after is null || PublicAddress.IsPublic(IPAddress.Parse(after)));
    }

    [Theory]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("64:ff9b::127.0.0.1")]
    [InlineData("64:ff9b:1::8.8.8.8")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%2")]
    [InlineData("2606:4700::1111%2")]
    [InlineData("fec0::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("ff02::1")]
    [InlineData("100::1")]
    [InlineData("5f00::1")]
    [InlineData("255.255.255.255")]
    public void An_address_that_is_not_of_the_public_internet_is_refused(string address) =>
        Assert.False(PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001:81b::200e")]
    public void An_address_of_the_public_internet_is_allowed(string address) =>
        Assert.True(PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public void Every_address_is_judged_as_a_second_reading_of_the_registries_judges_it()
    {
        var edges = Ranges.SelectMany(row =>
            new[] { row.Data.Item1, row.Data.Item2 }).Concat(SecondReading.Blocks.Select(block => block.Split('/')[0]))
            .Select(text => AddressBlock.Bits(IPAddress.Parse(text))).Distinct().ToArray();
        var near = Gen.Elements(edges).Zip(Gen.Choose(-3, 3), Add);
        var bytes = Gen.Choose(0, 255).Select(value => (byte)value);
        var anyIPv4 = bytes.ArrayOf(4).Select(octets => AddressBlock.Bits(new IPAddress(octets)));
        var anyIPv6 = bytes.ArrayOf(16).Select(octets => AddressBlock.Bits(new IPAddress(octets)));
        var global = anyIPv6.Select(bits => (bits >> 3) | (UInt128.One << 125));
        var wrapped = Gen.Elements("64:ff9b::", "64:ff9b:1::", "::", "2002::").Zip(anyIPv4, (outer, inner) =>
            AddressBlock.Bits(IPAddress.Parse(outer)) | ((UInt128)(uint)inner << (outer == "2002::" ? 80 : 0)));
        var addresses = Gen.OneOf(near, anyIPv4, anyIPv6, global, wrapped).Select(ToAddress);

        Prop.ForAll(Arb.From(addresses), address => PublicAddress.IsPublic(address) == SecondReading.IsPublic(address))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
    }

    [Fact]
    public void The_second_reading_agrees_on_both_edges_of_all_its_blocks()
    {
        foreach (var block in SecondReading.Blocks)
        {
            var network = IPNetwork.Parse(block);
            var first = AddressBlock.Bits(network.BaseAddress);
            var hostBits = (network.BaseAddress.GetAddressBytes().Length * 8) - network.PrefixLength;
            var last = first | (hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1);
            foreach (var bits in new[] { first - 1, first, last, last + 1 })
            {
                var address = ToAddress(bits);
                Assert.True(PublicAddress.IsPublic(address) == SecondReading.IsPublic(address), address.ToString());
            }
        }
    }

    private static UInt128 Add(UInt128 bits, int offset) => offset < 0 ? bits - (UInt128)(-offset) : bits + (UInt128)offset;

    private static IPAddress ToAddress(UInt128 bits)
    {
        var text = string.Join(':', bits.ToString("x32", CultureInfo.InvariantCulture).Chunk(4).Select(group => new string(group)));
        var address = IPAddress.Parse(text);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    /// <summary>
    /// The registries written down a second time, as the tables stand there, and judged by the platform's own IPNetwork:
    /// it shares neither data nor arithmetic with the product.
    /// </summary>
    private static class SecondReading
    {
        public static readonly string[] Blocks =
        [
            "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32",
            "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
            "224.0.0.0/4", "168.63.129.16/32",
            "::1/128", "::/128", "::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128",
            "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28",
            "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
            "fec0::/10", "ff00::/8",
        ];

        private static readonly IPNetwork[] Networks = [.. Blocks.Select(IPNetwork.Parse)];

        public static bool IsPublic(IPAddress address)
        {
            if (address.IsIPv4MappedToIPv6)
            {
                address = address.MapToIPv4();
            }

            var octets = address.GetAddressBytes();
            if (octets.Length == 16 && new IPAddress(octets[..12].Concat(new byte[4]).ToArray()).ToString() == "64:ff9b::")
            {
                return IsPublic(new IPAddress(octets[12..]));
            }

            return !Networks.Any(network => network.Contains(address)) && (octets.Length == 4 || octets[0] is >= 0x20 and <= 0x3f);
        }
    }
}
