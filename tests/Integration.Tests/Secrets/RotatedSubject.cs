using Npgsql;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Postgres;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>A system with a credential that is rotated.</summary>
internal abstract class RotatedSubject : IAsyncDisposable
{
    /// <summary>What the catalog says of the rotation: its kind and what belongs to it.</summary>
    public abstract string Declared { get; }

    /// <summary>A health gate of the component.</summary>
    public virtual string Gate => "";

    /// <summary>Starts it, or skips the test where it is not there.</summary>
    public virtual Task StartAsync() => Task.CompletedTask;

    /// <summary>How the worker reaches it.</summary>
    public virtual RegionConnection Connect(RegionConnection region) => region;

    /// <summary>The user name of before the first rotation.</summary>
    public virtual string FirstLogin(RotationWorld world) => world.Login;

    /// <summary>Has it accept what the Kubernetes Secret holds, or writes something that it accepts.</summary>
    public abstract Task PrepareAsync(RotationWorld world, string login, string password);

    /// <param name="who">What the client calls itself.</param>
    public abstract Task<bool> LetsInAsync(string login, string password, string who);

    /// <summary>How many credentials of ours it accepts; null: it cannot be asked.</summary>
    public virtual Task<int?> AcceptedAsync() => Task.FromResult<int?>(null);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A login of a real PostgreSQL server.</summary>
internal sealed class PostgresSubject(PostgresCluster postgres) : RotatedSubject
{
    public override string Declared => "kind: postgresql-users\n    usernameKey: username";

    public override string Gate => "- postgresql: {service: postgresql, tls: true}";

    public override Task StartAsync() => postgres.StartAsync();

    public override RegionConnection Connect(RegionConnection region) => region with { Postgresql = new(postgres.Address, PostgresCluster.Owner, postgres.PasswordFile, CertificateAuthority: postgres.Authority) };

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        await postgres.SqlAsync($"CREATE ROLE {login} LOGIN CONNECTION LIMIT 50 PASSWORD '{password}'");
        await postgres.SqlAsync($"ALTER ROLE {login} SET search_path = shop, public");
    }

    public override async Task<bool> LetsInAsync(string login, string password, string who)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(login, password, who));
        try
        {
            await connection.OpenAsync();
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState is "28P01" or "28000")
        {
            return false;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public string ConnectionString(string login, string password, string application = "client") =>
        $"Host=localhost;Port={postgres.Address.Split(':')[1]};Username={login};Password={password};Database=postgres;SSL Mode=VerifyFull;Root Certificate={postgres.Authority};Pooling=false;Application Name={application}";
}
