using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Guard.Configuration;

namespace PlatformOps.Guard;

/// <summary>Opens the witness that a configuration names.</summary>
public static class Witnesses
{
    private const string Place = "witness";

    /// <summary>Nothing is called yet.</summary>
    /// <exception cref="AdapterException">What the configuration says cannot work.</exception>
    public static IWitness Open(GuardConfiguration configuration)
    {
        var timeout = configuration.Lease.CallTimeout;
        if (configuration.Witness.S3 is { } s3)
        {
            var connections = Of(new() { Aws = new(s3.Region, s3.Endpoint, s3.CredentialsFile, s3.Profile) });
            return new S3Witness(RegionAws.Open(connections, Place, timeout), s3.Bucket, s3.Key);
        }

        var lease = configuration.Witness.Kubernetes!;
        return new KubernetesWitness(
            KubernetesConnection.Open(Of(new() { Kubeconfig = lease.Kubeconfig, Context = lease.Context }), Place, lease.Context ?? Place), lease.Namespace, lease.Name, timeout);
    }

    private static PlatformConnections Of(RegionConnection witness) => new() { Regions = new Dictionary<string, RegionConnection> { [Place] = witness } };
}
