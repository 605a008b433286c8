using PlatformOps.Activities.Scaling;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>Replicas of a workload, against a Kubernetes API.</summary>
public abstract class ScaleTests(TestCluster cluster)
{
    [Fact]
    public async Task A_number_that_was_set_is_neither_drift_nor_taken_back_by_provisioning()
    {
        await using var world = await WorldAsync();
        var first = await world.LookAsync(to: 4);
        Assert.Equal((2, "from 2 to 4", new ScaleRange(1, 8)), (first.Seen.Replicas, $"from {first.Plan!.Components[0].Objects[0].Changes[0].From} to {first.Plan.Components[0].Objects[0].Changes[0].To}", first.Subject.Range));

        var until = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await world.SetAsync(first, 2, 4, new("op-scale", 2, until));
        await world.UntilReadyAsync(4);

        var scaled = await world.LookAsync();
        Assert.Equal((new TemporaryScale("op-scale", 2, until), 4), (scaled.Temporary, scaled.Pods.Count));
        Assert.Empty(Drift.In((await world.Platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan));
        world.Platform.Specify("{image: \"registry.example.com/web:2\"}");
        await world.Platform.ProvisionAsync("op-2");
        var web = await world.WebAsync();
        Assert.Equal((4, "registry.example.com/web:2"), ((int)web["spec"]!["replicas"]!, (string?)web["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]));

        await world.SetAsync(await world.LookAsync(), 4, 2, null);
        Assert.Null((await world.LookAsync()).Temporary);
        Assert.Empty(Drift.In((await world.Platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan));
        await world.Platform.ProvisionAsync("op-3");
        Assert.Equal(2, (await world.LookAsync()).Seen.Replicas);
        // It is still its own: the next change is one more number within the range.
        await world.SetAsync(await world.LookAsync(), 2, 3, null);
        Assert.Empty(Drift.In((await world.Platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan));
    }

    [Fact]
    public async Task A_number_that_is_set_already_is_left_and_another_one_is_not_overwritten()
    {
        await using var world = await WorldAsync();
        var first = await world.LookAsync();
        await world.SetAsync(first, 2, 3, null);
        await world.SetAsync(first, 2, 3, null);
        await world.ByHandAsync(5);

        await world.Platform.FailsAsync(FailureTypes.FactsChanged, () => world.SetAsync(first, 3, 4, null));
        await world.Platform.FailsAsync(FailureTypes.FactsChanged, () => world.SetAsync(first with { Uid = "another" }, 5, 4, null));
        Assert.Equal(5, (await world.LookAsync()).Seen.Replicas);
    }

    [Fact]
    public async Task A_quota_leaves_room_for_some_and_a_disruption_budget_keeps_some()
    {
        await using var world = await WorldAsync();
        // The quota of the ground: one CPU for all, of which each takes a tenth.
        PodRoom? room = null;
        await Wait.UntilAsync(async () => (room = (await world.LookAsync(to: 8)).Around.Room) is null or { Quota: 8 }, () => $"{room}", TimeSpan.FromMinutes(2));
        var budgets = (await world.Kubectl.GetAsync("/apis/policy/v1")) is null ? "policy/v1beta1" : "policy/v1";
        await world.Kubectl.CreateAsync($"/apis/{budgets}/namespaces/{world.Platform.Space}/poddisruptionbudgets", $$$"""
            {"apiVersion":"{{{budgets}}}","kind":"PodDisruptionBudget","metadata":{"name":"web"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app.kubernetes.io/name":"web"} } } }
            """);

        Assert.Equal([new DisruptionFloor("web", 1)], (await world.LookAsync(to: 1)).Around.Floors);
    }

    [Fact]
    public async Task A_component_or_parameter_that_is_not_there_is_named()
    {
        await using var world = await WorldAsync();

        Assert.StartsWith("Field 'component' is 'nobody'", (await world.Platform.FailsAsync(FailureTypes.InvalidInput, () => world.LookAsync(component: "nobody"))).Message, StringComparison.Ordinal);
        Assert.Equal("Field 'parameter' is 'nothing', which app does not have. Possible: replicas, color, extra, image.", (await world.Platform.FailsAsync(FailureTypes.InvalidInput, () => world.LookAsync(parameter: "nothing"))).Message);
    }

    [Fact]
    public async Task Both_regions_are_looked_at_and_one_that_is_not_there_is_named()
    {
        await using var world = await WorldAsync();
        // The same cluster twice: what one region runs, the other one runs too.
        world.Platform.Write($"specification/environments/{world.Platform.Environment}.yaml", world.Platform.Read($"specification/environments/{world.Platform.Environment}.yaml")
            .Replace("kubernetesContext: test} }", "kubernetesContext: test}, us-west-2: {role: secondary, kubernetesContext: test} }", StringComparison.Ordinal));
        using var both = world.Platform.Scaling("us-west-2");

        var found = await world.Platform.RunAsync(() => both.ObserveStandbyAsync(new(world.Platform.Environment, null)));
        Assert.Equal(("us-west-2", "us-east-1"), (found.Region, found.Serving));
        Assert.True(found.Verdict.Enough is true || found.Verdict.Summary == "Whether us-west-2 could carry us-east-1 is not known: the cluster of us-west-2 shows no nodes.", found.Verdict.Summary);
        Assert.Equal("us-west-2", (await world.Platform.RunAsync(() => both.ObserveStandbyAsync(new(world.Platform.Environment, "us-east-1")))).Serving);
        Assert.StartsWith("Field 'region' is 'mars'", (await world.Platform.FailsAsync(FailureTypes.InvalidInput, () => world.Platform.RunAsync(() => both.ObserveStandbyAsync(new(world.Platform.Environment, "mars"))))).Message, StringComparison.Ordinal);
    }

    private protected async Task<ScaledWorld> WorldAsync()
    {
        var platform = await TestPlatform.CreateAsync(cluster);
        platform.Scale(1, 8);
        platform.Write("catalog/app/component.yaml", platform.Read("catalog/app/component.yaml") + "\nscaling: {workload: Deployment/web}\n");
        await platform.ProvisionAsync();
        var world = new ScaledWorld(platform, new(cluster), platform.Scaling(), cluster.Give(platform.Space, "web", PodFate.Ready));
        await world.UntilReadyAsync(2);
        return world;
    }

    private protected sealed record ScaledWorld(TestPlatform Platform, KubectlLike Kubectl, ScalingActivities Activities, IAsyncDisposable Fate) : IAsyncDisposable
    {
        private string Path => $"/apis/apps/v1/namespaces/{Platform.Space}/deployments/web";

        public Task<ScalingSight> LookAsync(int? to = null, string component = "app", string? parameter = null) =>
            Platform.RunAsync(() => Activities.ObserveScalingAsync(new(new(Platform.Environment, component, TestPlatform.Region), parameter, to)));

        public async Task UntilReadyAsync(int replicas)
        {
            ScalingSight? sight = null;
            await Wait.UntilAsync(async () => (sight = await LookAsync()).Seen is var seen && seen.Replicas == replicas && seen.Ready == replicas, () => $"{sight?.Seen}", TimeSpan.FromMinutes(2));
        }

        public Task SetAsync(ScalingSight sight, int from, int to, TemporaryScale? temporary) => Platform.RunAsAWorkerAsync(
            () => Activities.SetReplicasAsync(new(new(Platform.Environment, "app", TestPlatform.Region), sight.Uid!, from, to, "op-scale", "the sale", [], temporary)));

        public Task ByHandAsync(int replicas) => Kubectl.MergeAsync($"{Path}?fieldManager=kubectl-edit", $$$"""{"spec":{"replicas":{{{replicas}}}}}""");

        public async Task<System.Text.Json.Nodes.JsonObject> WebAsync() => (await Kubectl.GetAsync(Path))!;

        public async ValueTask DisposeAsync()
        {
            await Fate.DisposeAsync();
            Activities.Dispose();
            Kubectl.Dispose();
            await Platform.DisposeAsync();
        }
    }
}

public sealed class ScaleTestsOnTheSandbox(SandboxCluster cluster) : ScaleTests(cluster)
{
    /// <summary>Not on the real server, which is too old to have this version of the kind.</summary>
    [Fact]
    public async Task A_component_that_the_specification_leaves_to_Kubernetes_is_scaled_by_nobody_else_and_comes_back()
    {
        await using var world = await WorldAsync();
        var (specification, catalog) = (world.Platform.Read("specification/platform.yaml"), world.Platform.Read("catalog/app/component.yaml"));
        world.Platform.Write("catalog/app/component.yaml", catalog.Replace("{workload: Deployment/web}", "{workload: Deployment/web, signals: [{name: cpu, kind: average, target: 60, query: q, scaler: cpu}]}", StringComparison.Ordinal));
        world.Platform.Write("specification/platform.yaml", specification.Replace("maximum: 8", "maximum: 8, by: hpa", StringComparison.Ordinal));
        await world.Platform.ProvisionAsync();

        var autoscaler = await world.Kubectl.GetAsync($"/apis/autoscaling/v2/namespaces/{world.Platform.Space}/horizontalpodautoscalers/web");
        Assert.Equal((1, 8, "web"), ((int)autoscaler!["spec"]!["minReplicas"]!, (int)autoscaler["spec"]!["maxReplicas"]!, (string)autoscaler["spec"]!["scaleTargetRef"]!["name"]!));
        Assert.All((await world.Platform.PlanAsync()).Plan.Components.SelectMany(component => component.Objects), item => Assert.Equal(PlannedAction.None, item.Action));
        var seen = await world.LookAsync(to: 4);
        Assert.Equal("A HorizontalPodAutoscaler (scaling.app.by of the specification)", seen.Seen.Owner);
        Assert.Equal(PlannedAction.Conflict, seen.Plan!.Components[0].Objects[0].Action);

        world.Platform.Write("specification/platform.yaml", specification);
        Assert.Contains((await world.Platform.PlanAsync()).Plan.Components.SelectMany(component => component.Objects), item => item is { Action: PlannedAction.Prune, Address.Kind: "HorizontalPodAutoscaler" });
    }
}

public sealed class ScaleTestsOnARealApiServer(RealApiServer cluster) : ScaleTests(cluster)
{
    [Fact]
    public async Task An_autoscaler_of_Kubernetes_is_the_owner_of_the_number()
    {
        await using var world = await WorldAsync();
        await world.Kubectl.CreateAsync($"/apis/autoscaling/v1/namespaces/{world.Platform.Space}/horizontalpodautoscalers", """
            {"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler","metadata":{"name":"web"},"spec":{"minReplicas":2,"maxReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}}
            """);

        var seen = await world.LookAsync(to: 4);
        Assert.Equal($"HorizontalPodAutoscaler {world.Platform.Space}/web", seen.Seen.Owner);
        Assert.Equal(PlannedAction.Conflict, seen.Plan!.Components[0].Objects[0].Action);
    }
}
