using System.Text.Json;
using PlatformOps.Platform.Scaling;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>A version of workers that gets more and more of the new runs, or none again.</summary>
public sealed class RolloutWorkersTests(SkippingRunbookServer skipping, RunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Gets_part_after_part_and_then_all_and_drained_versions_are_forgotten()
    {
        await using var run = await ScaleRun.RollOutAsync(skipping, new());
        var report = await run.RolloutAsync();

        Assert.Equal(["2 10%", "2 25%", "2 50%", "2 all", "forget all but 5"], run.World.Events);
        Assert.Equal((RolloutOutcome.RolledOut, "2 has all new runs: 0 of 20 failed (0%).", "1"), (report.Outcome, report.Summary, report.From));
        Assert.Equal([10, 25, 50, 100], report.Parts.Select(part => part.Percentage));
        Assert.All(report.Parts.Zip(report.Parts.Skip(1)), pair => Assert.True(pair.Second.Since - pair.First.Since >= TimeSpan.FromMinutes(10)));
        Assert.Equal(["0"], report.Forgotten);
    }

    [Fact]
    public async Task A_failing_gate_at_ten_percent_leads_all_new_runs_back_to_the_old_version()
    {
        await using var run = await ScaleRun.RollOutAsync(skipping, new() { NewRuns = percentage => percentage < 10 ? RunCounts.None : new(20, 10, 0) });
        var report = await run.RolloutAsync();

        Assert.Equal(["2 10%", "1 all"], run.World.Events);
        Assert.Equal(new VersionRoute("1", null, 0), run.World.Routed);
        Assert.Equal(
            (RolloutOutcome.Returned, "Of runs on 2 10 of 20 failed (50%), on 1 2 of 100 failed (2%): more than 5% worse. All new runs go to 1 again; those that are pinned to 2 stay on it."), (report.Outcome, report.Summary));
        Assert.Equal(new(20, 10, 0), Assert.Single(report.Parts).New);
    }

    [Fact]
    public async Task What_goes_wrong_when_it_has_all_new_runs_is_taken_back_too()
    {
        await using var run = await ScaleRun.RollOutAsync(skipping, new() { NewRuns = percentage => new(20, 0, percentage == 100 ? 1 : 0) });

        Assert.Equal(RolloutOutcome.Returned, (await run.RolloutAsync()).Outcome);
        Assert.Equal(["2 10%", "2 25%", "2 50%", "2 all", "1 all"], run.World.Events);
    }

    [Fact]
    public async Task Too_few_runs_to_judge_by_are_somebodys_business_and_skipping_goes_back()
    {
        await using var run = await ScaleRun.RollOutAsync(server, new() { NewRuns = _ => new(3, 0, 0) }, new() { StepFor = "1s", JudgedWithin = "1s" });
        var parked = await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);

        Assert.Contains("3 of the 20 runs on 2 that are wanted at 10% have ended.", parked.Summary, StringComparison.Ordinal);
        Assert.Equal(["Lead all new runs to 1."], parked.Compensations);
        await run.TellAsync("skipStep", new StepInput("web@us-east-1", "it is night"));
        Assert.Equal(RolloutOutcome.Returned, (await run.RolloutAsync()).Outcome);
        Assert.Equal(["2 10%", "1 all"], run.World.Events);
    }

    [Fact]
    public async Task Somebody_elses_rollout_is_refused_and_what_somebody_changes_meanwhile_is_left()
    {
        await using var other = await ScaleRun.RollOutAsync(skipping, new() { Routed = new("1", "3", 20) });
        Assert.Equal(RolloutOutcome.Refused, (await other.RolloutAsync()).Outcome);
        Assert.Empty(other.World.Events);

        var world = new FakeScaling();
        world.NewRuns = percentage =>
        {
            if (percentage == 25)
                world.Routed = new("3", null, 0);
            return new(20, 0, 0);
        };
        await using var changed = await ScaleRun.RollOutAsync(skipping, world);
        var report = await changed.RolloutAsync();
        Assert.Equal((RolloutOutcome.Superseded, "Somebody else has changed where the new runs go: 3 is current."), (report.Outcome, report.Summary));
        Assert.Equal(new VersionRoute("3", null, 0), world.Routed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_of_unknown_outcome_is_looked_at_before_it_is_asked_for_again(bool afterEffect)
    {
        await using var run = await ScaleRun.RollOutAsync(server, new FakeScaling().Fail(afterEffect, FailureTypes.Forbidden), new() { StepFor = "1s", Percentages = [10] });
        await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);
        await run.TellAsync("retryStep", new StepInput("web@us-east-1"));

        Assert.Equal(RolloutOutcome.RolledOut, (await run.RolloutAsync()).Outcome);
        Assert.Equal(["2 10%", "2 all", "forget all but 5"], run.World.Events);
    }

    [Fact]
    public async Task An_abort_leads_back_and_only_a_plan_changes_nothing()
    {
        await using var run = await ScaleRun.RollOutAsync(server, new(), new() { StepFor = "1h" });
        await run.UntilAsync(status => status.Summary.StartsWith("2 has 10%", StringComparison.Ordinal));
        await run.TellAsync("abort", new AbortInput("changed our minds"));
        Assert.Equal((RolloutOutcome.Returned, "1"), (await run.RolloutAsync()) is var report ? (report.Outcome, run.World.Routed.Current) : default);
        Assert.Equal(["2 10%", "1 all"], run.World.Events);

        await using var plan = await ScaleRun.RollOutAsync(skipping, new(), new() { Mode = RunbookMode.Plan });
        Assert.Equal(RolloutOutcome.Planned, (await plan.RolloutAsync()).Outcome);
        Assert.Empty(plan.World.Events);
    }

    [Theory]
    [InlineData("{\"percentages\":[50,10]}", "Field 'percentages' is 50, 10")]
    [InlineData("{\"percentages\":[0]}", "Field 'percentages' is 0")]
    [InlineData("{\"atLeast\":-1}", "Field 'atLeast' is -1")]
    [InlineData("{\"worseBy\":101}", "Field 'worseBy' is 101")]
    [InlineData("{\"stepFor\":\"soon\"}", "Field 'stepFor' is 'soon'")]
    public async Task Bad_input_names_the_field(string more, string problem)
    {
        var input = JsonSerializer.Deserialize<RolloutWorkersInput>(more, PlatformOpsDataConverter.Json)!;
        await using var run = await ScaleRun.StartAsync(
            skipping, new(), $"rollout/{Guid.NewGuid():N}/web@us-east-1", input with { Environment = "e", Component = "web", Region = "us-east-1", BuildId = "2" }, nameof(RolloutWorkers));
        Assert.StartsWith(problem, (await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(run.RolloutAsync)).InnerException!.Message, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }
}
