using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Removing what an operation created, and listing what is left of it.</summary>
public abstract class RollbackTests(TestCluster cluster)
{
    [Fact]
    public async Task Removes_what_the_operation_created_newest_first_and_a_second_run_finds_nothing()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        Assert.Equal(
            ["web", "web", "extra", "settings", "credentials", "quota", "workload", platform.Space],
            (await platform.ListAsync()).Objects.Select(address => address.Name));
        platform.Proxy.Forget();

        var removed = await platform.RemoveAsync("app");

        Assert.Equal(["Deployment", "Service", "ConfigMap", "ConfigMap", "Secret"], removed.Objects.Select(address => address.Kind));
        // A Deployment that its controller changes at that moment is looked at again.
        Assert.Equal(5, platform.Proxy.Mutations.DistinctBy(call => call.Path).Count());
        Assert.Equal(["quota", "workload", platform.Space], (await platform.ListAsync()).Objects.Select(address => address.Name));
        platform.Proxy.Forget();
        Assert.Empty((await platform.RemoveAsync("app")).Objects);
        Assert.Empty(platform.Proxy.Mutations);
        await platform.RemoveAsync("ground");
        Assert.Empty((await platform.ListAsync()).Objects);
    }

    /// <summary>Three objects of the ground, five of the application.</summary>
    public static TheoryData<int> Steps => [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task After_an_attempt_that_ended_at_any_object_a_rollback_leaves_nothing_to_list_and_the_ledger_agrees(int last)
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        using var dying = new CancellationTokenSource();
        platform.Proxy.Answered = _ =>
        {
            if (platform.Proxy.Mutations.Count == last)
                dying.Cancel();
        };
        var plan = (await platform.PlanAsync()).Plan;
        foreach (var component in plan.Components.TakeWhile(_ => !dying.IsCancellationRequested))
        {
            try
            {
                await platform.ApplyAsync(plan, component.Component, environment: new() { CancellationTokenSource = dying });
            }
            catch (OperationCanceledException) when (dying.IsCancellationRequested)
            {
                // As a worker that is told to stop.
            }
        }

        platform.Proxy.Answered = null;
        Assert.Equal(last, platform.Proxy.Mutations.Count);
        var created = (await platform.ListAsync()).Objects;
        Assert.Equal(last, created.Count);
        Assert.Equal(created.ToHashSet(), (await LedgerAsync(platform)).Select(entry => entry.Address).ToHashSet());

        foreach (var component in plan.Components.Reverse())
            await platform.RemoveAsync(component.Component);

        Assert.Empty((await platform.ListAsync()).Objects);
        Assert.Empty(await LedgerAsync(platform));
    }

    [Fact]
    public async Task Leaves_what_another_operation_created_and_what_is_no_longer_ours()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Specify("{extra: false}");
        await platform.ProvisionAsync("op-earlier");
        platform.Specify("{extra: true, color: red}");
        await platform.ProvisionAsync("op-1");
        using var kubectl = new KubectlLike(cluster);
        await kubectl.CreateAsync($"/api/v1/namespaces/{platform.Space}/configmaps", $$$"""
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs","annotations":{"{{{Ownership.CreatedByAnnotation}}}":"op-1"} } }
            """);

        var removed = await platform.RemoveAsync("app", "op-1");

        Assert.Equal("extra", Assert.Single(removed.Objects).Name);
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "theirs")));
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "settings")));
    }

    [Fact]
    public async Task Keeps_a_namespace_in_which_somebody_else_has_put_something()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ApplyAsync((await platform.PlanAsync()).Plan, "ground");
        using var kubectl = new KubectlLike(cluster);
        await kubectl.CreateAsync($"/api/v1/namespaces/{platform.Space}/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"} }""");

        var failure = await platform.FailsAsync(FailureTypes.NotRemoved, () => platform.RemoveAsync("ground"));

        Assert.Contains($"ConfigMap {platform.Space}/theirs", failure.Message, StringComparison.Ordinal);
        Assert.Equal([platform.Space], (await platform.ListAsync()).Objects.Select(address => address.Name));
        await kubectl.DeleteAsync(KubectlLike.ConfigMap(platform.Space, "theirs"));
        Assert.Equal(platform.Space, Assert.Single((await platform.RemoveAsync("ground")).Objects).Name);
    }

    [Fact]
    public async Task Looks_again_when_an_object_does_not_hold_still_and_spares_it_when_it_was_handed_over()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        var touched = 0;
        platform.Proxy.Intercept = async call =>
        {
            if (call.Method == "DELETE" && call.Path.Contains("/configmaps/extra", StringComparison.Ordinal) && touched++ == 0)
                await kubectl.MergeAsync(KubectlLike.ConfigMap(platform.Space, "extra"), """{"metadata":{"annotations":{"touched":"yes"}}}""");
            if (call.Method == "DELETE" && call.Path.Contains("/configmaps/settings", StringComparison.Ordinal))
                await kubectl.MergeAsync(KubectlLike.ConfigMap(platform.Space, "settings"), $$$"""{"metadata":{"labels":{"{{{Ownership.ManagedByLabel}}}":"Helm"} } }""");
            return null;
        };

        await platform.RemoveAsync("app");

        Assert.Equal(2, touched);
        Assert.Null(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "extra")));
        Assert.NotNull(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "settings")));
    }

    private static async Task<IReadOnlyList<LedgerEntry>> LedgerAsync(TestPlatform platform) =>
        (await platform.RunAsync(() => platform.Activities.ReadLedgerAsync(new(platform.Environment)))).Entries;
}

public sealed class RollbackTestsOnTheSandbox(SandboxCluster cluster) : RollbackTests(cluster);

public sealed class RollbackTestsOnARealApiServer(RealApiServer cluster) : RollbackTests(cluster);
