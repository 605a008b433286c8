using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>Kinds whose definition is removed while somebody looks.</summary>
public abstract class GoneKindTests(TestCluster cluster)
{
    [Fact]
    public async Task Nothing_is_left_of_a_kind_that_is_served_no_more()
    {
        Assert.SkipWhen(cluster.Missing is not null, cluster.Missing ?? "");
        var ct = TestContext.Current.CancellationToken;
        var group = $"g{Guid.NewGuid():N}.example.com";
        const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        var kind = new ObjectKind($"{group}/v1", "Visit");
        using var kubectl = new KubectlLike(cluster);
        using var connection = KubernetesConnection.Open(
            new() { Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { Kubeconfig = cluster.Kubeconfig(cluster.Api, cluster.Token) } } }, "us-east-1", "test");
        await kubectl.CreateAsync(Definitions, $$$"""
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "visits.{{{group}}}"}, "spec": {"group": "{{{group}}}", "scope": "Namespaced",
            "names": {"plural": "visits", "singular": "visit", "kind": "Visit", "listKind": "VisitList"}, "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"} } }] } }
            """);
        await Wait.UntilAsync(async () => await kubectl.GetAsync($"/apis/{group}/v1/visits") is not null, () => "It is not served.");
        await kubectl.CreateAsync($"/apis/{group}/v1/namespaces/default/visits", $$"""{"apiVersion": "{{group}}/v1", "kind": "Visit", "metadata": {"name": "first"} }""");
        var objects = new LiveObjects(connection);
        Assert.Single(await objects.ListAsync(kind, "default", "", ct));

        await kubectl.DeleteAsync($"{Definitions}/visits.{group}");
        await Wait.UntilAsync(async () => await kubectl.GetAsync($"/apis/{group}/v1") is null, () => "It is still served.");
        Assert.Empty(await objects.ListAsync(kind, "default", "", ct));
        // From now on it is unknown, as before it was defined.
        Assert.Equal(AdapterFailureKind.NotServed, (await Assert.ThrowsAsync<AdapterException>(() => objects.ListAsync(kind, "default", "", ct))).Kind);
    }
}

/// <summary>Runs on the sandbox.</summary>
public sealed class GoneKindInTheSandboxTests(SandboxCluster cluster) : GoneKindTests(cluster);

/// <summary>Runs on a real API server.</summary>
public sealed class GoneKindOnARealApiServerTests(RealApiServer cluster) : GoneKindTests(cluster);
