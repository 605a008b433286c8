using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>In which order a cold site comes back, and what its approval is bound to.</summary>
public sealed class EnvironmentRestorePlanTests
{
    private static readonly Dictionary<string, StoreKind> Stores = new()
    {
        ["cluster-state"] = StoreKind.KubernetesState,
        ["elasticsearch"] = StoreKind.Elasticsearch,
        ["postgresql"] = StoreKind.Postgresql,
        ["audit"] = StoreKind.Postgresql,
        ["vault"] = StoreKind.Vault,
    };

    [Fact]
    public void Who_holds_the_secrets_of_others_comes_first_and_what_brings_everything_else_last()
    {
        var steps = EnvironmentRestorePlan.InOrder(Stores, ["argo-cd", "redis", "temporal-web", "temporal-worker", "temporal-frontend", "temporally-not"], still: true);
        Assert.Equal(["vault", "audit", "postgresql", "elasticsearch", "temporal", "temporal-fence", "temporal-worker", "argo-cd"], steps.Select(step => step.Name));
        Assert.Equal(["temporal-frontend", "temporal-web"], steps[4].Components!);
        Assert.All(steps.Take(4), step => Assert.Equal(EnvironmentStepKind.Restore, step.Kind));
        Assert.Empty(EnvironmentRestorePlan.InOrder(new Dictionary<string, StoreKind>(), ["redis"], still: true));
        // As runs of before have planned it.
        Assert.Equal(["temporal-frontend", "temporal-worker"], Assert.Single(EnvironmentRestorePlan.InOrder(new Dictionary<string, StoreKind>(), ["temporal-worker", "temporal-frontend"], still: false)).Components!);
    }

    [Fact]
    public void Its_hash_is_of_the_steps_and_of_the_plan_of_each()
    {
        var plan = new EnvironmentRestorePlan { Environment = "production", Target = Sets.Now, Steps = EnvironmentRestorePlan.InOrder(Stores, ["argo-cd"], still: true) };
        Assert.Equal(plan.Hash, (plan with { Steps = [.. plan.Steps.Select(step => step with { Does = "other words" })] }).Hash);
        Assert.All(
            new[] { plan with { Target = null }, plan with { Environment = "staging" }, plan with { Steps = [.. plan.Steps.Skip(1)] }, plan with { Steps = [plan.Steps[0] with { PlanHash = "abc" }, .. plan.Steps.Skip(1)] } },
            other => Assert.NotEqual(plan.Hash, other.Hash));
    }
}
