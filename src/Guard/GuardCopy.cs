using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard;

/// <summary>Makes the first primary of a pair of its own from a running node of another pair, which is only read.</summary>
public static class GuardCopy
{
    /// <summary>What the copied server must not do, whatever its own configuration says: nothing of it leads out.</summary>
    private const string Isolation = """

        # Added by platformops for a copy: nothing of it leads out.
        archive_mode = 'off'
        archive_command = ''
        restore_command = ''
        max_logical_replication_workers = 0
        cron.launch_active_jobs = 'off'
        fsync = off

        """;

    /// <summary>Clones, and makes a primary of the first epoch of it.</summary>
    /// <param name="configuration">Of the copy's first node; its password file holds the same secret as the source's.</param>
    /// <param name="source">The node that is cloned, and where its guard listens for servers.</param>
    /// <param name="tls">A certificate that the source's guard lets in.</param>
    /// <param name="sql">Statements for the copy alone.</param>
    /// <exception cref="GuardException">It cannot be cloned; what is there says why.</exception>
    public static async Task MakeAsync(GuardConfiguration configuration, PeerSettings source, TlsSettings tls, string sql, TimeProvider clock, ILogger log, CancellationToken ct)
    {
        using var memory = MemoryFile.Open(configuration.State);
        var user = new ServerUser(configuration.ServerUser);
        var asPeer = configuration with { Peer = source, Tls = tls };
        var cloning = new ServerSettings(asPeer, user);
        cloning.Prepare();
        Directory.CreateDirectory(configuration.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        user.Own(configuration.Data);
        await new ServerTools(asPeer, user, clock).RunAsync(
            "pg_basebackup", ["--pgdata", configuration.Data, "--dbname", cloning.PeerConnection("replication"), "--wal-method=stream", "--checkpoint=fast"], ct);
        // A standby's clone is a standby; without the file it is a primary of the same timeline, in a pair of its own.
        File.Delete(Path.Combine(configuration.Data, "standby.signal"));
        await File.AppendAllTextAsync(Path.Combine(configuration.Data, "postgresql.auto.conf"), Isolation, ct);
        var settings = new ServerSettings(configuration, user);
        settings.Prepare();
        settings.WriteInto(configuration.Data, memory.Memory);
        using var server = new ServerProcess(configuration, user, settings, clock, log, () => { });
        await using (var connection = new ServerSql(configuration, () => server.Id))
        {
            await server.StartAsync(memory.Memory, GuardDuties.StartPatience, ct);
            // Its epochs begin anew, at a witness of its own.
            await connection.RunAsync($"TRUNCATE platformops.epoch; {sql}", GuardDuties.StartPatience, ct);
            await connection.RunAsync(ServerStatements.EnsureSlot, GuardDuties.StartPatience, ct, ServerSettings.StandbyName(configuration.Peer.Node));
        }

        await server.StopAsync(GuardDuties.StartPatience, ct);
        memory.Change(known => known with { Epoch = 1, ServesIn = 1, First = true });
    }
}
