using System.CommandLine;
using System.Globalization;
using Halftone.Api.Access;
using Halftone.Database;

namespace Halftone.Cli;

/// <summary><c>halftone keys add NAME</c>, <c>list</c>, <c>revoke ID</c>. A running server applies changes within a second.</summary>
internal static class KeysCommand
{
    private static readonly Argument<string> Name = MakeName();
    private static readonly Argument<string> Id = new("ID") { Description = "ID from 'halftone keys list'." };

    public static Command Create() =>
        new("keys", "Creates, lists and revokes API keys. Once the first key exists, the server requires a key for every call.")
    {
        With(new Command("add", "Creates a key and prints it. It is shown only once.") { Name }, mayBegin: true, AddAsync),
        With(new Command("list", "Lists the keys: ID, name, when created, when revoked."), mayBegin: false, ListAsync),
        With(new Command("revoke", "Revokes a key permanently.") { Id }, mayBegin: false, RevokeAsync),
    };

    private static Argument<string> MakeName()
    {
        var name = new Argument<string>("NAME") { Description = "Who or what the key is for, such as 'catalogue team'." };
        name.Validators.Add(given =>
        {
            if (string.IsNullOrWhiteSpace(given.GetValueOrDefault<string>()))
            {
                given.AddError("NAME must say who or what the key is for, such as 'catalogue team'.");
            }
        });
        return name;
    }

    private static Command With(Command command, bool mayBegin, Func<ParseResult, ApiKeys, CancellationToken, Task<int>> run)
    {
        command.Add(ServerOptionsOnCommandLine.Data);
        command.SetAction(async (result, cancellationToken) =>
        {
            var exitCode = 0;
            var failed = await DatabaseCommand.RunAsync(
                result,
                async (services, token) =>
                {
                    await services.GetRequiredService<Migrator>().MigrateAsync(token);
                    exitCode = await run(result, services.GetRequiredService<ApiKeys>(), token);
                },
                mayBegin,
                cancellationToken);
            return failed != 0 ? failed : exitCode;
        });
        return command;
    }

    private static async Task<int> AddAsync(ParseResult result, ApiKeys keys, CancellationToken cancellationToken)
    {
        Console.WriteLine(await keys.AddAsync(result.GetValue(Name)!, cancellationToken));
        return 0;
    }

    private static async Task<int> ListAsync(ParseResult result, ApiKeys keys, CancellationToken cancellationToken)
    {
        foreach (var key in await keys.ListAsync(cancellationToken))
        {
            Console.WriteLine(
                $"{key.KeyId}  {key.Name}  {Time(key.CreatedAt)}  {(key.RevokedAt is { } revoked ? "revoked " + Time(revoked) : "valid")}");
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(ParseResult result, ApiKeys keys, CancellationToken cancellationToken)
    {
        var id = result.GetValue(Id)!;
        if (await keys.RevokeAsync(id, cancellationToken))
        {
            Console.WriteLine($"Revoked {id}.");
            return 0;
        }

        await Console.Error.WriteLineAsync($"There is no valid key '{id}'. 'halftone keys list' shows all keys.");
        return 1;
    }

    private static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
