using System.Text;
using k8s;
using PlatformOps.Sandbox.Aws;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>A platform in two regions whose Temporal has its data in a managed database.</summary>
internal static class ManagedPlatform
{
    /// <summary>What the region's cluster knows of its database.</summary>
    public sealed record KnownDatabase(string Address, string User, string Password);

    /// <summary>Temporal itself runs where it can write.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "environments"));
        File.WriteAllText(Path.Combine(folder, "platform.yaml"), """
            apiVersion: platformops.io/v1
            kind: Platform
            name: reference
            nodes: {temporal-backend: {profile: balanced, labels: {tier: backend}, count: 1}, data-layer: {profile: balanced, labels: {tier: data}, count: 1} }
            clusterSize: 2
            database: single
            monitoring: basic
            security: development-tls
            namespaces: {temporal-backend: {purpose: Temporal, networkPolicy: restricted-ingress-egress, resourceClass: high-priority} }
            components:
              namespaces: {istioInjection: disabled}
              elasticsearch: {replicas: 1}
              postgresql: {enabled: false}
              managed-database: {certificateAuthority: "AUTHORITY"}
              temporal-schema: {regions: [us-east-1]}
              temporal-history: {replicas: 1, historyShards: 4, regions: [us-east-1]}
              temporal-frontend: {replicas: 1, regions: [us-east-1]}
            performance: {workflowStartsPerSecond: 1, activityExecutionsPerSecond: 1, concurrentWorkflows: 1}
            scaling: {managed-database: {classes: [db.r6g.large, db.r6g.xlarge]} }
            failover: {database: off, fullStack: off, rto: 1h, rpo: 1h}
            """.Replace("AUTHORITY", AwsStandIn.DatabaseAuthority.ReplaceLineEndings("\\n"), StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(folder, "environments", "managed.yaml"), """
            apiVersion: platformops.io/v1
            kind: Environment
            name: managed
            regions: {us-east-1: {role: primary}, us-west-2: {role: secondary} }
            guardRails: {approvals: 0, maxParallel: 4, mayDestroy: true}
            """);
    }

    /// <summary>Has those who connect in a region trust something else.</summary>
    public static async Task TrustAsync(string data, string region, string pem)
    {
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(data, $"{region}.kubeconfig")));
        var patch = new k8s.Models.V1Patch(new { data = new Dictionary<string, string> { ["ca.pem"] = pem } }, k8s.Models.V1Patch.PatchType.MergePatch);
        await client.CoreV1.PatchNamespacedConfigMapAsync(patch, "postgresql-server", "temporal-backend", cancellationToken: TestContext.Current.CancellationToken);
    }

    public static async Task<KnownDatabase> DatabaseAsync(string data, string region)
    {
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(data, $"{region}.kubeconfig")));
        var service = await client.CoreV1.ReadNamespacedServiceAsync("postgresql", "temporal-backend", cancellationToken: TestContext.Current.CancellationToken);
        var secret = await client.CoreV1.ReadNamespacedSecretAsync("postgresql-credentials", "temporal-backend", cancellationToken: TestContext.Current.CancellationToken);
        return new(service.Spec.ExternalName, Encoding.UTF8.GetString(secret.Data["username"]), Encoding.UTF8.GetString(secret.Data["password"]));
    }
}
