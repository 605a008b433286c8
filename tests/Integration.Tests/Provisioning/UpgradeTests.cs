using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Keeping what is applied, upgrading, and returning, against a Kubernetes API.</summary>
public abstract class UpgradeTests(TestCluster cluster)
{
    [Fact]
    public async Task Returns_to_exactly_what_was_applied_before_and_removes_what_the_upgrade_created()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Specify("{extra: false}");
        await platform.ProvisionAsync();
        platform.Specify("{color: red, image: \"registry.example.com/web:2\", extra: true}");
        var plan = (await PlanAsync(platform)).Plan;
        Assert.Equal(
            [("settings", PlannedAction.Change), ("extra", PlannedAction.Create), ("web", PlannedAction.Change)],
            Assert.Single(plan.Components).Objects.Where(planned => planned.Action != PlannedAction.None).Select(planned => (planned.Address.Name, planned.Action)));
        var before = await platform.RunAsync(() => platform.Activities.CaptureComponentAsync(new(platform.Reference(plan, "app", "op-up"), plan.Components[0])));
        await platform.ApplyAsync(plan, "app", "op-up", purpose: PlanPurpose.Upgrade);
        Assert.Empty(Changes((await PlanAsync(platform)).Plan));

        var restored = await RestoreAsync(platform, plan, before);
        await RestoreAsync(platform, plan, before);

        Assert.Equal(["settings", "web", "extra"], restored.Objects.Select(outcome => outcome.Address.Name));
        platform.Specify("{extra: false}");
        Assert.Empty(Changes((await platform.PlanAsync()).Plan));
        Assert.DoesNotContain("Secret", before.Manifests.Select(captured => captured.Address.Kind));
    }

    [Fact]
    public async Task Is_not_begun_before_it_is_specified()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();

        var failure = await platform.FailsAsync(
            FailureTypes.InvalidInput, () => PlanAsync(platform, new("2", new Dictionary<string, string> { ["color"] = "red" })));

        Assert.Contains("Field 'version' is 2, but specification and catalog say registry.example.com/web:1.", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"Set it under components.app in environments/{platform.Environment}.yaml first.", failure.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<PlannedObject> Changes(ProvisioningPlan plan) =>
        plan.Components.SelectMany(component => component.Objects).Where(planned => planned.Action != PlannedAction.None);

    private static Task<PlanEnvironmentResult> PlanAsync(TestPlatform platform, ExpectedOfSpecification? expected = null) =>
        platform.RunAsync(() => platform.Activities.PlanEnvironmentAsync(new(platform.Environment, ["app"], Purpose: PlanPurpose.Upgrade, Expected: expected)));

    private static Task<ComponentReport> RestoreAsync(TestPlatform platform, ProvisioningPlan plan, CapturedComponent before) =>
        platform.RunAsync(() => platform.Activities.RestoreComponentAsync(new(platform.Reference(plan, "app", "op-up"), before)));
}

public sealed class UpgradeTestsOnTheSandbox(SandboxCluster cluster) : UpgradeTests(cluster);

public sealed class UpgradeTestsOnARealApiServer(RealApiServer cluster) : UpgradeTests(cluster);
