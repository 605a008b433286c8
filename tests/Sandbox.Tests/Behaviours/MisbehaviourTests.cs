using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class MisbehaviourTests(Clusters clusters)
{
    private static readonly string Web = DeploymentTests.Web.Replace("replicas: 3", "replicas: 1");

    [Theory, OnEveryCluster]
    public async Task An_image_that_cannot_be_pulled_is_named_and_recovers(string target)
    {
        var (cluster, space) = await StartAsync(target, MisbehaviourKind.ImagePull);
        var pod = await PodAsync(cluster, space, status => status.At("state").At("waiting").Text("reason") == "ImagePullBackOff");

        Assert.Equal("Pending", pod.Status.Text("phase"));
        Assert.Contains("web:1", Container(pod).At("state").At("waiting").Text("message"), StringComparison.Ordinal);
        var web = await cluster.GetAsync(Resources.Deployments, space, "web");
        Assert.Equal("False", web.Status.Item("conditions", "type", "Available").Text("status"));
        await RecoversAsync(cluster, space);
    }

    [Theory, OnEveryCluster]
    public async Task A_crashing_container_is_restarted_again_and_again_and_recovers(string target)
    {
        var (cluster, space) = await StartAsync(target, MisbehaviourKind.CrashLoop);
        var pod = await PodAsync(cluster, space, status => status.Number("restartCount") >= 2);

        Assert.Equal("CrashLoopBackOff", Container(pod).At("state").At("waiting").Text("reason"));
        Assert.Equal(1, Container(pod).At("lastState").At("terminated").Number("exitCode"));
        Assert.False(Container(pod).Flag("ready"));
        await RecoversAsync(cluster, space);
        Assert.True(Container(Assert.Single(await cluster.PodsAsync(space))).Number("restartCount") >= 2);
    }

    [Theory, OnEveryCluster]
    public async Task A_pod_without_room_stays_pending_says_so_and_recovers(string target)
    {
        var (cluster, space) = await StartAsync(target, MisbehaviourKind.Unschedulable);
        ClusterObject? pod = null;
        await cluster.UntilAsync(async () => (pod = (await cluster.PodsAsync(space)).SingleOrDefault())?.Status.Item("conditions", "type", "PodScheduled") is not null);

        var scheduled = pod!.Status.Item("conditions", "type", "PodScheduled");
        Assert.Equal(("False", "Unschedulable"), (scheduled.Text("status"), scheduled.Text("reason")));
        Assert.Equal("0/10 nodes are available: 10 Insufficient cpu.", scheduled.Text("message"));
        Assert.Null(pod.Spec.Text("nodeName"));
        await RecoversAsync(cluster, space);
    }

    [Theory, OnEveryCluster]
    public async Task A_selector_that_no_node_answers_leaves_the_pod_unscheduled(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web.Replace("spec: {containers", "spec: {nodeSelector: {tier: nowhere}, containers"));
        ClusterObject? pod = null;
        await cluster.UntilAsync(async () => (pod = (await cluster.PodsAsync(space)).SingleOrDefault())?.Status.Item("conditions", "type", "PodScheduled") is not null);

        Assert.Equal("0/10 nodes are available: 10 node(s) didn't match Pod's node affinity/selector.", pod!.Status.Item("conditions", "type", "PodScheduled").Text("message"));
    }

    private async Task<(TestCluster, string)> StartAsync(string target, MisbehaviourKind kind)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "web")] = kind;
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        return (cluster, space);
    }

    private static async Task<ClusterObject> PodAsync(TestCluster cluster, string space, Func<JsonNode, bool> condition)
    {
        ClusterObject? pod = null;
        await cluster.UntilAsync(
            async () => (pod = (await cluster.PodsAsync(space)).SingleOrDefault())?.Status.Items("containerStatuses").Any(condition) == true,
            () => $"The pod was last: {pod?.Body.ToJsonString()}");
        return pod!;
    }

    private static async Task RecoversAsync(TestCluster cluster, string space)
    {
        cluster.Misbehaviours.TryRemove((space, "web"), out _);
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(1));
    }

    private static JsonNode Container(ClusterObject pod) => Assert.Single(pod.Status.Items("containerStatuses"));
}
