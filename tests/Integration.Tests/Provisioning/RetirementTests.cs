using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Components that were switched off after they had been provisioned, against a Kubernetes API.</summary>
public abstract class RetirementTests(TestCluster cluster)
{
    [Fact]
    public async Task What_is_left_of_them_is_planned_removed_and_gone_but_for_what_holds_data()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{enabled: false}");

        var plan = (await platform.PlanAsync()).Plan;
        var retired = Assert.Single(plan.Components, component => component.Retired);
        Assert.Equal(
            ["None Secret credentials", "Prune ConfigMap extra", "Prune ConfigMap settings", "Prune Deployment web", "Prune Service web"],
            retired.Objects.Select(planned => $"{planned.Action} {planned.Address.Kind} {planned.Address.Name}").Order(StringComparer.Ordinal));
        Assert.Equal(5, Drift.In((await platform.PlanAsync(purpose: PlanPurpose.Revert)).Plan).Count(finding => finding.Kind == DriftKind.Undeclared));
        Assert.Equal(
            (await DecommissionAsync(platform)).Components.Single(component => component.Component == "app").Objects.Select(planned => planned.Address).Order(ByName),
            retired.Objects.Select(planned => planned.Address).Order(ByName));

        await RemoveAsync(platform, plan, retired);
        platform.Proxy.Forget();
        await RemoveAsync(platform, plan, retired);

        Assert.Empty(platform.Proxy.Mutations);
        var left = Assert.Single((await platform.PlanAsync()).Plan.Components, component => component.Retired);
        Assert.Equal("Secret credentials", $"{Assert.Single(left.Objects).Address.Kind} {left.Objects[0].Address.Name}");
        Assert.EndsWith("but kept: a Secret is never removed by a plan.", left.Objects[0].Reason, StringComparison.Ordinal);
        var ledger = (await platform.RunAsync(() => platform.Activities.ReadLedgerAsync(new(platform.Environment)))).Entries;
        Assert.Equal(left.Objects.Select(planned => planned.Address), ledger.Where(entry => entry.Owner.StartsWith("app ", StringComparison.Ordinal)).Select(entry => entry.Address));
    }

    [Fact]
    public async Task Where_nothing_may_be_destroyed_they_are_kept_with_a_sentence()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{enabled: false}", mayDestroy: false);

        var retired = Assert.Single((await platform.PlanAsync()).Plan.Components, component => component.Retired);

        Assert.Equal(5, retired.Objects.Count);
        Assert.All(retired.Objects, planned => Assert.Equal(PlannedAction.None, planned.Action));
        Assert.Contains(retired.Objects, planned => planned.Reason ==
            $"It is ours, and {platform.Environment} does not have app any more in us-east-1, but kept: the guard rails of this environment do not allow removal (mayDestroy: false).");
    }

    private static readonly Comparer<ResourceAddress> ByName = Comparer<ResourceAddress>.Create((one, other) => string.CompareOrdinal(one.ToString(), other.ToString()));

    private static async Task<ProvisioningPlan> DecommissionAsync(TestPlatform platform) => (await platform.RunAsync(
        () => platform.Activities.PlanEnvironmentAsync(new(platform.Environment, Purpose: PlanPurpose.Decommission)))).Plan;

    private static Task<ComponentReport> RemoveAsync(TestPlatform platform, ProvisioningPlan plan, PlannedComponent retired) =>
        platform.RunAsync(() => platform.Activities.RemovePlannedAsync(new(platform.Reference(plan, retired.Component, "op-2"), retired)));
}

public sealed class RetirementTestsOnTheSandbox(SandboxCluster cluster) : RetirementTests(cluster);

public sealed class RetirementTestsOnARealApiServer(RealApiServer cluster) : RetirementTests(cluster);
