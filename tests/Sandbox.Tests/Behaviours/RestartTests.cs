using System.Diagnostics;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class RestartTests
{
    [Theory, OnEveryCluster]
    public async Task A_restart_takes_over_what_is_there_and_writes_nothing_when_all_is_right(string target)
    {
        await using var cluster = await Clusters.NewAsync(target);
        var space = await cluster.NamespaceAsync();
        await using (var first = await ClusterBehaviours.StartAsync(cluster.Options(), default))
        {
            await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web);
            await cluster.CreateAsync(Resources.Services, space, "{metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}");
            await cluster.CreateAsync(Resources.StatefulSets, space, """
                metadata: {name: store}
                spec:
                  replicas: 2
                  serviceName: store
                  selector: {matchLabels: {app: store}}
                  template: {metadata: {labels: {app: store}}, spec: {initContainers: [{name: init, image: i}], containers: [{name: store, image: "store:1"}]}}
                  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
                """);
            await cluster.CreateAsync(Resources.DaemonSets, space, "{metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: a, image: a}]}}}}");
            await cluster.CreateAsync(Resources.Jobs, space, "{metadata: {name: job}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}");
            await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));
            await cluster.UntilAsync(Resources.StatefulSets, space, "store", StatefulSetTests.IsRolledOut(2));
            await cluster.UntilAsync(Resources.DaemonSets, space, "agent", set => set.Status.Number("numberAvailable") == 10);
            await cluster.UntilAsync(Resources.Jobs, space, "job", job => job.Status.Number("succeeded") == 1);
            await cluster.UntilAsync(Resources.Endpoints, space, "web", endpoints => endpoints.Body.Items("subsets").SelectMany(subset => subset.Items("addresses")).Count() == 3);
            await QuietAsync(first);
        }
        var before = await VersionsAsync(cluster, space);

        await using var second = await ClusterBehaviours.StartAsync(cluster.Options(), default);
        await QuietAsync(second);

        Assert.Equal(0, second.Cluster.Client.Writes);
        Assert.Equal(before, await VersionsAsync(cluster, space));
        // It is at work all the same.
        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 1}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(1));
    }

    [Theory, OnEveryCluster]
    public async Task What_changed_while_nobody_looked_is_caught_up_with(string target)
    {
        await using var cluster = await Clusters.NewAsync(target);
        var space = await cluster.NamespaceAsync();
        ClusterObject web;
        await using (await ClusterBehaviours.StartAsync(cluster.Options(), default))
        {
            await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web);
            web = await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));
        }
        await cluster.Client.DeleteAsync(web, "Background", null, default);
        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web.Replace("name: web}", "name: other}").Replace("app: web", "app: other"));

        await using var second = await ClusterBehaviours.StartAsync(cluster.Options(), default);

        await cluster.UntilAsync(Resources.Deployments, space, "other", DeploymentTests.IsRolledOut(3));
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).All(pod => pod.Name.StartsWith("other-", StringComparison.Ordinal)));
    }

    /// <summary>Waits until nothing has been left to do for a while: long enough for the echo of the last write to come back.</summary>
    private static async Task QuietAsync(ClusterBehaviours behaviours)
    {
        var quiet = Stopwatch.StartNew();
        for (var (waited, writes) = (Stopwatch.StartNew(), -1L); quiet.Elapsed < TimeSpan.FromMilliseconds(500); await Task.Delay(10))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(3), "The behaviours do not come to rest.");
            if (behaviours.Idle && behaviours.Cluster.Client.Writes == writes)
                continue;
            writes = behaviours.Cluster.Client.Writes;
            quiet.Restart();
        }
    }

    private static async Task<List<string>> VersionsAsync(TestCluster cluster, string space)
    {
        List<string> versions = [];
        foreach (var resource in await Discovery.ReadAsync(cluster.Client, default))
            if (resource.Namespaced)
                versions.AddRange((await cluster.ListAsync(resource, space)).Select(item => $"{item}@{item.Version}"));
        return versions;
    }
}
