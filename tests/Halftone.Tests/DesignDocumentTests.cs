using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Tests.House;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>docs/design.md names every folder, message and column there is, and no other.</summary>
public sealed partial class DesignDocumentTests : IDisposable
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Script.Repository, "docs", "design.md"));
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-design-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_folder_is_listed_with_its_floor_and_classes_that_are_in_it()
    {
        var source = Path.Combine(Script.Repository, "src", "Halftone");
        var folders = Directory.EnumerateDirectories(source).ToDictionary(
            path => Path.GetFileName(path)!,
            path => Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToArray());
        var rows = Rows("Low-level design: floors").ToDictionary(row => Words(row[0]).Single(), row => (Floor: row[1], Classes: Words(row[3])));
        Assert.Equal(folders.Keys.Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.Equal(FloorOf(row.Key), row.Value.Floor));
        Assert.All(rows, row => Assert.All(row.Value.Classes, word =>
            Assert.Contains(folders[row.Key], text => Regex.IsMatch(text, $@"\b(class|interface|record|enum) {word}\b"))));
    }

    private static string FloorOf(string folder) =>
        (Array.FindIndex(Floors.BottomToTop, floor => floor.Contains(folder)) + 1).ToString(CultureInfo.InvariantCulture);

    [Fact]
    public void Every_message_is_listed_with_its_queue_and_members()
    {
        var messages = typeof(Message).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(Message))).Select(type =>
        {
            var members = MembersOf(type).SelectMany(member => member.PropertyType == typeof(OutputOptions) ? MembersOf(typeof(OutputOptions)) : [member])
                .Select(member => member.Name);
            return $"{type.Name} {((Message)RuntimeHelpers.GetUninitializedObject(type)).Queue}: {string.Join(' ', members)}";
        });
        var rows = Rows("Messages").Select(row => $"{Words(row[0]).Single()} {row[1]}: {string.Join(' ', Words(row[2]))}");
        Assert.Equal(messages.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<PropertyInfo> MembersOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(member => member.CanWrite);

    [Fact]
    public async Task Every_table_is_listed_and_drawn_with_its_columns()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var database = new SqliteDatabase(Path.Combine(folder, "halftone.db"));
        await new Migrator(database, TimeProvider.System).MigrateAsync(cancelled);
        var columns = await database.ReadAsync(connection => connection.QueryAsync<string>("SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"), cancelled);
        var rows = Rows("Tables").SelectMany(row => Words(row[2]).Select(column => $"{Words(row[0]).Single()}.{column}"));
        Assert.Equal(columns.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));

        var drawn = XDocument.Load(Path.Combine(Script.Repository, "docs", "images", "tables.svg")).Descendants()
            .Where(element => element.Name.LocalName == "text")
            .ToLookup(text => (string?)text.Attribute("class"), text => text.Value);
        var tables = columns.Select(column => column.Split('.')[0]).Distinct();
        Assert.Equal(tables.Order(StringComparer.Ordinal), drawn["title"].Order(StringComparer.Ordinal));
        var words = drawn["mono"].SelectMany(line => line.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(words.Except([.. columns.Select(column => column.Split('.')[1]), "key", "…"]));
    }

    [Fact]
    public Task The_drawings_are_what_their_script_draws() =>
        Script.PythonAsync("../../docs/images/draw.py", "--check", "", TestContext.Current.CancellationToken);

    /// <summary>The cells of the rows of a chapter's table.</summary>
    private static IEnumerable<string[]> Rows(string chapter)
    {
        var text = Document[Document.IndexOf($"## {chapter}\n", StringComparison.Ordinal)..];
        return text.Split("\n| --- ", 2)[1].Split('\n')[1..].TakeWhile(line => line.StartsWith('|')).Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]);
    }

    private static string[] Words(string cell) => [.. Quoted().Matches(cell).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
