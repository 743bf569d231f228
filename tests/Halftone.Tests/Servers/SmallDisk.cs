using System.Diagnostics;

namespace Halftone.Tests.Servers;

/// <summary>A file system of a few MB, to fill it. Takes root.</summary>
internal static class SmallDisk
{
    /// <returns>False where it cannot be mounted here.</returns>
    public static async Task<bool> MountAsync(string folder, string size, CancellationToken cancellationToken) =>
        await RunAsync("mount", cancellationToken, "-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder) == 0;

    public static async Task UnmountAsync(string folder) =>
        Assert.Equal(0, await RunAsync("umount", CancellationToken.None, "--lazy", folder));

    /// <summary>Writes until the file system is full to the last block.</summary>
    public static void Fill(string path)
    {
        var block = new byte[4_096];
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static async Task<int> RunAsync(string program, CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode;
    }
}
