using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class DeploymentTests(Clusters clusters)
{
    internal const string Web = """
        metadata: {name: web}
        spec:
          replicas: 3
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: "web:1"}]}
        """;

    [Theory, OnEveryCluster]
    public async Task Becomes_ready_with_pods_that_run(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);

        var web = await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));

        Assert.Equal("True", web.Status.Item("conditions", "type", "Available").Text("status"));
        Assert.Equal("NewReplicaSetAvailable", web.Status.Item("conditions", "type", "Progressing").Text("reason"));
        Assert.Equal("1", web.Annotations.Text("deployment.kubernetes.io/revision"));
        var pods = await cluster.PodsAsync(space);
        Assert.Equal(3, pods.Count);
        Assert.All(pods, pod =>
        {
            Assert.Equal("Running", pod.Status.Text("phase"));
            Assert.NotNull(pod.Spec.Text("nodeName"));
            Assert.StartsWith("10.244.", pod.Status.Text("podIP"), StringComparison.Ordinal);
            var container = Assert.Single(pod.Status.Items("containerStatuses"));
            Assert.True(container.Flag("ready"));
            Assert.Equal("web:1", container.Text("image"));
            Assert.Equal("ReplicaSet", pod.Controller?.Kind);
        });
        Assert.Equal(3, pods.Select(pod => pod.Status.Text("podIP")).Distinct().Count());
        Assert.Equal(3, pods.Select(pod => pod.Spec.Text("nodeName")).Distinct().Count());
    }

    [Theory, OnEveryCluster]
    public async Task Rolls_to_a_new_image_and_keeps_the_old_ReplicaSet_for_a_way_back(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {template: {spec: {containers: [{name: web, image: 'web:2'}]}}}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));

        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 3);
        Assert.All(await cluster.PodsAsync(space), pod => Assert.Equal("web:2", pod.Spec.Items("containers").Single().Text("image")));
        var sets = await cluster.ListAsync(Resources.ReplicaSets, space);
        Assert.Equal([0, 3], sets.Select(set => set.Spec.Number("replicas") ?? -1).Order());

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {template: {spec: {containers: [{name: web, image: 'web:1'}]}}}");
        var back = await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));
        Assert.Equal("3", back.Annotations.Text("deployment.kubernetes.io/revision"));
        Assert.Equal(2, (await cluster.ListAsync(Resources.ReplicaSets, space)).Count);
    }

    [Theory, OnEveryCluster]
    public async Task Scales_up_and_down(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 5}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(5));
        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 1}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(1));

        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 1);
    }

    [Theory, OnEveryCluster]
    public async Task Scaled_down_it_loses_the_pod_that_was_said_to_be_missed_least(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(3));
        var oldest = (await cluster.PodsAsync(space)).OrderBy(pod => pod.Created).ThenByDescending(pod => pod.Name, StringComparer.Ordinal).First().Name;
        await cluster.PatchAsync(Resources.Pods, space, oldest, "metadata: {annotations: {controller.kubernetes.io/pod-deletion-cost: '-100'}}");

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 2}");
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 2);

        Assert.DoesNotContain(await cluster.PodsAsync(space), pod => pod.Name == oldest);
    }

    [Theory, OnEveryCluster]
    public async Task Recreate_waits_for_the_last_old_pod_before_the_first_new_one(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web.Replace("  replicas: 3", "  replicas: 2\n  strategy: {type: Recreate}"));
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(2));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {template: {spec: {containers: [{name: web, image: 'web:2'}]}}}");
        await cluster.UntilAsync(async () =>
        {
            var images = (await cluster.PodsAsync(space)).Select(pod => pod.Spec.Items("containers").Single().Text("image")).ToHashSet();
            Assert.True(images.Count < 2, "An old and a new pod at the same time.");
            return images.SetEquals(["web:2"]);
        });
        await cluster.UntilAsync(Resources.Deployments, space, "web", IsRolledOut(2));
    }

    /// <summary>What <c>kubectl rollout status</c> waits for.</summary>
    internal static Func<ClusterObject, bool> IsRolledOut(int replicas) => deployment =>
        deployment.Status.Number("observedGeneration") == deployment.Generation
        && deployment.Status.Number("updatedReplicas") == replicas
        && deployment.Status.Number("replicas") == replicas
        && deployment.Status.Number("availableReplicas") == replicas;
}
