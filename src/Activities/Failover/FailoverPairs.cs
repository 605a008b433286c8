using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Activities.Failover;

/// <summary>Opens the database of an environment as the connections state it: PostgreSQL behind guards, and the witness.</summary>
public static class FailoverPairs
{
    /// <summary>What the witness's own connection is called in messages.</summary>
    private const string Witness = "witness";

    /// <exception cref="AdapterException">Something is missing; the message names the field.</exception>
    public static FailoverPair Open(string environment, FailoverAccess access)
    {
        if (access.GuardTls is not { ServerCertificateAuthority: { } authority, ClientCertificate: { } certificate, ClientKey: { } key })
            throw Missing(environment, "guardTls (serverCertificateAuthority, clientCertificate, clientKey)");
        var guards = new GuardAccess(access.Nodes.ToDictionary(node => node.Key, node => new Uri(node.Value.Guard)), authority, certificate, key);
        return new(new GuardedPostgres(guards), WitnessOf(environment, access.Witness ?? throw Missing(environment, Witness)), FailoverPair.ProbeOf(environment, access))
        {
            Certificates = new(guards),
            Timing = access.Timing?.ToTiming() ?? new(),
        };
    }

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
