using System.Text;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace PlatformOps.Sandbox.Tests.Kubernetes;

/// <summary>The official .NET client works against the stand-in, through the kubeconfig that it gives.</summary>
public sealed class OfficialClientTests
{
    [Fact]
    public async Task Objects_are_created_listed_watched_patched_and_deleted()
    {
        await using var cluster = await SandboxCluster.StartAsync();
        using var client = Connect(cluster);
        var ct = TestContext.Current.CancellationToken;
        await client.CoreV1.CreateNamespaceAsync(new() { Metadata = new() { Name = "shop" } }, cancellationToken: ct);
        await client.AppsV1.CreateNamespacedDeploymentAsync(Deployment(), "shop", cancellationToken: ct);
        await client.AppsV1.PatchNamespacedDeploymentAsync(
            new(new { spec = new { replicas = 3 } }, V1Patch.PatchType.MergePatch), "web", "shop", cancellationToken: ct);
        var list = await client.AppsV1.ListDeploymentForAllNamespacesAsync(labelSelector: "app=web", cancellationToken: ct);
        Assert.Equal(3, Assert.Single(list.Items).Spec.Replicas);

        await client.AppsV1.DeleteNamespacedDeploymentAsync("web", "shop", cancellationToken: ct);
        await foreach (var (type, item) in client.AppsV1.WatchListNamespacedDeploymentAsync("shop", resourceVersion: list.ResourceVersion(), cancellationToken: ct))
        {
            Assert.Equal((WatchEventType.Deleted, "web"), (type, item.Name()));
            break;
        }
    }

    [Fact]
    public async Task A_refusal_carries_the_reason()
    {
        await using var cluster = await SandboxCluster.StartAsync();
        using var client = Connect(cluster);
        var refused = await Assert.ThrowsAsync<HttpOperationException>(() => client.CoreV1.ReadNamespaceAsync("nowhere", cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("namespaces \\\"nowhere\\\" not found", refused.Response.Content, StringComparison.Ordinal);
    }

    private static k8s.Kubernetes Connect(SandboxCluster cluster)
    {
        using var kubeconfig = new MemoryStream(Encoding.UTF8.GetBytes(cluster.Region.Kubeconfig));
        return new(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
    }

    private static V1Deployment Deployment() => new()
    {
        Metadata = new() { Name = "web", Labels = new Dictionary<string, string> { ["app"] = "web" } },
        Spec = new()
        {
            Selector = new() { MatchLabels = new Dictionary<string, string> { ["app"] = "web" } },
            Template = new()
            {
                Metadata = new() { Labels = new Dictionary<string, string> { ["app"] = "web" } },
                Spec = new() { Containers = [new() { Name = "web", Image = "web:1" }] },
            },
        },
    };
}
