using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Activities.Failover;

/// <summary>Opens the database of an environment as the connections state it: PostgreSQL behind guards, under CloudNativePG, in RDS, or an Aurora global database; and the witness.</summary>
public static class FailoverPairs
{
    /// <summary>What the witness's own connection is called in messages.</summary>
    private const string Witness = "witness";

    /// <summary>Opens databases whose regions are reached as these connections say.</summary>
    public static Func<string, FailoverAccess, FailoverPair> Opener(PlatformConnections connections) => (environment, access) => Open(environment, access, connections);

    /// <summary>The same where regions are reached as by default: enough for databases behind guards.</summary>
    public static FailoverPair Open(string environment, FailoverAccess access) => Open(environment, access, new());

    /// <param name="connections">How the regions are reached, for databases that are not behind guards.</param>
    /// <exception cref="AdapterException">Something is missing; the message names the field.</exception>
    public static FailoverPair Open(string environment, FailoverAccess access, PlatformConnections connections)
    {
        if (access.Problems($"failover.{environment}").ToList() is { Count: > 0 } problems)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{string.Join(' ', problems)} Correct the connections file.");
        var witness = WitnessOf(environment, access);
        var timing = access.Timing?.ToTiming() ?? new();
        var probe = FailoverPair.ProbeOf(environment, access);
        switch (access.Kind)
        {
            case "cloudNativePg":
                var clusters = access.Nodes.ToDictionary(node => node.Key, node => (KubernetesConnection.Open(connections, node.Key, node.Key), node.Value.CloudNativePg!));
                return new(new CloudNativePostgres(clusters, witness, TimeProvider.System), witness, probe) { Timing = timing };
            case "rds":
                var instances = access.Nodes.ToDictionary(node => node.Key, node => (RegionAws.Open(connections, node.Key), node.Value.Rds!));
                return new(new RdsPostgres(instances, witness, TimeProvider.System), witness, probe) { Timing = timing };
            case "aurora":
                var members = access.Nodes.ToDictionary(node => node.Key, node => (RegionAws.Open(connections, node.Key), node.Value.Aurora!));
                return new(new AuroraPostgres(members, witness, TimeProvider.System), witness, probe) { Timing = timing };
            default:
                var guards = Guards(environment, access);
                return new(new GuardedPostgres(guards), witness, probe) { Certificates = new(guards), Timing = timing };
        }
    }

    internal static GuardAccess Guards(string environment, FailoverAccess access) =>
        access.GuardTls is { ServerCertificateAuthority: { } authority, ClientCertificate: { } certificate, ClientKey: { } key }
            ? new(access.Nodes.ToDictionary(node => node.Key, node => new Uri(node.Value.Guard!)), authority, certificate, key)
            : throw Missing(environment, "guardTls (serverCertificateAuthority, clientCertificate, clientKey)");

    internal static IWitness WitnessOf(string environment, FailoverAccess access) => WitnessOf(environment, access.Witness ?? throw Missing(environment, Witness));

    private static IWitness WitnessOf(string environment, WitnessAccess how)
    {
        var own = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { [Witness] = new() { Aws = how.Aws, Kubeconfig = how.Kubeconfig, Context = how.Context } } };
        var timeout = TimeSpan.FromMilliseconds(how.TimeoutMilliseconds);
        return how switch
        {
            { Bucket: { } bucket, Key: { } key } => new S3Witness(RegionAws.Open(own, Witness, timeout), bucket, key),
            { Namespace: { } space, Name: { } name, Context: { } context } => new KubernetesWitness(KubernetesConnection.Open(own, Witness, context), space, name, timeout),
            _ => throw Missing(environment, "witness (bucket and key, or namespace, name and context)"),
        };
    }

    private static AdapterException Missing(string environment, string field) => new(
        AdapterFailureKind.Rejected, $"failover.{environment}: {field} is missing in the connections file. See docs/runbooks/failover.md.");
}
