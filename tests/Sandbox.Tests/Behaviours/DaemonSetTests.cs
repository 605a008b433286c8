using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class DaemonSetTests(Clusters clusters)
{
    private const string Agent = """
        metadata: {name: agent}
        spec:
          selector: {matchLabels: {app: agent}}
          template:
            metadata: {labels: {app: agent}}
            spec: {nodeSelector: {tier: data}, containers: [{name: agent, image: "agent:1"}]}
        """;

    [Theory, OnEveryCluster]
    public async Task Has_one_pod_on_every_node_that_fits_and_replaces_them_one_by_one(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.DaemonSets, space, Agent);
        await cluster.UntilAsync(Resources.DaemonSets, space, "agent", IsRolledOut(3));
        Assert.Equal(["data-1", "data-2", "data-3"], (await cluster.PodsAsync(space)).Select(pod => pod.Spec.Text("nodeName")!).Order());

        await cluster.PatchAsync(Resources.DaemonSets, space, "agent", "spec: {template: {spec: {containers: [{name: agent, image: 'agent:2'}]}}}");
        await cluster.UntilAsync(async () =>
        {
            var pods = await cluster.PodsAsync(space);
            Assert.True(pods.Count(pod => !pod.Deleting && pod.Status.Item("conditions", "type", "Ready")?.Text("status") == "True") >= 2, "Two pods were away at once.");
            return pods.Count == 3 && pods.All(pod => pod.Spec.Items("containers").Single().Text("image") == "agent:2");
        });
        await cluster.UntilAsync(Resources.DaemonSets, space, "agent", IsRolledOut(3));
    }

    private static Func<ClusterObject, bool> IsRolledOut(int nodes) => set =>
        set.Status.Number("observedGeneration") == set.Generation
        && set.Status.Number("desiredNumberScheduled") == nodes
        && set.Status.Number("updatedNumberScheduled") == nodes
        && set.Status.Number("numberAvailable") == nodes;
}
