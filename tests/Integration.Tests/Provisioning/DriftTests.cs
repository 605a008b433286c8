using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Finding and reverting what people changed by hand, against a Kubernetes API.</summary>
public abstract class DriftTests(TestCluster cluster)
{
    [Fact]
    public async Task Finds_exactly_the_five_fields_that_were_changed_by_hand_and_brings_them_back()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        await ChangeByHandAsync(platform, kubectl);
        platform.Proxy.Forget();

        var plan = (await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan;

        Assert.Equal(
            [
                ("ResourceQuota", "spec.hard.pods", "50", "60"),
                ("ConfigMap", "data.color", "blue", "green"),
                ("ConfigMap", "data.size", "large", "small"),
                ("Deployment", "spec.replicas", "2", "7"),
                ("Deployment", "spec.template.spec.containers[name=web].image", "registry.example.com/web:1", "registry.example.com/web:2"),
            ],
            Drift.In(plan).Select(finding => (finding.Address.Kind, finding.Path!, finding.Declared!, finding.Found!)));
        Assert.All(Drift.In(plan), finding => Assert.Equal(["kubectl-edit"], finding.ChangedBy!));
        Assert.Empty(platform.Proxy.Mutations);

        var reverted = await RevertAsync(platform, plan);

        Assert.Equal(["quota", "settings", "web"], reverted.Where(outcome => outcome.Result == ObjectResult.Changed).Select(outcome => outcome.Address.Name));
        Assert.Equal(3, platform.Proxy.Mutations.Count);
        Assert.Empty(Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan));
        Assert.All((await platform.PlanAsync()).Plan.Components.SelectMany(component => component.Objects), planned => Assert.Equal(PlannedAction.None, planned.Action));
        Assert.Equal("yes", (string?)(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "settings")))!["data"]!["theirs"]);
    }

    [Fact]
    public async Task Creates_what_is_missing_and_touches_neither_what_is_not_declared_nor_what_is_not_ours()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        await kubectl.DeleteAsync(KubectlLike.ConfigMap(platform.Space, "settings"));
        await kubectl.CreateAsync($"/api/v1/namespaces/{platform.Space}/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"neighbour"},"data":{"color":"pink"}}""");
        platform.Specify("{extra: false}");
        platform.Proxy.Forget();

        var plan = (await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan;
        Assert.Equal([(DriftKind.Missing, "settings"), (DriftKind.Undeclared, "extra")], Drift.In(plan).Select(finding => (finding.Kind, finding.Address.Name)));
        await RevertAsync(platform, plan);

        Assert.Contains("/configmaps/settings", Assert.Single(platform.Proxy.Mutations).Path, StringComparison.Ordinal);
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "extra")));
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "neighbour")));
    }

    [Fact]
    public async Task Leaves_the_number_of_replicas_to_an_autoscaler_within_the_range_when_it_reverts_and_when_it_provisions()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Scale(1, 8);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        await ScaleAsync(platform, kubectl, 5);
        Assert.Empty(Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan));

        await kubectl.MergeAsync(KubectlLike.ConfigMap(platform.Space, "settings") + "?fieldManager=kubectl-edit", """{"data":{"color":"green"}}""");
        await RevertAsync(platform, (await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan);
        platform.Specify("{image: \"registry.example.com/web:2\"}");
        await platform.ProvisionAsync("op-2");

        var web = await kubectl.GetAsync($"/apis/apps/v1/namespaces/{platform.Space}/deployments/web");
        Assert.Equal((5, "registry.example.com/web:2"), ((int)web!["spec"]!["replicas"]!, (string?)web["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]));
        await ScaleAsync(platform, kubectl, 9);
        Assert.Equal("9", Assert.Single(Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan)).Found);
    }

    [Fact]
    public async Task Says_which_parameters_would_declare_what_was_found()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        await ChangeByHandAsync(platform, kubectl);
        var findings = Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan);

        var change = await platform.RunAsync(() => platform.Activities.ProposeAdoptionAsync(new(platform.Environment, findings)));

        Assert.Equal($"environments/{platform.Environment}.yaml", change.File);
        Assert.Equal("components:\n  app:\n    color: \"green\"\n    image: \"registry.example.com/web:2\"\n", change.Yaml);
        Assert.Equal(3, change.NotPossible.Count);
        platform.Specify("{color: green, image: \"registry.example.com/web:2\"}");
        var left = Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan);
        Assert.Equal(["spec.hard.pods", "data.size", "spec.replicas"], left.Select(finding => finding.Path));
    }

    /// <summary>As the controller of HorizontalPodAutoscalers does.</summary>
    private static Task ScaleAsync(TestPlatform platform, KubectlLike kubectl, int replicas) => kubectl.MergeAsync(
        $"/apis/apps/v1/namespaces/{platform.Space}/deployments/web?fieldManager=kube-controller-manager", $$$"""{"spec":{"replicas":{{{replicas}}}}}""");

    private static async Task ChangeByHandAsync(TestPlatform platform, KubectlLike kubectl)
    {
        const string by = "?fieldManager=kubectl-edit";
        await kubectl.MergeAsync($"/api/v1/namespaces/{platform.Space}/resourcequotas/quota{by}", """{"spec":{"hard":{"pods":"60"}}}""");
        await kubectl.MergeAsync(KubectlLike.ConfigMap(platform.Space, "settings") + by, """{"data":{"color":"green","size":"small","theirs":"yes"}}""");
        await kubectl.MergeAsync(
            $"/apis/apps/v1/namespaces/{platform.Space}/deployments/web{by}",
            """{"spec":{"replicas":7,"template":{"spec":{"containers":[{"name":"web","image":"registry.example.com/web:2","ports":[{"containerPort":8080}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}}}""");
    }

    private static async Task<IReadOnlyList<ObjectOutcome>> RevertAsync(TestPlatform platform, ProvisioningPlan plan)
    {
        var outcomes = new List<ObjectOutcome>();
        foreach (var component in plan.Components)
            outcomes.AddRange((await platform.ApplyAsync(plan, component.Component, "op-revert", purpose: PlanPurpose.Revert)).Objects);
        return outcomes;
    }
}

public sealed class DriftTestsOnTheSandbox(SandboxCluster cluster) : DriftTests(cluster);

public sealed class DriftTestsOnARealApiServer(RealApiServer cluster) : DriftTests(cluster);
