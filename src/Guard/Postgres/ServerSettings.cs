using System.Globalization;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Postgres;

/// <summary>The settings of the server that are the guard's. Those that no reload may change stand in the command line, where nothing overrides them.</summary>
internal sealed class ServerSettings(GuardConfiguration configuration, ServerUser user)
{
    /// <summary>Included by postgresql.conf. It lies in the data directory, so a rewind or a clone brings the other node's: it is written before every start.</summary>
    public const string File = "platformops.conf";

    private string PassFile => In("replication.pass");

    private string Access => In("pg_hba.conf");

    /// <summary>How the other node's standby calls itself, and its slot.</summary>
    public static string StandbyName(string node) => $"platformops_{node.Replace('-', '_')}";

    /// <summary>How our server's programs reach the other node's server.</summary>
    public string PeerConnection(string database)
    {
        var address = configuration.Peer.Replication.Split(':');
        return $"host={address[0]} port={address[1]} user={ServerRoles.Replication} dbname={database} passfile='{PassFile}' application_name={StandbyName(configuration.Node)} "
            + $"sslmode=verify-full sslrootcert='{In("authority.pem")}' sslcert='{In("certificate.pem")}' sslkey='{In("key.pem")}' connect_timeout=5 tcp_user_timeout=5000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3";
    }

    /// <summary>The server's command line.</summary>
    public IEnumerable<string> CommandLine() =>
    [
        Path.Combine(configuration.Binaries, "postgres"), "-D", configuration.Data,
        "-c", "listen_addresses=", "-c", "port=5432", "-c", $"unix_socket_directories={configuration.SocketDirectory}", "-c", "unix_socket_permissions=0700", "-c", $"hba_file={Access}",
        "-c", "logging_collector=off", "-c", "hot_standby=on", "-c", "full_page_writes=on",
        .. configuration.Backup is null ? Array.Empty<string>() : ["-c", "archive_mode=on"],
    ];

    /// <summary>Writes what the server and its programs read beside the data.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(configuration.SocketDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        user.Own(configuration.SocketDirectory);
        Write("replication.pass", $"*:*:*:{ServerRoles.Replication}:{ServerRoles.PasswordOf(ServerRoles.Replication, configuration.PasswordFile).Reveal()}\n");
        Write("certificate.pem", System.IO.File.ReadAllText(configuration.Tls.Certificate));
        Write("key.pem", System.IO.File.ReadAllText(configuration.Tls.Key));
        Write("authority.pem", System.IO.File.ReadAllText(configuration.Tls.Authority));
        // Only the guard reaches the socket, and everybody comes through it with the password of their own.
        Write("pg_hba.conf", $"""
            local all {ServerRoles.Guard} scram-sha-256
            local replication,postgres {ServerRoles.Replication} scram-sha-256
            local all {ServerRoles.Replication} reject
            local all all scram-sha-256

            """);
    }

    /// <summary>Writes what may change while the server runs; it reads that when it starts or is told to.</summary>
    public void WriteInto(string data, GuardMemory memory) => WriteFile(Path.Combine(data, File), $"""
        # Written by platformops guard before every start.
        primary_conninfo = '{PeerConnection("postgres").Replace("'", "''", StringComparison.Ordinal)}'
        primary_slot_name = '{StandbyName(configuration.Node)}'
        recovery_target_timeline = 'latest'
        wal_retrieve_retry_interval = '100ms'
        wal_receiver_status_interval = '1s'
        wal_receiver_timeout = '5s'
        wal_sender_timeout = '5s'
        synchronous_standby_names = '{(memory is { Synchronous: true, ServesIn: > 0 } ? StandbyName(configuration.Peer.Node) : "")}'
        synchronous_commit = '{configuration.SynchronousCommit}'
        {Archiving()}

        """);

    /// <summary>A server of which no backups are made archives as its owner wants.</summary>
    private string Archiving() => configuration.Backup is not { } backup ? "" : string.Create(CultureInfo.InvariantCulture, $"""
        archive_command = '{PgBackRest.ArchiveCommand(configuration).Replace("'", "''", StringComparison.Ordinal)}'
        archive_timeout = '{backup.ArchiveTimeoutSeconds}s'
        """);

    /// <summary>What a new cluster gets once, for its owner to change.</summary>
    public static string ForNewCluster() => $"""

        # What follows was added by platformops guard init; change it as you like, but for the last line.
        wal_level = replica
        wal_log_hints = on
        max_wal_senders = 10
        max_replication_slots = 10
        wal_keep_size = '256MB'
        max_slot_wal_keep_size = '16GB'
        password_encryption = 'scram-sha-256'
        include_if_exists '{File}'

        """;

    /// <summary>Gives a file or directory to the server's user.</summary>
    public void Own(string path) => user.Own(path);

    private string In(string name) => Path.Combine(configuration.State, name);

    private void Write(string name, string text) => WriteFile(In(name), text);

    /// <summary>Writes a file that only the server's user can read.</summary>
    public void WriteFile(string path, string text)
    {
        var draft = path + ".new";
        System.IO.File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var writer = new StreamWriter(file))
            writer.Write(text);
        user.Own(draft);
        System.IO.File.Move(draft, path, overwrite: true);
    }
}
