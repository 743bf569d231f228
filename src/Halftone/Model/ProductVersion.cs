using System.Reflection;

namespace Halftone.Model;

/// <summary>The version of this program, such as <c>0.1.0</c>, for the User-Agent of every request it sends.</summary>
internal static class ProductVersion
{
    public static string Value { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
