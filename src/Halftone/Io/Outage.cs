using Microsoft.Data.Sqlite;
using Npgsql;

namespace Halftone.Io;

/// <summary>
/// A part of Halftone's own installation is down: database, broker, store or codec. It is temporary; the work is
/// repeated.
/// </summary>
internal abstract class OutageException(string message, Exception? inner) : Exception(message, inner);

/// <summary>
/// Distinguishes outages of our own installation, which are waited out and never cost an image an attempt, from bugs
/// and bad data, which must not be repeated forever.
/// </summary>
internal static class Outage
{
    public static bool Is(Exception exception) => exception switch
    {
        // BUSY 5, LOCKED 6, IOERR 10, FULL 13, CANTOPEN 14, https://www.sqlite.org/rescode.html
        SqliteException sqlite => sqlite.SqliteErrorCode is 5 or 6 or 10 or 13 or 14,
        NpgsqlException postgres => Is(postgres),
        // A transaction or connection that broke between two statements.
        ObjectDisposedException { ObjectName: nameof(NpgsqlTransaction) or nameof(NpgsqlConnection) } => true,
        OutageException => true,
        FileNotFoundException or DirectoryNotFoundException => false,
        IOException or UnauthorizedAccessException => true,
        _ => false,
    };

    /// <summary>
    /// True for failures that end by themselves or once an operator has acted: no connection, a server that stops or
    /// starts, a standby that is not yet primary, no space on disk or for connections, a deadlock.
    /// https://www.postgresql.org/docs/current/errcodes-appendix.html
    /// </summary>
    public static bool Is(NpgsqlException exception) => exception is PostgresException { SqlState: var state }
        ? state[..2] is "08" or "40" or "53" or "57" or "58" || state is "25006" or "55P03"
        : exception.IsTransient || exception.InnerException is IOException or System.Net.Sockets.SocketException or TimeoutException;
}
