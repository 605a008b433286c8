namespace PlatformOps.Guard.Configuration;

/// <summary>One node of a pair: its server, the ways to it, the other node, and the witness. Read from JSON by <see cref="GuardConfigurationFile"/>.</summary>
public sealed record GuardConfiguration
{
    /// <summary>For messages, for example <c>production</c>.</summary>
    public string Environment { get; init; } = "";

    /// <summary>This node's name; nodes are named after their region.</summary>
    public string Node { get; init; } = "";

    /// <summary>PostgreSQL's data directory.</summary>
    public string Data { get; init; } = "";

    /// <summary>The guard's own directory: what it remembers, the server's socket and log, exported divergences.</summary>
    public string State { get; init; } = "";

    /// <summary>The directory of <c>postgres</c>, <c>pg_rewind</c> and the other programs of the server's version.</summary>
    public string Binaries { get; init; } = "";

    /// <summary>Who the server runs as. Default <c>postgres</c> when the guard is root, else the guard's own user.</summary>
    public string? ServerUser { get; init; }

    /// <summary>Holds the secret that both nodes share; the passwords of the guards' roles are made of it. <c>guard init</c> makes it when it is not there.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>Where clients of the database connect.</summary>
    public ClientsSettings Clients { get; init; } = new();

    /// <summary>Where the other node's server connects, with mutual TLS.</summary>
    public ListenSettings Replication { get; init; } = new();

    /// <summary>Where the guard is told what to do, with mutual TLS.</summary>
    public ApiSettings Api { get; init; } = new();

    /// <summary>Where metrics are given to scrapers without a certificate, over HTTP without TLS; null: nowhere. With a certificate they are given on <see cref="Api"/> in any case.</summary>
    public ListenSettings? Metrics { get; init; }

    /// <summary>This node's certificate for <see cref="Replication"/> and <see cref="Api"/>.</summary>
    public TlsSettings Tls { get; init; } = new();

    /// <summary>The other node.</summary>
    public PeerSettings Peer { get; init; } = new();

    public LeaseSettings Lease { get; init; } = new();

    public WitnessSettings Witness { get; init; } = new();

    /// <summary>Where the node's backups and log are kept; null: it makes none, and archives nothing.</summary>
    public BackupSettings? Backup { get; init; }

    /// <summary>What a commit waits for while commits wait for the standby: <c>remote_apply</c> (default: it is visible there), <c>on</c> (on its disk) or <c>remote_write</c>.</summary>
    public string SynchronousCommit { get; init; } = "remote_apply";

    internal string SocketDirectory => Path.Combine(State, "socket");
}

/// <param name="Listen"><c>address:port</c>.</param>
public record ListenSettings(string Listen = "");

/// <param name="Certificate">PEM with which TLS is offered; null: without TLS.</param>
/// <param name="RequireTls">Whether clients without TLS are refused.</param>
public sealed record ClientsSettings(string Listen = "", string? Certificate = null, string? Key = null, bool RequireTls = false) : ListenSettings(Listen);

/// <param name="Operators">The common names of the certificates that may change something. Others of the same authority may only look.</param>
public sealed record ApiSettings(string Listen = "", IReadOnlyList<string>? Operators = null) : ListenSettings(Listen);

/// <summary>PEM files.</summary>
/// <param name="Authority">Whose certificates are trusted: those of the nodes and of the operators.</param>
public sealed record TlsSettings(string Certificate = "", string Key = "", string Authority = "");

/// <param name="Replication">Where its guard listens for our server, <c>host:port</c>; the host stands in its certificate.</param>
public sealed record PeerSettings(string Node = "", string Replication = "");

/// <summary>Milliseconds, by monotonic clocks.</summary>
/// <param name="DurationMs">For how long a renewal lets the node serve: what a lost node costs at least. Default 1000.</param>
/// <param name="RenewMs">How often it is renewed. Default 200.</param>
/// <param name="WatchMs">How often a node that does not hold it looks. Default 100: it knows the last renewal by so much later.</param>
public sealed record LeaseSettings(int DurationMs = 1000, int RenewMs = 200, int WatchMs = 100)
{
    internal TimeSpan Duration => TimeSpan.FromMilliseconds(DurationMs);

    internal TimeSpan Renew => TimeSpan.FromMilliseconds(RenewMs);

    internal TimeSpan Watch => TimeSpan.FromMilliseconds(WatchMs);

    /// <summary>Of one call of the witness: a second one still fits into the lease.</summary>
    internal TimeSpan CallTimeout => Duration / 2;
}

/// <summary>One of both.</summary>
public sealed record WitnessSettings(S3WitnessSettings? S3 = null, KubernetesWitnessSettings? Kubernetes = null);

/// <param name="Region">AWS's name of the bucket's region: a third one.</param>
/// <param name="Endpoint">Another server that speaks S3; null: AWS.</param>
/// <param name="CredentialsFile">Null: what the AWS SDK finds.</param>
public sealed record S3WitnessSettings(string Bucket = "", string Key = "", string Region = "", string? Endpoint = null, string? CredentialsFile = null, string? Profile = null);

/// <param name="Kubeconfig">Null: that of <c>KUBECONFIG</c>, or the cluster that the guard runs in.</param>
public sealed record KubernetesWitnessSettings(string Namespace = "", string Name = "", string? Kubeconfig = null, string? Context = null);
