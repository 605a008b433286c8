namespace PlatformOps.Adapters.Failover;

/// <summary>How the database of one environment, and what leads to it, is reached. One pair of nodes, named after their regions.</summary>
public sealed record FailoverAccess
{
    /// <summary>By region.</summary>
    public IReadOnlyDictionary<string, FailoverNodeAccess> Nodes { get; init; } = new Dictionary<string, FailoverNodeAccess>();

    /// <summary>PEM files for mutual TLS with the guards.</summary>
    public TlsFiles? GuardTls { get; init; }

    /// <summary>The login of write probes; its address is each node's.</summary>
    public PostgresAccess? Login { get; init; }

    /// <summary>Whether clients speak TLS with the database. Default true.</summary>
    public bool ClientTls { get; init; } = true;

    /// <summary>Whether commits wait for the standby: what a rebuild restores. Default true.</summary>
    public bool Synchronous { get; init; } = true;

    public WitnessAccess? Witness { get; init; }

    /// <summary>The Service whose endpoints lead to the primary, in the clusters of both regions; null: none.</summary>
    public EndpointsPointer? Service { get; init; }

    /// <summary>Secrets that name the primary's address, in the clusters of both regions.</summary>
    public IReadOnlyList<SecretPointer> Secrets { get; init; } = [];

    /// <summary>ExternalSecrets whose references lead to what a store keeps for the primary, in the clusters of both regions.</summary>
    public IReadOnlyList<ExternalSecretPointer> ExternalSecrets { get; init; } = [];

    /// <summary>Buckets beside the nodes that go with the database.</summary>
    public IReadOnlyList<BucketPointer> Buckets { get; init; } = [];

    /// <summary>The DNS record that leads to the primary; null: none.</summary>
    public DnsPointer? Dns { get; init; }

    /// <summary>Namespaces of the platform's Temporal whose active cluster goes with the database.</summary>
    public IReadOnlyList<string> TemporalNamespaces { get; init; } = [];

    /// <summary>For how many seconds a namespace may be closed by a handover before it is opened again. Default 30, 1 to 300: a third of it is what the server's own handover may take, and after two thirds
    /// its workflow is ended, so that a call of it (10 s) is over when the namespace is opened. Of less than 30 such a call may still be on its way.</summary>
    public int HandoverSeconds { get; init; } = 30;

    /// <summary>The times that decisions go by, where they are others than the defaults; null: all defaults.</summary>
    public FailoverTimingAccess? Timing { get; init; }

    /// <summary>Where copies for drills may be made; null: nowhere. Only the worker of the task queue <c>platformops.drill</c> reads it.</summary>
    public DrillAccess? Drill { get; init; }

    /// <summary>What is wrong with the numbers in it, each with its field.</summary>
    /// <param name="path">Where it stands in the connections file, for example <c>failover.production</c>.</param>
    public IEnumerable<string> Problems(string path) =>
    [
        .. NodeProblems(path),
        .. PointerProblems(path),
        .. Timing?.Problems($"{path}.timing") ?? [],
        .. Login?.VaultRole is not null ? [$"{path}.login.vaultRole is not possible: a failover must not wait for Vault. State user and passwordFile."] : Array.Empty<string>(),
        .. HandoverSeconds is < 1 or > 300 ? [$"{path}.handoverSeconds is {HandoverSeconds}: 1 to 300 is expected."] : Array.Empty<string>(),
        .. Witness?.TimeoutMilliseconds is { } timeout and (< 20 or > 30_000) ? [$"{path}.witness.timeoutMilliseconds is {timeout}: 20 to 30000 is expected, a fraction of the guards' lease."] : Array.Empty<string>(),
    ];

    /// <summary>Who operates the database: <c>guard</c>, <c>cloudNativePg</c>, <c>rds</c> or <c>aurora</c>; null: nobody is stated, or not one for all.</summary>
    public string? Kind => Nodes.Count > 0 && Nodes.Values.Select(node => node.Kind).Distinct().ToList() is [{ } one] ? one : null;

