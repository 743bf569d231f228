using System.Net;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>What the gate says of one address.</summary>
internal enum AddressVerdict
{
    /// <summary>Never connected to.</summary>
    Refused,

    /// <summary>Of the public internet: connected to on the ports of <see cref="FetchOptions.Ports"/>.</summary>
    Public,

    /// <summary>In a network of <see cref="FetchOptions.AllowNetworks"/>: connected to on every port.</summary>
    Opened,
}

/// <summary><see cref="PublicAddress"/> and what the operator opened beside it.</summary>
internal sealed class AddressGate(IOptions<FetchOptions> options)
{
    private readonly AddressBlock[] opened = [.. options.Value.AllowNetworks.Select(AddressBlock.Parse)];

    /// <summary>
    /// A metadata address is open only where it was named itself: who opens 169.254.0.0/16 or 0.0.0.0/0 for a file server
    /// did not think of the keys that stand there too.
    /// </summary>
    public AddressVerdict Judge(IPAddress address)
    {
        var bits = AddressBlock.Bits(address);
        var mustBeNamed = PublicAddress.IsMetadata(bits);
        foreach (var block in opened)
        {
            if (block.Contains(bits) && (block.IsOneAddress || !mustBeNamed))
            {
                return AddressVerdict.Opened;
            }
        }

        return PublicAddress.IsPublic(address) ? AddressVerdict.Public : AddressVerdict.Refused;
    }
}
