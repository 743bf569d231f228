using System.Net;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Tables;
using Markdig.Renderers;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Halftone.Api.Docs;

/// <summary>A Markdown file of the folder docs as HTML, rendered by Markdig with the anchors that GitHub gives to headings.</summary>
/// <param name="Title">Text of the first heading, HTML-encoded.</param>
/// <param name="Body">The rendered file, without head and navigation.</param>
internal sealed record MarkdownPage(string Title, string Body)
{
    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).DisableHtml().Build();

    /// <summary>Reads and renders a file.</summary>
    /// <param name="file">Full path.</param>
    /// <param name="folder">The served folder. A link to a file outside it becomes plain text, because the server cannot follow it.</param>
    public static async Task<MarkdownPage> ReadAsync(string file, string folder, CancellationToken cancellationToken)
    {
        var document = Markdown.Parse(await File.ReadAllTextAsync(file, cancellationToken), Pipeline);
        foreach (var link in document.Descendants<LinkInline>().Where(link => !IsAbsolute(link.Url!)).ToArray())
        {
            await RewriteAsync(link, file, folder, cancellationToken);
        }

        using var html = new StringWriter();
        var renderer = new HtmlRenderer(html);
        Pipeline.Setup(renderer);
        renderer.ObjectRenderers.Replace<HtmlTableRenderer>(new ScrollingTable());
        renderer.Render(document);
        var heading = document.Descendants<HeadingBlock>().First().Inline!.Descendants<LiteralInline>();
        return new MarkdownPage(WebUtility.HtmlEncode(string.Concat(heading.Select(text => text.Content.ToString()))), html.ToString());
    }

    private static bool IsAbsolute(string url) =>
        url.StartsWith('#') || url.Contains("://", StringComparison.Ordinal) || url.StartsWith("mailto:", StringComparison.Ordinal);

    /// <summary>Pages are served under their names without <c>.md</c>. A drawing becomes part of the page.</summary>
    private static async Task RewriteAsync(LinkInline link, string file, string folder, CancellationToken cancellationToken)
    {
        var path = link.Url!.Split('#')[0];
        var target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, path));
        if (!target.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(target))
        {
            link.ReplaceBy(new ContainerInline(), copyChildren: true);
        }
        else if (link.IsImage)
        {
            var drawing = await File.ReadAllTextAsync(target, cancellationToken);
            link.ReplaceBy(new HtmlInline($"<figure tabindex=\"0\">{drawing}</figure>"), copyChildren: false);
        }
        else if (path.EndsWith(".md", StringComparison.Ordinal))
        {
            link.Url = path[..^".md".Length] + link.Url[path.Length..];
        }
    }

    /// <summary>A wide table scrolls on its own, also with the keyboard.</summary>
    private sealed class ScrollingTable : HtmlTableRenderer
    {
        protected override void Write(HtmlRenderer renderer, Table table)
        {
            renderer.Write("<div class=\"scroll\" tabindex=\"0\">");
            base.Write(renderer, table);
            renderer.WriteLine("</div>");
        }
    }
}