    private IEnumerable<string> PointerProblems(string path)
    {
        foreach (var (secret, number) in Secrets.Select((secret, number) => (secret, number)))
        {
            if (string.IsNullOrEmpty(secret.Namespace) || string.IsNullOrEmpty(secret.Name))
                yield return $"{path}.secrets[{number}] needs namespace and name.";
        }

        foreach (var (secret, number) in ExternalSecrets.Select((secret, number) => (secret, number)))
        {
            if (string.IsNullOrEmpty(secret.Namespace) || string.IsNullOrEmpty(secret.Name))
                yield return $"{path}.externalSecrets[{number}] needs namespace and name.";
            if (!OfEachNode(secret.Keys))
                yield return $"{path}.externalSecrets[{number}].keys needs a key of the store for each node, not the same twice: {string.Join(" and ", Nodes.Keys)}.";
        }

        foreach (var (bucket, number) in Buckets.Select((bucket, number) => (bucket, number)))
        {
            if (!OfEachNode(bucket.Names))
                yield return $"{path}.buckets[{number}].names needs a bucket for each node, not the same twice: {string.Join(" and ", Nodes.Keys)}.";
        }

        bool OfEachNode(IReadOnlyDictionary<string, string>? given) =>
            given is not null && given.Keys.ToHashSet().SetEquals(Nodes.Keys) && given.Values.All(value => !string.IsNullOrEmpty(value)) && given.Values.Distinct().Count() == given.Count;
    }

    private IEnumerable<string> NodeProblems(string path)
    {
        foreach (var (name, node) in Nodes)
        {
            if (node.Kind is null)
                yield return $"{path}.nodes.{name} needs one of guard, cloudNativePg, rds and aurora.";
            if (node.CloudNativePg is { } cluster && (string.IsNullOrEmpty(cluster.Namespace) || string.IsNullOrEmpty(cluster.Cluster)))
                yield return $"{path}.nodes.{name}.cloudNativePg needs namespace and cluster.";
            if (node.Rds is { } instance && (string.IsNullOrEmpty(instance.Instance) || string.IsNullOrEmpty(instance.ClosedSecurityGroup)))
                yield return $"{path}.nodes.{name}.rds needs instance and closedSecurityGroup.";
            if (node.Aurora is { } member && (string.IsNullOrEmpty(member.GlobalCluster) || string.IsNullOrEmpty(member.Cluster) || string.IsNullOrEmpty(member.ClosedSecurityGroup)))
                yield return $"{path}.nodes.{name}.aurora needs globalCluster, cluster and closedSecurityGroup.";
        }

        if (Nodes.Values.Select(node => node.Kind).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList() is { Count: > 1 } kinds)
            yield return $"{path}.nodes are of {string.Join(" and ", kinds)}: both have to be of one kind.";
        if (Nodes.Values.Select(node => node.Aurora?.GlobalCluster).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList() is { Count: > 1 } wholes)
            yield return $"{path}.nodes are of the global clusters {string.Join(" and ", wholes)}: both have to be of one.";
        if (Kind is "cloudNativePg" or "rds" or "aurora" && Synchronous)
            yield return $"{path}.synchronous is true, which is the default: {Kind} replicates between regions asynchronously, and no commit waits for the other one. State false.";
    }

    internal FailoverAccess RelativeTo(string folder) => this with
    {
        GuardTls = GuardTls?.RelativeTo(folder),
        Login = Login?.RelativeTo(folder),
        Witness = Witness?.RelativeTo(folder),
        Drill = Drill?.RelativeTo(folder),
    };
}

/// <summary>Where a worker may make a copy of the database for a drill, on its own machine.</summary>
/// <param name="Source">The node that is cloned: the standby.</param>
/// <param name="Replication">Where its guard listens for servers, <c>host:port</c>; the host stands in its certificate.</param>
/// <param name="PasswordFile">The secret of the pair, as its guards have it: the copy has the same roles.</param>
/// <param name="Folder">Where copies are made; the server's user has to be able to pass through. Each is a folder of its own, which is removed afterwards.</param>
/// <param name="Binaries">PostgreSQL's bin directory; null: the newest of Debian.</param>
public sealed record DrillAccess(string Source, string Replication, string PasswordFile, string Folder, string? Binaries = null)
{
    internal DrillAccess RelativeTo(string folder) => this with { PasswordFile = Path.Combine(folder, PasswordFile), Folder = Path.Combine(folder, Folder) };
}

