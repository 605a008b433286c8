using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard;

/// <summary>Prepares a node once, before its guard runs for the first time. Of a node that is prepared already it changes nothing.</summary>
public static class GuardInit
{
    /// <summary>The first primary: a new cluster with the guards' roles and tables.</summary>
    /// <param name="sql">Statements for the new cluster, carried out by its superuser in the database postgres; null: none.</param>
    /// <returns>False: it was prepared before.</returns>
    /// <exception cref="GuardException">It cannot be prepared; what is there says why.</exception>
    public static async Task<bool> PrimaryAsync(GuardConfiguration configuration, string? sql, TimeProvider clock, ILogger log, CancellationToken ct)
    {
        using var memory = MemoryFile.Open(configuration.State);
        var data = new DataDirectory(configuration.Data);
        if (memory.Memory.Epoch > 0)
            return false;
        var unfinished = Path.Combine(configuration.State, "init.unfinished");
        if (Directory.Exists(configuration.Data) && Directory.EnumerateFileSystemEntries(configuration.Data).Any())
        {
            if (!File.Exists(unfinished))
                throw new GuardException($"{configuration.Data} is not empty and was not made by guard init. Name an empty directory, or make a standby of this node with --standby.");
            foreach (var left in data.Processes())
                Posix.Signal(left, Posix.Kill);
            Directory.Delete(configuration.Data, recursive: true);
        }

        await File.WriteAllTextAsync(unfinished, "", ct);
        ServerRoles.MakeSecret(configuration.PasswordFile);
        var user = new ServerUser(configuration.ServerUser);
        var settings = new ServerSettings(configuration, user);
        await MakeClusterAsync(configuration, user, settings, clock, ct);
        using var server = new ServerProcess(configuration, user, settings, clock, log, () => { });
        await using (var connection = new ServerSql(configuration, () => server.Id))
        {
            await server.StartAsync(memory.Memory, GuardDuties.StartPatience, ct);
            await connection.RunAsync(
                $"{ServerStatements.Schema} ALTER ROLE {ServerRoles.Replication} PASSWORD '{ServerRoles.PasswordOf(ServerRoles.Replication, configuration.PasswordFile).Reveal()}'",
                GuardDuties.StartPatience, ct);
            await connection.RunAsync(ServerStatements.EnsureSlot, GuardDuties.StartPatience, ct, ServerSettings.StandbyName(configuration.Peer.Node));
            if (sql is not null)
                await connection.RunAsync(sql, GuardDuties.StartPatience, ct);
        }

        await server.StopAsync(GuardDuties.StartPatience, ct);
        memory.Change(known => known with { Epoch = 1, ServesIn = 1, First = true });
        File.Delete(unfinished);
        return true;
    }

    /// <summary>A node without data, which the guard makes a standby of the other one when it runs.</summary>
    /// <returns>False: it was prepared before.</returns>
    public static bool Standby(GuardConfiguration configuration)
    {
        using var memory = MemoryFile.Open(configuration.State);
        if (memory.Memory is { Epoch: > 0 } or { Rebuild: not null })
            return false;
        if (!File.Exists(configuration.PasswordFile))
            throw new GuardException($"passwordFile {configuration.PasswordFile} does not exist. Copy it from the first node, where guard init has made it.");
        memory.Change(known => known.Rebuilding(configuration.Peer.Node, 1));
        return true;
    }

    private static async Task MakeClusterAsync(GuardConfiguration configuration, ServerUser user, ServerSettings settings, TimeProvider clock, CancellationToken ct)
    {
        Directory.CreateDirectory(configuration.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        user.Own(configuration.Data);
        settings.Prepare();
        var password = Path.Combine(configuration.State, "init.pass");
        settings.WriteFile(password, ServerRoles.PasswordOf(ServerRoles.Guard, configuration.PasswordFile).Reveal() + "\n");
        try
        {
            await new ServerTools(configuration, user, clock).RunAsync(
                "initdb",
                ["--pgdata", configuration.Data, "--username", ServerRoles.Guard, "--pwfile", password, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums"],
                ct);
        }
        finally
        {
            File.Delete(password);
        }

        await File.AppendAllTextAsync(Path.Combine(configuration.Data, "postgresql.conf"), ServerSettings.ForNewCluster(), ct);
        settings.WriteInto(configuration.Data, new());
    }
}
