namespace Halftone.Compress.Sandbox;

/// <summary>A working folder that is gone: it holds nothing, and nothing can be put into it.</summary>
internal static class EmptyFolder
{
    private const string Root = "/";

    /// <summary>Makes a folder, enters it and removes it; where none can be made, the working folder is the root.</summary>
    public static void Enter()
    {
        try
        {
            var folder = Directory.CreateTempSubdirectory("halftone-empty-").FullName;
            Directory.SetCurrentDirectory(folder);
            Directory.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Directory.SetCurrentDirectory(Root);
        }
    }
}