/// <summary>How one node is reached. Who operates it is one of <paramref name="Guard"/>, <paramref name="CloudNativePg"/>, <paramref name="Rds"/> and <paramref name="Aurora"/>, the same for both nodes.</summary>
/// <param name="Guard">Its guard's API, <c>https://host:port</c>.</param>
/// <param name="Clients">Where clients reach it, <c>host:port</c>: with a guard, where that one listens for clients.</param>
/// <param name="TemporalCluster">The name of the region's Temporal cluster as namespaces know it; null: the region's.</param>
/// <param name="CloudNativePg">Its <c>Cluster</c> resource, in the Kubernetes cluster of the region as <c>regions</c> of the connections file say.</param>
/// <param name="Rds">Its instance, in the AWS region as <c>regions</c> of the connections file say.</param>
/// <param name="Aurora">Its cluster of a global database, in the AWS region as <c>regions</c> of the connections file say.</param>
public sealed record FailoverNodeAccess(string? Guard, string Clients, string? TemporalCluster = null, CloudNativePgNode? CloudNativePg = null, RdsNode? Rds = null, AuroraNode? Aurora = null)
{
    internal string? Kind => (Guard, CloudNativePg, Rds, Aurora) switch
    {
        ({ Length: > 0 }, null, null, null) => "guard",
        (null or "", not null, null, null) => "cloudNativePg",
        (null or "", null, not null, null) => "rds",
        (null or "", null, null, not null) => "aurora",
        _ => null,
    };
}

/// <summary>Where the witness is: an object in S3 or a Lease in a cluster, in either case outside both regions.</summary>
/// <param name="Bucket">With <paramref name="Key"/>, for S3.</param>
/// <param name="Aws">How its region is reached.</param>
/// <param name="Namespace">With <paramref name="Name"/>, for Kubernetes.</param>
/// <param name="Kubeconfig">Of that cluster.</param>
/// <param name="Context">In the kubeconfig.</param>
/// <param name="TimeoutMilliseconds">For one call of either: a fraction of the lease. Default 400; 20 to 30000.</param>
public sealed record WitnessAccess(
    string? Bucket = null, string? Key = null, AwsSettings? Aws = null, string? Namespace = null, string? Name = null, string? Kubeconfig = null, string? Context = null,
    int TimeoutMilliseconds = 400)
{
    internal WitnessAccess RelativeTo(string folder) => this with
    {
        Aws = Aws?.RelativeTo(folder),
        Kubeconfig = Kubeconfig is null ? null : Path.Combine(folder, Kubeconfig),
    };
}

/// <summary>A Service without selector whose Endpoints are ours to set.</summary>
public sealed record EndpointsPointer(string Namespace, string Name);

/// <summary>A Secret that names where the primary is. It exists; only the two keys are set.</summary>
/// <param name="HostKey">The key of the host. Default <c>host</c>.</param>
/// <param name="PortKey">The key of the port. Default <c>port</c>.</param>
public sealed record SecretPointer(string Namespace, string Name, string HostKey = "host", string PortKey = "port");

/// <summary>An ExternalSecret that has the key of the primary's node.</summary>
/// <param name="Keys">By node: the key in the store, as in <c>remoteRef.key</c> and <c>extract.key</c>.</param>
public sealed record ExternalSecretPointer(string Namespace, string Name, IReadOnlyDictionary<string, string> Keys);

/// <summary>Two buckets of which the primary's is written to.</summary>
/// <param name="Names">By node: its bucket, in its region.</param>
/// <param name="ReplicationRole">The ARN of the role as which S3 copies the primary's bucket to the other one; null: how they are copied is not ours to set.</param>
public sealed record BucketPointer(IReadOnlyDictionary<string, string> Names, string? ReplicationRole = null);

/// <summary>A CNAME or A record of a zone of ours in Route 53.</summary>
/// <param name="Zone">The zone's name.</param>
/// <param name="Name">The record's name.</param>
/// <param name="TimeToLiveSeconds">For how long resolvers keep it. Default 5.</param>
/// <param name="Region">Whose AWS connection is used; null: the region that becomes primary.</param>
public sealed record DnsPointer(string Zone, string Name, int TimeToLiveSeconds = 5, string? Region = null);
