using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Certificates;

/// <summary>Words that cert-manager's controllers share.</summary>
internal static class CertManager
{
    public const string Group = "cert-manager.io";

    /// <summary>Where ClusterIssuers keep their Secrets: where cert-manager runs.</summary>
    public static string ClusterSpace(Cluster cluster) =>
        cluster.Of(Resources.Deployments).All.FirstOrDefault(deployment => deployment.Name == "cert-manager")?.Namespace ?? "cert-manager";

    /// <summary>The namespace of an issuer's Secrets.</summary>
    public static string SpaceOf(Cluster cluster, ClusterObject issuer) => issuer.Namespace.Length > 0 ? issuer.Namespace : ClusterSpace(cluster);
}
