using System.Data.Common;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Halftone.Database;

/// <summary>
/// An INSERT that is prepared once and executed for many rows inside a transaction: a command object per row would cost
/// several times as much as the insert itself.
/// </summary>
internal sealed class SqliteInsert : IDisposable
{
    private readonly sqlite3 connection;
    private readonly sqlite3_stmt statement;
    private byte[] utf8 = new byte[1_024];

    /// <param name="transaction">Open, on a SQLite connection.</param>
    /// <param name="sql">With <c>?1</c>, <c>?2</c> and so on for the values of a row.</param>
    public SqliteInsert(DbTransaction transaction, string sql)
    {
        connection = ((SqliteConnection)transaction.OpenConnection).Handle!;
        Check(raw.sqlite3_prepare_v2(connection, sql, out statement));
    }

    public SqliteInsert Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(statement, index, value));
        return this;
    }

    public SqliteInsert Bind(int index, long? value)
    {
        Check(value is { } number ? raw.sqlite3_bind_int64(statement, index, number) : raw.sqlite3_bind_null(statement, index));
        return this;
    }

    public SqliteInsert Bind(int index, string value)
    {
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (utf8.Length < most)
        {
            utf8 = new byte[most];
        }

        // SQLite copies the text before the call returns, so one buffer serves all values. An empty span would be a
        // null pointer, which means NULL.
        Check(value.Length == 0
            ? raw.sqlite3_bind_text(statement, index, "")
            : raw.sqlite3_bind_text(statement, index, utf8.AsSpan(0, Encoding.UTF8.GetBytes(value, utf8))));
        return this;
    }

    /// <summary>Inserts a row of the bound values; they stay bound for the next row.</summary>
    public void Execute()
    {
        var result = raw.sqlite3_step(statement);
        if (result != raw.SQLITE_DONE)
        {
            _ = raw.sqlite3_reset(statement);
            Check(result);
        }

        Check(raw.sqlite3_reset(statement));
    }

    public void Dispose() => statement.Dispose();

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, connection);
}
