using System.Data.Common;
using Dapper;

namespace Halftone.Database;

/// <summary>Dapper's calls on a transaction that is open: they run on its own connection.</summary>
internal static class TransactionQueries
{
    extension(DbTransaction transaction)
    {
        /// <summary>The connection of a transaction that has not ended.</summary>
        /// <exception cref="InvalidOperationException">The transaction has ended.</exception>
        public DbConnection OpenConnection => transaction.Connection ?? throw new InvalidOperationException("The transaction has ended.");

        /// <param name="sql">One statement.</param>
        /// <param name="parameters">Its parameters by name.</param>
        /// <param name="commandTimeout">In seconds; null: the connection's.</param>
        /// <returns>Rows changed.</returns>
        public Task<int> ExecuteAsync(string sql, object? parameters = null, int? commandTimeout = null) =>
            transaction.OpenConnection.ExecuteAsync(sql, parameters, transaction, commandTimeout);

        public Task<IEnumerable<T>> QueryAsync<T>(string sql, object? parameters = null, int? commandTimeout = null) =>
            transaction.OpenConnection.QueryAsync<T>(sql, parameters, transaction, commandTimeout);

        public Task<T> QuerySingleAsync<T>(string sql, object? parameters = null, int? commandTimeout = null) =>
            transaction.OpenConnection.QuerySingleAsync<T>(sql, parameters, transaction, commandTimeout);

        public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null, int? commandTimeout = null) =>
            transaction.OpenConnection.QuerySingleOrDefaultAsync<T>(sql, parameters, transaction, commandTimeout);

        public Task<T?> ExecuteScalarAsync<T>(string sql, object? parameters = null, int? commandTimeout = null) =>
            transaction.OpenConnection.ExecuteScalarAsync<T>(sql, parameters, transaction, commandTimeout);
    }
}
