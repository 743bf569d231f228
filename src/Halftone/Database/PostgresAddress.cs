using System.Globalization;
using Npgsql;

namespace Halftone.Database;

/// <summary>
/// Parses <c>Database:ConnectionString</c>, as Npgsql keywords or as a URI like every other PostgreSQL client, and adds
/// the defaults that Halftone needs.
/// </summary>
internal static class PostgresAddress
{
    /// <summary>
    /// Connecting 5 s; a statement 20 s and its cancellation 1 s, so that a silent server is given up within half a
    /// minute (long statements set their own timeout); 32 connections, because a server allows 100 in total by default
    /// and there may be several processes; no reset of pooled connections, because session settings never change after
    /// connecting.
    /// </summary>
    private const string Defaults =
        "Application Name=halftone;Timeout=5;Command Timeout=20;Cancellation Timeout=1000;Maximum Pool Size=32;Tcp "
        + "Keepalive=true;Tcp Keepalive Time=10;Tcp Keepalive Interval=5;No Reset On Close=true;";

    /// <summary>
    /// Parameter names of libpq and Npgsql:
    /// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    /// </summary>
    private static readonly Dictionary<string, string> Keywords = new(StringComparer.Ordinal)
    {
        ["host"] = "Host",
        ["port"] = "Port",
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["password"] = "Password",
        ["passfile"] = "Passfile",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["target_session_attrs"] = "Target Session Attributes",
        ["options"] = "Options",
    };

    /// <exception cref="ArgumentException">It is neither; the message does not repeat the text, because it may contain
    /// a password.</exception>
    public static string Parse(string text)
    {
        var given = text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal)
            ? FromUri(text)
            : text;
        NpgsqlConnectionStringBuilder builder;
        try
        {
            // If a keyword appears twice, the last one counts.
            builder = new NpgsqlConnectionStringBuilder(Defaults + given);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            throw Wrong();
        }

        return string.IsNullOrEmpty(builder.Host) ? throw Wrong() : builder.ToString();
    }

    private static string FromUri(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            throw Wrong();
        }

        var builder = new System.Data.Common.DbConnectionStringBuilder();
        Set(builder, "Host", uri.IdnHost);
        Set(builder, "Port", uri.Port > 0 ? uri.Port.ToString(CultureInfo.InvariantCulture) : "");
        Set(builder, "Database", Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')));
        var user = uri.UserInfo.Split(':', 2);
        Set(builder, "Username", Uri.UnescapeDataString(user[0]));
        Set(builder, "Password", user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "");
        foreach (var parameter in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = parameter.Split('=', 2);
            if (!Keywords.TryGetValue(pair[0], out var keyword))
            {
                throw new ArgumentException(
                    $"Database:ConnectionString has the parameter '{pair[0]}', which is not supported in a URI. Supported: "
                    + $"{string.Join(", ", Keywords.Keys)}. For others use keywords, such as Host=…;Database=….");
            }

            Set(builder, keyword, pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "");
        }

        return builder.ConnectionString;
    }

    private static void Set(System.Data.Common.DbConnectionStringBuilder builder, string keyword, string value)
    {
        if (value.Length > 0)
        {
            // libpq writes verify-full and read-write; Npgsql's values have no hyphen.
            builder[keyword] = keyword == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
    }

    private static ArgumentException Wrong() => new(
        "Database:ConnectionString must name a PostgreSQL database, such as "
        + "Host=db.example;Database=halftone;Username=halftone;Password=… or postgresql://halftone:…@db.example/halftone, or be "
        + "empty for SQLite in the data folder.");
}
