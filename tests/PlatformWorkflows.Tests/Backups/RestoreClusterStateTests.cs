using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order of a restore of a cluster's objects, what has to be approved by itself, and what becomes of it when something goes wrong anywhere.</summary>
public sealed class RestoreClusterStateTests(RunbookServer server)
{
    [Fact]
    public async Task What_only_creates_is_approved_by_its_hash_and_backs_nothing_up()
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState);
        await using var run = await Runs.RestoreStateAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Contains("3 objects would be made, 0 that exist replaced; 5 are as they were, 1 differ and stay, 2 are left to others.", waiting.Summary, StringComparison.Ordinal);
        Assert.Contains("Somebody else has to approve.", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ana")), StringComparison.Ordinal);
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ben"));
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Restored, (string?)null, 3), (report.Outcome, report.BackupBefore, report.Restored!.Created));
        Assert.Equal(["plan", "plan", "claim", "restoreState", "compare", "release"], backups.Events);
    }

    [Fact]
    public async Task What_Velero_has_restored_is_not_called_compared()
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState);
        backups.StateRestore = backups.StateRestore! with { Velero = new("velero", "platformops-1", "u1", 42, ["secrets"]) };
        await using var run = await Runs.RestoreStateAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Contains("by Velero from platformops-1, which it made with new", waiting.Summary, StringComparison.Ordinal);
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ben"));
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Restored, report.Outcome);
        Assert.EndsWith("Nobody has compared them with it.", report.Summary, StringComparison.Ordinal);
        Assert.Equal(["plan", "plan", "claim", "restoreState", "release"], backups.Events);
    }

    [Fact]
    public async Task What_overwrites_needs_an_approval_that_says_so_and_a_backup_of_this_very_run_first()
    {
        var backups = Overwriting();
        await using var run = await Runs.RestoreStateAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal(
            "Field 'overwrite' is missing: the plan overwrites 2 objects that exist. Approve with overwrite true, or reject and start without overwrite.",
            await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ben")));
        Assert.Equal(["plan"], backups.Events);
        await ApproveOverwritingAsync(run);
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Restored, report.Outcome);
        Assert.StartsWith("op-recorded-before-", report.BackupBefore, StringComparison.Ordinal);
        Assert.True(backups.Sets[report.BackupBefore!].Good);
        Assert.Equal(["plan", "plan", "claim", "begin", "make", "record", "check", "restoreState", "compare", "release"], backups.Events);
    }

    [Fact]
    public async Task Nothing_is_overwritten_without_the_backup_whoever_answers_for_it()
    {
        var backups = Overwriting().Fail("make", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreStateAsync(server, backups);
        await ApproveOverwritingAsync(run);
        await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("without it the restore is not safe", await run.RefusalAsync("skipStep", new StepInput("backUp", "why not")), StringComparison.Ordinal);
        await run.TellAsync("abort", new AbortInput("no backup"));
        Assert.Equal((RestoreOutcome.Aborted, "Aborted: no backup. Nothing was changed."), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Summary));
        Assert.DoesNotContain("restoreState", backups.Events);
        Assert.Equal("release", backups.Events.Last());
    }

    [Fact]
    public async Task Objects_that_could_not_be_restored_are_named_tried_again_or_answered_for()
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState).Trouble("us-east-1 Ingress shop/web could not be restored: its webhook refuses.");
        backups.Differences.Enqueue("us-east-1 ConfigMap shop/settings was made since and differs: data.currency.");
        await using var run = await Runs.RestoreStateAsync(server, backups);
        await run.ApproveAsync();
        Assert.Contains("1 objects could not be restored, all others are. us-east-1 Ingress shop/web", (await run.UntilAsync(RunbookPhase.Parked)).Summary, StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("restore"));
        await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step is { Name: "compare", State: StepState.Failed }), status => status.Summary);
        await run.TellAsync("skipStep", new StepInput("compare", "somebody changes it all the time"));
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Partial, report.Outcome);
        Assert.Contains("Not all is as in the set: us-east-1 ConfigMap shop/settings was made since and differs", report.Summary, StringComparison.Ordinal);
        Assert.Equal(2, backups.Events.Count(call => call == "restoreState"));
    }

    [Theory]
    [InlineData("claim")]
    [InlineData("restoreState")]
    [InlineData("compare")]
    [InlineData("release")]
    public async Task A_step_whose_answer_was_lost_is_asked_for_again(string call)
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState).Fail(call, afterEffect: true);
        await using var run = await Runs.RestoreStateAsync(server, backups);
        await run.ApproveAsync();
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
        Assert.Equal(2, backups.Events.Count(done => done == call));
    }

    [Fact]
    public async Task What_was_approved_is_done_or_nothing_and_where_there_is_nothing_to_do_nobody_is_asked()
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState);
        await using (var run = await Runs.RestoreStateAsync(server, backups))
        {
            var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
            backups.StateRestore = backups.StateRestore! with { Created = "c2" };
            await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ben"));
            Assert.Equal(RestoreOutcome.Refused, (await run.ReportAsync()).Outcome);
            Assert.DoesNotContain("claim", backups.Events);
        }

        backups.StateRestore = FakeBackups.StatePlan(overwrites: 0, create: 0);
        await using (var run = await Runs.RestoreStateAsync(server, backups))
            Assert.Equal(RestoreOutcome.Unchanged, (await run.ReportAsync()).Outcome);
        await using (var planned = await Runs.RestoreStateAsync(server, backups, RunbookMode.Plan))
            Assert.Equal(RestoreOutcome.Planned, (await planned.ReportAsync()).Outcome);
        backups.StateRestore = null;
        await using var refused = await Runs.RestoreStateAsync(server, backups);
        Assert.Equal((RestoreOutcome.Refused, "There is no whole set."), ((await refused.ReportAsync()).Outcome, (await refused.ReportAsync()).Summary));
    }

    internal static FakeBackups Overwriting()
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState);
        backups.StateRestore = FakeBackups.StatePlan(overwrites: 2);
        return backups;
    }

    internal static async Task ApproveOverwritingAsync(RunningRunbook<StateRestoreReport> run) =>
        await run.TellAsync("approve", new ApproveInput((await run.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash, "ada", Overwrite: true));
}
