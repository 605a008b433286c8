using Npgsql;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>Carries out what the stand-in's database engine wants done, in a real PostgreSQL: as Vault's plugin does, by the address that is configured.</summary>
internal static class PostgresStatements
{
    public static async Task RunAsync(SandboxDatabaseCall call, CancellationToken ct)
    {
        var address = new Uri(call.ConnectionUrl);
        var options = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Database = address.AbsolutePath.Trim('/'),
            Username = call.Username,
            Password = call.Password,
            // The address says sslmode=require: encrypted, by whatever certificate.
            SslMode = SslMode.Require,
            Pooling = false,
        };
        await using var connection = new NpgsqlConnection(options.ConnectionString);
        await connection.OpenAsync(ct);
        foreach (var statement in call.Statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
