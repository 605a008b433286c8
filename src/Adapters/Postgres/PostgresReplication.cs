using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Who follows a server, for whom its commits wait, and how many it serves.</summary>
public sealed class PostgresReplication(PostgresServer server)
{
    /// <summary>How the server sees its standbys.</summary>
    /// <param name="pod">The pod that the server is in; null: unknown.</param>
    /// <exception cref="AdapterException">It does not answer, or refuses us.</exception>
    public Task<DatabaseInstances> LookAsync(string? pod, CancellationToken ct) => server.InAsync("look at its standbys", null, async session =>
    {
        var settings = (await session.RowsAsync("SELECT pg_is_in_recovery() AS recovering, current_setting('synchronous_standby_names') AS names"))[0];
        var needed = SynchronousStandbys.Needed((string)settings["names"]!);
        if ((bool)settings["recovering"]!)
            return new DatabaseInstances(null, null, needed, $"{server.Address} is a standby itself.");
        var rows = await session.RowsAsync("SELECT application_name AS name, sync_state AS state FROM pg_stat_replication");
        if (rows.Any(row => row["state"] is null))
            return new DatabaseInstances(pod, null, needed, $"{server.Address} does not show us who its standbys are: grant pg_monitor to our login.");
        return new DatabaseInstances(
            pod, [.. rows.Select(row => new DatabaseStandby((string?)row["name"] ?? "", (string)row["state"]!)).OrderBy(standby => standby.Name, StringComparer.Ordinal)], needed,
            pod is null ? $"No pod behind its Service is known to be {server.Address}." : null);
    }, ct);

    /// <summary>How many connections the server accepts, those for superusers among them.</summary>
    /// <exception cref="AdapterException">It does not answer, or refuses us.</exception>
    public async Task<int> ConnectionsAsync(CancellationToken ct) =>
        (int)await server.InAsync("say how many connections it accepts", null, session => session.CountAsync("SELECT current_setting('max_connections')::bigint AS count"), ct);

    /// <summary>Has the server read its configuration files again. Settings that take a restart stay.</summary>
    /// <exception cref="AdapterException">It does not answer, or our login may not.</exception>
    public Task ReloadAsync(CancellationToken ct) => server.InAsync("read its configuration again", null, session => session.RowsAsync("SELECT pg_reload_conf() AS done"), ct);
}
