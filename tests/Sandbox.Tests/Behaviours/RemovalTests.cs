using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class RemovalTests(Clusters clusters)
{
    private static readonly ApiResource ConfigMaps = new("", "v1", "ConfigMap", "configmaps", true);
    private static readonly string Web = DeploymentTests.Web.Replace("replicas: 3", "replicas: 2");

    [Theory, OnEveryCluster]
    public async Task A_deleted_namespace_empties_and_goes(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.UntilAsync(Resources.ServiceAccounts, space, "default", _ => true);
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.CreateAsync(Resources.Services, space, "{metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}");
        await cluster.CreateAsync(Resources.Claims, space, "{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
        await cluster.CreateAsync(ConfigMaps, space, "{metadata: {name: settings}, data: {colour: blue}}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(2));
        var claim = await cluster.UntilAsync(Resources.Claims, space, "data", claim => claim.Status.Text("phase") == "Bound");

        await cluster.Client.DeleteAsync(await cluster.GetAsync(Resources.Namespaces, "", space), "Background", null, default);

        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Namespaces, "", space, default) is null);
        foreach (var resource in (ApiResource[])[Resources.Pods, Resources.ReplicaSets, Resources.Services, Resources.Endpoints, Resources.Claims, ConfigMaps])
            Assert.Empty(await cluster.ListAsync(resource, space));
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Volumes, "", $"pvc-{claim.Uid}", default) is null);
    }

    [Theory, OnEveryCluster]
    public async Task A_namespace_that_something_holds_says_what(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(ConfigMaps, space, "{metadata: {name: held, finalizers: [example.org/hold]}}");

        await cluster.Client.DeleteAsync(await cluster.GetAsync(Resources.Namespaces, "", space), "Background", null, default);

        var told = await cluster.UntilAsync(Resources.Namespaces, "", space, item => item.Status.Item("conditions", "type", "NamespaceFinalizersRemaining") is not null);
        Assert.Contains("example.org/hold", told.Status.Item("conditions", "type", "NamespaceFinalizersRemaining").Text("message"), StringComparison.Ordinal);
        await cluster.PatchAsync(ConfigMaps, space, "held", "metadata: {finalizers: null}");
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Namespaces, "", space, default) is null);
    }

    [Theory, OnEveryCluster]
    public async Task Dependents_follow_their_owner_in_the_background(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        var web = await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(2));

        await cluster.Client.DeleteAsync(web, "Background", null, default);

        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 0 && (await cluster.ListAsync(Resources.ReplicaSets, space)).Count == 0);
    }

    [Theory, OnEveryCluster]
    public async Task A_foreground_deletion_takes_the_dependents_first(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        var web = await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(2));

        await cluster.Client.DeleteAsync(web, "Foreground", null, default);

        await cluster.UntilAsync(async () =>
        {
            var there = await cluster.Client.FindAsync(Resources.Deployments, space, "web", default) is not null;
            if (!there)
                Assert.Empty(await cluster.PodsAsync(space));
            return !there;
        });
    }

    [Theory, OnEveryCluster]
    public async Task Orphans_stay_and_a_new_owner_that_selects_them_takes_them(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        var web = await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(2));
        var pods = (await cluster.PodsAsync(space)).Select(pod => pod.Uid).ToList();

        await cluster.Client.DeleteAsync(web, "Orphan", null, default);
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Deployments, space, "web", default) is null);
        Assert.Null(Assert.Single(await cluster.ListAsync(Resources.ReplicaSets, space)).Controller);

        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(2));
        Assert.Equal(pods, (await cluster.PodsAsync(space)).Select(pod => pod.Uid));
    }

    [Theory, OnEveryCluster]
    public async Task What_has_another_owner_left_stays_and_forgets_the_lost_one(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        var first = await cluster.CreateAsync(ConfigMaps, space, "{metadata: {name: first}}");
        var second = await cluster.CreateAsync(ConfigMaps, space, "{metadata: {name: second}}");
        await cluster.CreateAsync(ConfigMaps, space, $$"""
            metadata:
              name: shared
              ownerReferences:
              - {apiVersion: v1, kind: ConfigMap, name: first, uid: "{{first.Uid}}"}
              - {apiVersion: v1, kind: ConfigMap, name: second, uid: "{{second.Uid}}"}
            """);

        await cluster.Client.DeleteAsync(first, "Background", null, default);
        var shared = await cluster.UntilAsync(ConfigMaps, space, "shared", item => item.Owners.Count == 1);
        Assert.Equal(second.Uid, shared.Owners[0].Uid);

        await cluster.Client.DeleteAsync(second, "Background", null, default);
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(ConfigMaps, space, "shared", default) is null);
    }

    [Theory, OnEveryCluster]
    public async Task Owners_and_namespaces_of_custom_kinds_are_cared_for_too(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        var group = $"{space}.example.org";
        await cluster.CreateAsync(Resources.Definitions, "", $$"""
            metadata: {name: "gadgets.{{group}}"}
            spec:
              group: "{{group}}"
              scope: Namespaced
              names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
              versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true} } }]
            """);
        var gadgets = new ApiResource(group, "v1", "Gadget", "gadgets", true);
        ClusterObject? gadget = null;
        await cluster.UntilAsync(async () =>
        {
            try
            {
                gadget = await cluster.CreateAsync(gadgets, space, "{metadata: {name: one}}");
            }
            catch (ClusterError error) when (error.NotFound)
            {
                // Not served yet.
            }
            return gadget is not null;
        });
        await cluster.CreateAsync(ConfigMaps, space, $$"""
            metadata:
              name: part
              ownerReferences: [{apiVersion: "{{group}}/v1", kind: Gadget, name: one, uid: "{{gadget!.Uid}}"}]
            """);

        await cluster.Client.DeleteAsync(gadget, "Background", null, default);

        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(ConfigMaps, space, "part", default) is null);
    }
}
