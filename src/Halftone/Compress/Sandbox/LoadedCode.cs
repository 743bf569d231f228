using System.Reflection;

namespace Halftone.Compress.Sandbox;

/// <summary>Loads what a child may need later: behind the sandbox no file can be opened, an assembly neither.</summary>
internal static class LoadedCode
{
    /// <summary>Loads an assembly's references, and theirs, without end.</summary>
    public static void LoadReferences(Assembly start)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var left = new Stack<Assembly>([start]);
        while (left.TryPop(out var assembly))
        {
            foreach (var name in assembly.GetReferencedAssemblies().Where(name => seen.Add(name.Name!)))
            {
                left.Push(Assembly.Load(name));
            }
        }
    }
}
