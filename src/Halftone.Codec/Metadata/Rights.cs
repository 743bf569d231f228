using System.Security;
using System.Text;

namespace Halftone.Codec.Metadata;

/// <summary>
/// Who made a picture and under which terms it may be used, and whether a machine made it: the only metadata that survives compression.
/// Removing the label of AI-made pictures is forbidden by marketplaces, and removing copyright information by law in places.
/// </summary>
internal sealed record Rights
{
    /// <summary>Characters of one value; longer ones are cut.</summary>
    private const int MostCharacters = 1_000, MostCreators = 10;

    public string? Copyright { get; private set; }

    public IReadOnlyList<string> Creators { get; private set; } = [];

    public string? Credit { get; private set; }

    /// <summary>A web address with the licence's text.</summary>
    public string? WebStatement { get; private set; }

    public string? UsageTerms { get; private set; }

    public string? License { get; private set; }

    /// <summary>IPTC's word for where the picture came from, such as <c>…/trainedAlgorithmicMedia</c>.</summary>
    public string? DigitalSourceType { get; private set; }

    public bool IsEmpty =>
        Creators.Count == 0 && (Copyright ?? Credit ?? WebStatement ?? UsageTerms ?? License ?? DigitalSourceType) is null;

    /// <summary>Takes a value where there is none yet: what is read first counts.</summary>
    /// <param name="name">A property's name as XMP writes it, with its usual prefix.</param>
    /// <param name="values">One, or more for creators.</param>
    public void Take(string name, params IReadOnlyList<string> values)
    {
        List<string> clean = [.. values.Select(Clean).Where(value => value.Length > 0).Take(MostCreators)];
        if (clean is not [var first, ..])
        {
            return;
        }

        switch (name)
        {
            case "dc:rights":
                Copyright ??= first;
                break;
            case "dc:creator" when Creators.Count == 0:
                Creators = clean;
                break;
            case "photoshop:Credit":
                Credit ??= first;
                break;
            case "xmpRights:WebStatement":
                WebStatement ??= first;
                break;
            case "xmpRights:UsageTerms":
                UsageTerms ??= first;
                break;
            case "cc:license":
                License ??= first;
                break;
            case "Iptc4xmpExt:DigitalSourceType":
                DigitalSourceType ??= first;
                break;
        }
    }

    /// <summary>A minimal XMP packet (ISO 16684-1) in UTF-8; empty where there is nothing to say.</summary>
    public byte[] ToXmp()
    {
        if (IsEmpty)
        {
            return [];
        }

        var attributes = new StringBuilder();
        var elements = new StringBuilder();
        if (Creators.Count > 0 || Copyright is not null)
        {
            attributes.Append(" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"");
        }

        Attribute("photoshop", "http://ns.adobe.com/photoshop/1.0/", "Credit", Credit);
        if (UsageTerms is not null && WebStatement is null)
        {
            attributes.Append(" xmlns:xmpRights=\"http://ns.adobe.com/xap/1.0/rights/\"");
        }

        Attribute("xmpRights", "http://ns.adobe.com/xap/1.0/rights/", "WebStatement", WebStatement);
        Attribute("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourceType", DigitalSourceType);
        if (License is not null)
        {
            attributes.Append(" xmlns:cc=\"http://creativecommons.org/ns#\"");
            elements.Append($"<cc:license rdf:resource=\"{SecurityElement.Escape(License)}\"/>");
        }

        Text("dc:rights", Copyright);
        Text("xmpRights:UsageTerms", UsageTerms);
        if (Creators.Count > 0)
        {
            elements
                .Append("<dc:creator><rdf:Seq>")
                .AppendJoin("", Creators.Select(creator => $"<rdf:li>{SecurityElement.Escape(creator)}</rdf:li>"))
                .Append("</rdf:Seq></dc:creator>");
        }

        return Encoding.UTF8.GetBytes(
            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
            + $"<rdf:Description rdf:about=\"\"{attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>");

        void Attribute(string prefix, string space, string name, string? value)
        {
            if (value is not null)
            {
                attributes.Append($" xmlns:{prefix}=\"{space}\" {prefix}:{name}=\"{SecurityElement.Escape(value)}\"");
            }
        }

        void Text(string name, string? value)
        {
            if (value is not null)
            {
                elements.Append(
                    $"<{name}><rdf:Alt><rdf:li xml:lang=\"x-default\">{SecurityElement.Escape(value)}</rdf:li></rdf:Alt></{name}>");
            }
        }
    }

    /// <summary>One line of characters that XML may hold.</summary>
    private static string Clean(string value)
    {
        var clean = new StringBuilder();
        foreach (var rune in value.EnumerateRunes())
        {
            if (clean.Length >= MostCharacters)
            {
                break;
            }

            clean.Append(Rune.IsControl(rune) || rune.Value is 0xFFFE or 0xFFFF or 0xFFFD ? " " : rune.ToString());
        }

        return clean.ToString().Trim();
    }
}
