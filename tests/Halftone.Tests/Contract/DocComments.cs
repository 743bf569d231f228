using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Halftone.Tests.Contract;

/// <summary>The doc comments of the product, which the compiler writes beside it, as Markdown.</summary>
internal sealed partial class DocComments
{
    private readonly Dictionary<string, XElement> members = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "halftone.xml"))
        .Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    public string? Summary(Type type) => Text(Of(type)?.Element("summary"));

    public string? Summary(PropertyInfo property) => Text(Of(property)?.Element("summary")) ?? Parameter(Of(property.DeclaringType!), property.Name);

    /// <summary>An example of the property. A backslash at the end of a line joins it with the next.</summary>
    /// <returns>The text, and whether it has no place beside the examples of the other properties.</returns>
    public (string Text, bool IsApart)? Example(PropertyInfo property) =>
        Of(property)?.Element("example") is { } example ? (Continued().Replace(example.Value.Trim(), ""), (bool?)example.Attribute("apart") == true)
        : ParameterOf(Of(property.DeclaringType!), property.Name)?.Attribute("example") is { } attribute ? (attribute.Value, false)
        : null;

    public string? Summary(MethodInfo method) => Text(Of(method)?.Element("summary"));

    public string? Remarks(MethodInfo method) => Text(Of(method)?.Element("remarks"));

    public (string Description, string Example)? Parameter(MethodInfo method, string name) =>
        Parameter(Of(method), name) is { } description ? (description, ParameterOf(Of(method), name)!.Attribute("example")!.Value) : null;

    /// <summary>The body of a successful answer that is no JSON.</summary>
    public string? Example(MethodInfo method) =>
        Of(method)?.Element("example") is { } example ? string.Join('\n', Continued().Replace(example.Value.Trim(), "").Split('\n').Select(line => line.Trim())) + "\n" : null;

    /// <summary>The answers that are no problems: status, what it means, and the headers that come with it.</summary>
    public IEnumerable<(string Status, string Description, string[] Headers)> Responses(MethodInfo method) =>
        (Of(method)?.Elements("response") ?? []).Select(response => (
            response.Attribute("code")!.Value,
            Text(response)!,
            response.Attribute("headers")?.Value.Split(',') ?? []));

    private XElement? Of(Type type) => members.GetValueOrDefault("T:" + type.FullName);

    private XElement? Of(PropertyInfo property) => members.GetValueOrDefault($"P:{property.DeclaringType!.FullName}.{property.Name}");

    /// <summary>Endpoints are not overloaded, so the list of parameters need not be spelled out.</summary>
    private XElement? Of(MethodInfo method)
    {
        var name = $"M:{method.DeclaringType!.FullName}.{method.Name}";
        return members.GetValueOrDefault(name) ?? members.SingleOrDefault(member => member.Key.StartsWith(name + "(", StringComparison.Ordinal)).Value;
    }

    private static string? Parameter(XElement? member, string name) => Text(ParameterOf(member, name));

    private static XElement? ParameterOf(XElement? member, string name) =>
        member?.Elements("param").FirstOrDefault(param => string.Equals(param.Attribute("name")!.Value, name, StringComparison.OrdinalIgnoreCase));

    private static string? Text(XElement? element)
    {
        if (element is null)
        {
            return null;
        }

        var text = string.Concat(element.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            XElement other => other.Value,
            XText plain => plain.Value,
            _ => "",
        }));
        return Space().Replace(text, " ").Trim();
    }

    [GeneratedRegex(@"\\\r?\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
