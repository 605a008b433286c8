using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Removing an environment, and the ledger that proves it, against a Kubernetes API.</summary>
public abstract class DecommissionTests(TestCluster cluster)
{
    [Fact]
    public async Task The_ledger_of_what_was_created_equals_a_listing_by_label()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var outcomes = await platform.ProvisionAsync();

        var ledger = (await LedgerAsync(platform)).Entries;

        Assert.Equal(
            outcomes.Where(outcome => outcome.Result == ObjectResult.Created)
                .Select(outcome => Ledger.Entry(outcome.Address, outcome.Owner, outcome.OperationId, outcome.Cost ?? CostClass.None)).OrderBy(entry => entry.Address.ToString()),
            ledger.OrderBy(entry => entry.Address.ToString()));
        Assert.Equal((await platform.ListAsync()).Objects.ToHashSet(), ledger.Select(entry => entry.Address).ToHashSet());
        var web = Assert.Single(ledger, entry => entry.Address.Kind == "Deployment");
        Assert.Equal(($"app of shop/{platform.Environment}", "op-1", CostClass.Compute), (web.Owner, web.OperationId, web.Cost));
        Assert.StartsWith("kept", Assert.Single(ledger, entry => entry.Address.Kind == "Secret").Compensation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Keeps_what_holds_data_unless_it_is_asked_for_and_allowed(bool mayDestroy, bool includeDataStores)
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify(mayDestroy: mayDestroy);

        var plan = await PlanAsync(platform, includeDataStores);
        Assert.Equal(["app@us-east-1", "ground@us-east-1"], plan.Components.Select(component => component.Step));
        await RemoveAsync(platform, plan);

        Assert.Equal(["Namespace", "Secret"], (await LedgerAsync(platform)).Entries.Select(entry => entry.Address.Kind).Order());
        Assert.DoesNotContain((await PlanAsync(platform, includeDataStores)).Components.SelectMany(component => component.Objects), planned => planned.Action == PlannedAction.Prune);
    }

    [Fact]
    public async Task Removes_everything_when_data_is_included_and_a_second_attempt_finds_nothing_to_do()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        var plan = await PlanAsync(platform, includeDataStores: true);

        await RemoveAsync(platform, plan);
        platform.Proxy.Forget();
        await RemoveAsync(platform, plan);

        Assert.Empty(platform.Proxy.Mutations);
        Assert.Empty((await LedgerAsync(platform)).Entries);
        Assert.Empty((await PlanAsync(platform, includeDataStores: true)).Components);
    }

    [Fact]
    public async Task Removes_nothing_that_is_not_ours_any_more_or_another_object_and_no_namespace_with_a_stranger_in_it()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        var plan = await PlanAsync(platform, includeDataStores: true);
        await kubectl.MergeAsync(KubectlLike.ConfigMap(platform.Space, "settings"), """{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"}}}""");
        platform.Proxy.Forget();

        var handedOver = await platform.FailsAsync(FailureTypes.Conflict, () => RemoveAsync(platform, plan, "app"));
        Assert.Contains("settings does not carry our labels any more", handedOver.Message, StringComparison.Ordinal);
        await kubectl.DeleteAsync(KubectlLike.ConfigMap(platform.Space, "settings"));
        await platform.ApplyAsync((await platform.PlanAsync()).Plan, "app", "op-2");
        platform.Proxy.Forget();
        var another = await platform.FailsAsync(FailureTypes.FactsChanged, () => RemoveAsync(platform, plan, "app"));
        Assert.Contains("settings is another object than the one that was planned for", another.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);

        await kubectl.CreateAsync($"/api/v1/namespaces/{platform.Space}/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"stranger"}}""");
        plan = await PlanAsync(platform, includeDataStores: true);
        await RemoveAsync(platform, plan, "app");
        var stranger = await platform.FailsAsync(FailureTypes.NotRemoved, () => RemoveAsync(platform, plan, "ground"));
        Assert.Contains("ConfigMap " + platform.Space + "/stranger", stranger.Message, StringComparison.Ordinal);
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "stranger")));
    }

    [Fact]
    public async Task What_cert_manager_left_behind_for_our_certificate_goes_with_data_and_nobody_elses_does()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        var secrets = $"/api/v1/namespaces/{platform.Space}/secrets";
        string Left(string name, string labels) =>
            $$$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"{{{name}}}","labels":{{{labels}}},"annotations":{"cert-manager.io/certificate-name":"web"} } }""";
        var ours = $$"""{"app.kubernetes.io/managed-by":"platformops","platformops.io/platform":"shop","platformops.io/environment":"{{platform.Environment}}","platformops.io/component":"app"}""";
        await kubectl.CreateAsync(secrets, Left("planned-tls", ours));

        Assert.DoesNotContain((await platform.PlanAsync()).Plan.Components.SelectMany(component => component.Objects), planned => planned.Address.Name == "planned-tls");
        var kept = (await PlanAsync(platform, includeDataStores: false)).Components.SelectMany(component => component.Objects).Single(planned => planned.Address.Name == "planned-tls");
        Assert.Equal(PlannedAction.None, kept.Action);
        var plan = await PlanAsync(platform, includeDataStores: true);
        var last = plan.Components.Single(component => component.Component == "app").Objects[^1];
        Assert.Equal(("planned-tls", PlannedAction.Prune, "cert-manager made it for our Certificate web."), (last.Address.Name, last.Action, last.Reason));

        await RemoveAsync(platform, plan, "app");
        Assert.Null(await kubectl.GetAsync($"{secrets}/planned-tls"));
        await kubectl.CreateAsync(secrets, Left("late-tls", ours));
        await kubectl.CreateAsync(secrets, Left("foreign-tls", "{}"));
        var stranger = await platform.FailsAsync(FailureTypes.NotRemoved, () => RemoveAsync(platform, plan, "ground"));
        Assert.Contains($"Secret {platform.Space}/foreign-tls. ", stranger.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("late-tls", stranger.Message, StringComparison.Ordinal);

        await kubectl.DeleteAsync($"{secrets}/foreign-tls");
        await RemoveAsync(platform, plan, "ground");
        Assert.Empty((await LedgerAsync(platform)).Entries);
    }

    private static async Task<ProvisioningPlan> PlanAsync(TestPlatform platform, bool includeDataStores) => (await platform.RunAsync(
        () => platform.Activities.PlanEnvironmentAsync(new(platform.Environment, Purpose: PlanPurpose.Decommission, IncludeDataStores: includeDataStores)))).Plan;

    private static Task<LedgerPage> LedgerAsync(TestPlatform platform) => platform.RunAsync(() => platform.Activities.ReadLedgerAsync(new(platform.Environment)));

    private static async Task RemoveAsync(TestPlatform platform, ProvisioningPlan plan, string? component = null)
    {
        foreach (var planned in plan.Components.Where(planned => (component ?? planned.Component) == planned.Component))
            await platform.RunAsync(() => platform.Activities.RemovePlannedAsync(new(platform.Reference(plan, planned.Component, "op-end"), planned)));
    }
}

public sealed class DecommissionTestsOnTheSandbox(SandboxCluster cluster) : DecommissionTests(cluster);

public sealed class DecommissionTestsOnARealApiServer(RealApiServer cluster) : DecommissionTests(cluster);
