using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class StatefulSetTests(Clusters clusters)
{
    private const string Store = """
        metadata: {name: store}
        spec:
          replicas: 3
          serviceName: store
          selector: {matchLabels: {app: store}}
          template:
            metadata: {labels: {app: store}}
            spec:
              terminationGracePeriodSeconds: 10
              containers: [{name: store, image: "store:1", volumeMounts: [{name: data, mountPath: /data}]}]
          volumeClaimTemplates:
          - metadata: {name: data}
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
        """;

    [Theory, OnEveryCluster]
    public async Task Starts_its_pods_in_order_each_with_a_bound_claim(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.StatefulSets, space, Store);

        var set = await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(3));

        var pods = await cluster.PodsAsync(space);
        Assert.Equal(["store-0", "store-1", "store-2"], pods.Select(pod => pod.Name));
        // The next pod was created after the one before was ready; resource versions order the writes.
        var ready = pods.Select(pod => pod.Status.Item("conditions", "type", "Ready").Time("lastTransitionTime")).ToList();
        Assert.Equal(ready.Order(), ready);
        Assert.All(pods.Zip(pods.Skip(1)), pair => Assert.True(pair.First.Status.Item("conditions", "type", "Ready").Time("lastTransitionTime") <= pair.Second.Created));
        Assert.Equal("store-1", pods[1].Spec.Text("hostname"));
        Assert.Equal("store", pods[1].Spec.Text("subdomain"));
        var claims = await cluster.ListAsync(Resources.Claims, space);
        Assert.Equal(["data-store-0", "data-store-1", "data-store-2"], claims.Select(claim => claim.Name));
        await cluster.UntilAsync(async () => (await cluster.ListAsync(Resources.Claims, space)).All(claim => claim.Status.Text("phase") == "Bound"));
        Assert.Equal(set.Status.Text("currentRevision"), set.Status.Text("updateRevision"));
        Assert.All(pods, pod => Assert.Equal(set.Status.Text("updateRevision"), pod.Labels.Text("controller-revision-hash")));
    }

    [Theory, OnEveryCluster]
    public async Task Never_has_a_pod_whose_predecessor_is_not_ready(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "store")] = MisbehaviourKind.ImagePull;
        await cluster.CreateAsync(Resources.StatefulSets, space, Store);
        await cluster.UntilAsync(Resources.Pods, space, "store-0", pod => pod.Status.Items("containerStatuses").Any(status => status.At("state").At("waiting").Text("reason") == "ImagePullBackOff"));

        Assert.Equal(["store-0"], (await cluster.PodsAsync(space)).Select(pod => pod.Name));

        cluster.Misbehaviours.TryRemove((space, "store"), out _);
        await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(3));
    }

    [Theory, OnEveryCluster]
    public async Task Updates_from_the_highest_ordinal_down_and_keeps_the_claims(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.StatefulSets, space, Store);
        await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(3));
        var claims = (await cluster.ListAsync(Resources.Claims, space)).Select(claim => claim.Uid).ToList();

        await cluster.PatchAsync(Resources.StatefulSets, space, "store",
            "spec: {template: {spec: {containers: [{name: store, image: 'store:2', volumeMounts: [{name: data, mountPath: /data}]}]}}}");
        await cluster.UntilAsync(async () =>
        {
            var images = (await cluster.PodsAsync(space)).ToDictionary(pod => pod.Name, pod => pod.Spec.Items("containers").Single().Text("image"));
            var updated = Enumerable.Range(0, 3).Select(ordinal => images.GetValueOrDefault($"store-{ordinal}") == "store:2").ToList();
            var old = Enumerable.Range(0, 3).Select(ordinal => images.GetValueOrDefault($"store-{ordinal}") == "store:1").ToList();
            Assert.False(updated[0] && old[1] || updated[1] && old[2], "A pod was updated before one above it.");
            return updated.TrueForAll(one => one);
        });
        var set = await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(3));

        Assert.Equal(2, (await cluster.ListAsync(Resources.Revisions, space)).Count);
        Assert.Equal(set.Status.Text("updateRevision"), set.Status.Text("currentRevision"));
        Assert.Equal(claims, (await cluster.ListAsync(Resources.Claims, space)).Select(claim => claim.Uid));
    }

    [Theory, OnEveryCluster]
    public async Task Scales_down_from_the_highest_ordinal_and_keeps_the_claims(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.StatefulSets, space, Store.Replace("  replicas: 3", "  replicas: 3\n  podManagementPolicy: Parallel"));
        await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(3));

        await cluster.PatchAsync(Resources.StatefulSets, space, "store", "spec: {replicas: 1}");
        await cluster.UntilAsync(Resources.StatefulSets, space, "store", IsRolledOut(1));

        Assert.Equal(["store-0"], (await cluster.PodsAsync(space)).Select(pod => pod.Name));
        Assert.Equal(3, (await cluster.ListAsync(Resources.Claims, space)).Count);
    }

    /// <summary>What <c>kubectl rollout status</c> waits for.</summary>
    internal static Func<ClusterObject, bool> IsRolledOut(int replicas) => set =>
        set.Status.Number("observedGeneration") == set.Generation
        && set.Status.Number("replicas") == replicas
        && set.Status.Number("readyReplicas") == replicas
        && set.Status.Number("updatedReplicas") == replicas
        && set.Status.Text("currentRevision") == set.Status.Text("updateRevision");
}
