using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Plans and reports that do not fit into one payload.</summary>
public class LargePlanTests(RunbookServer server)
{
    [Fact]
    public async Task A_plan_is_read_page_by_page()
    {
        var world = new FakeWorld(Diamond) { Page = (input, _) => PageOf(Diamond, input) };
        await using var run = await server.ProvisionAsync(world);

        var report = await run.ReportAsync();
        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal(Diamond.Components.Select(component => component.Step), report.Steps.Select(step => step.Name));
        Assert.Equal(4, world.Events.Count(did => did == "plan"));
    }

    [Fact]
    public async Task Pages_of_different_plans_are_not_put_together()
    {
        var other = Diamond with { Hash = new('9', 64) };
        var world = new FakeWorld(Diamond) { Page = (input, before) => PageOf(before < 2 ? Diamond : other, input) };
        await using var run = await server.ProvisionAsync(world);

        Assert.Equal(other.Hash, (await run.ReportAsync()).PlanHash);
        Assert.Equal(["", Step("postgresql"), Step("history")], Asked(world).Take(3));
        Assert.Equal(["", Step("postgresql"), Step("history"), Step("matching")], Asked(world).Skip(3));
    }

    [Fact]
    public async Task A_world_that_does_not_hold_still_ends_the_run_before_anything_is_changed()
    {
        var world = new FakeWorld(Diamond) { Page = (input, before) => PageOf(Diamond with { Hash = $"{before:d64}" }, input) };
        await using var run = await server.ProvisionAsync(world);

        var failure = await run.FailureAsync();
        Assert.Equal(FailureTypes.FactsChanged, failure.ErrorType);
        Assert.Contains("Find out who is changing the platform", failure.Message, StringComparison.Ordinal);
        Assert.Empty(world.MutatingCalls);
    }

    [Fact]
    public async Task A_report_that_would_be_too_large_leaves_to_queries_what_they_can_tell()
    {
        var objects = Enumerable.Range(0, 700).Select(number => Plans.Object($"object-{number}", PlannedAction.None, "As wanted.")).ToArray();
        var plan = Of(Component("redis").With(objects));
        var world = new FakeWorld(plan);
        await using var run = await server.ProvisionAsync(world, new() { Mode = RunbookMode.Plan });

        var report = await run.ReportAsync();
        Assert.Null(report.Plan);
        Assert.Empty(report.Objects);
        Assert.Equal(700, report.Results[ObjectResult.NotReached]);
        Assert.Equal(700, (await run.Handle.QueryAsync(workflow => workflow.Plan()))!.Components.Single().Objects.Count);
        Assert.Equal(700, (await run.Handle.QueryAsync(workflow => workflow.Objects())).Count);
    }

    /// <summary>One step to a page.</summary>
    internal static PlanEnvironmentResult PageOf(ProvisioningPlan plan, PlanEnvironmentInput input)
    {
        var from = input.After is null ? 0 : plan.Components.ToList().FindIndex(component => component.Step == input.After) + 1;
        return new(
            plan with { Components = [plan.Components[from]] }, new(0, 4, true, TimeSpan.FromHours(1)),
            from + 1 < plan.Components.Count ? plan.Components[from].Step : null);
    }

    private static IReadOnlyList<string> Asked(FakeWorld world) => [.. world.PlansAskedFor.Select(input => input.After ?? "")];
}
