using System.Text.Json.Nodes;
using Npgsql;

namespace PlatformOps.Adapters.Postgres;

/// <summary>One session with a server. Names and values get into statements by the server's own <c>format</c>, which quotes them, and in no other way.</summary>
/// <param name="elsewhere">Opens a session in another database, for what can be done only there.</param>
internal sealed class PostgresSession(NpgsqlConnection connection, Func<string, Func<PostgresSession, Task<bool>>, Task<bool>> elsewhere, CancellationToken ct)
{
    /// <summary>Creating a database copies one.</summary>
    private const int SlowestSeconds = 120;

    /// <summary>Carries a statement out.</summary>
    /// <param name="format">With <c>%I</c> for a name and <c>%L</c> for a value.</param>
    public async Task DoAsync(string format, params string[] arguments)
    {
        await using var quote = new NpgsqlCommand("SELECT format($1, VARIADIC $2)", connection);
        quote.Parameters.Add(new() { Value = format });
        quote.Parameters.Add(new() { Value = arguments });
        var statement = (string)(await quote.ExecuteScalarAsync(ct))!;
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = SlowestSeconds };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The rows of a query, each as a JSON object.</summary>
    /// <param name="query">With <c>$1</c>, <c>$2</c> for the arguments.</param>
    public async Task<IReadOnlyList<JsonObject>> RowsAsync(string query, params object[] arguments)
    {
        await using var command = new NpgsqlCommand($"SELECT to_json(q)::text FROM ({query}) q", connection);
        foreach (var argument in arguments)
            command.Parameters.Add(new() { Value = argument });
        var rows = new List<JsonObject>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            rows.Add((JsonObject)JsonNode.Parse(reader.GetString(0))!);
        return rows;
    }

    /// <summary>The number that a query finds as <c>count</c>.</summary>
    public async Task<long> CountAsync(string query, params object[] arguments) => (long)(await RowsAsync(query, arguments))[0]["count"]!;

    /// <summary>All of it, or nothing.</summary>
    public async Task AtOnceAsync(Func<Task> work)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work();
        await transaction.CommitAsync(ct);
    }

    /// <summary>Does it, and takes back whatever it has changed.</summary>
    public async Task ThenUndoneAsync(Func<Task> work)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work();
        await transaction.RollbackAsync(ct);
    }

    public Task InDatabaseAsync(string database, Func<PostgresSession, Task> work) => elsewhere(database, async session =>
    {
        await work(session);
        return true;
    });
}
