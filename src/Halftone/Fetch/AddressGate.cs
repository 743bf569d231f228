using System.Net;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>The decision about one address.</summary>
internal enum AddressVerdict
{
    /// <summary>Never connected to.</summary>
    Refused,

    /// <summary>On the public internet: allowed on the ports of <see cref="FetchOptions.Ports"/>.</summary>
    Public,

    /// <summary>In a network of <see cref="FetchOptions.AllowNetworks"/>: allowed on every port.</summary>
    Opened,
}

/// <summary>Combines <see cref="PublicAddress"/> with the networks that the operator allowed.</summary>
internal sealed class AddressGate(IOptions<FetchOptions> options)
{
    private readonly AddressBlock[] opened = [.. options.Value.AllowNetworks.Select(AddressBlock.Parse)];

    /// <summary>
    /// A metadata address is allowed only if it was named itself: someone who allows 169.254.0.0/16 or 0.0.0.0/0 for a
    /// file server did not think of the credentials served there.
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
