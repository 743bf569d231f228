namespace Halftone.Servers;

/// <summary>A server's programs are not on this machine; the message says how they are had.</summary>
internal sealed class NotInstalledException(string message) : Exception(message)
{
    public static void ThrowUnless(bool isInstalled, string server, string packages)
    {
        if (!isInstalled)
        {
            throw new NotInstalledException(
                $"{server} is not installed (Debian: apt-get install --no-install-recommends {packages}, or ./test).");
        }
    }
}
