using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order of a restore into a running database, who is asked, and what becomes of it when something goes wrong anywhere.</summary>
public sealed class RestoreDatabaseTests(RunbookServer server)
{
    private static readonly string[] Forward = ["Reserve", "Restore", "Prove", "Fence", "Secure", "Place", "Claim", "Open", "Verify", "Rebuild", "CleanUp"];

    [Fact]
    public async Task An_approved_restore_backs_up_what_it_overwrites_and_then_does_every_step_once_in_order()
    {
        var backups = new FakeBackups();
        await using var run = await Runs.RestoreAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Contains("Nothing has been changed.", waiting.IfStoppedNow, StringComparison.Ordinal);
        Assert.Equal(backups.Restore!.Hash, waiting.PlanHash);
        Assert.Contains("Somebody else has to approve.", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ana")), StringComparison.Ordinal);
        Assert.Contains("but this run waits for approval of", await run.RefusalAsync("approve", new ApproveInput("another", "ben")), StringComparison.Ordinal);
        Assert.Contains("Field 'approvedBy' is missing", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash)), StringComparison.Ordinal);
        Assert.Equal(["plan"], backups.Events);
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Restored, 8L, "op-recorded-before"), (report.Outcome, report.Epoch, report.BackupBefore));
        Assert.Equal(["ada"], report.ApprovedBy);
        Assert.Equal(["plan", "plan", "Reserve", "begin", "make", "record", "check", .. Forward[1..]], backups.Events);
        Assert.True(backups.Sets["op-recorded-before"].Good);
        Assert.True((await run.StatusAsync()).PointOfNoReturnPassed);
    }

    [Fact]
    public async Task A_database_that_somebody_else_operates_is_restored_beside_itself_and_what_was_made_goes_when_people_stop_it()
    {
        var backups = new FakeBackups().Beside();
        await using (var run = await Runs.RestoreAsync(server, backups))
        {
            await run.ApproveAsync();
            var report = await run.ReportAsync();
            Assert.Equal((RestoreOutcome.Restored, (long?)null, (string?)null), (report.Outcome, report.Epoch, report.BackupBefore));
            Assert.Contains("as shop-restored-1 in us-east-1; nothing was replaced, and nothing uses it yet.", report.Summary, StringComparison.Ordinal);
            Assert.Equal(["plan", "plan", "Reserve", "Restore", "Prove", "CleanUp"], backups.Events);
        }

        backups = new FakeBackups().Beside().Fail("Prove", type: FailureTypes.Damaged);
        await using var stopped = await Runs.RestoreAsync(server, backups);
        await stopped.ApproveAsync();
        await stopped.UntilAsync(RunbookPhase.Parked);
        await stopped.TellAsync("abort", new AbortInput("it is damaged"));
        Assert.Equal((RestoreOutcome.Aborted, "Aborted: it is damaged. Nothing was changed."), ((await stopped.ReportAsync()).Outcome, (await stopped.ReportAsync()).Summary));
        Assert.Equal(["Reserve", "Restore", "Discard"], backups.RestoreSteps);
    }

    [Fact]
    public async Task What_was_restored_beside_a_managed_database_takes_its_place_and_from_there_it_only_goes_forward()
    {
        var backups = new FakeBackups().Exchanged().Fail("Open", type: FailureTypes.Damaged);
        await using (var run = await Runs.RestoreAsync(server, backups))
        {
            await run.ApproveAsync();
            var parked = await run.UntilAsync(RunbookPhase.Parked);
            Assert.Contains("shop may have no instance, or the restored one", parked.IfStoppedNow, StringComparison.Ordinal);
            Assert.Contains("what was shop is shop-before-1", await run.RefusalAsync("abort", new AbortInput("too late")), StringComparison.Ordinal);
            await run.TellAsync("retryStep", new StepInput("open"));
            var report = await run.ReportAsync();
            Assert.Equal((RestoreOutcome.Restored, (long?)null, "op-recorded-before"), (report.Outcome, report.Epoch, report.BackupBefore));
            Assert.Contains("serves as shop; it was out of service for", report.Summary, StringComparison.Ordinal);
            Assert.Contains("What was there is shop-before-1, and in op-recorded-before.", report.Summary, StringComparison.Ordinal);
            Assert.Equal(["Reserve", "Restore", "Prove", "Fence", "Open", "Verify", "Rebuild", "CleanUp"], backups.RestoreSteps);
        }

        backups = new FakeBackups().Exchanged().Fail("Fence", type: FailureTypes.Damaged);
        await using var stopped = await Runs.RestoreAsync(server, backups);
        await stopped.ApproveAsync();
        await stopped.UntilAsync(RunbookPhase.Parked);
        await stopped.TellAsync("abort", new AbortInput("another day"));
        Assert.Equal((RestoreOutcome.Aborted, "Aborted: another day. Nothing was changed."), ((await stopped.ReportAsync()).Outcome, (await stopped.ReportAsync()).Summary));
        Assert.Equal(["Reserve", "Restore", "Prove", "Unfence", "Discard"], backups.RestoreSteps);
    }

    [Fact]
    public async Task A_plan_changes_nothing_and_a_refusal_says_why()
    {
        var backups = new FakeBackups();
        await using (var run = await Runs.RestoreAsync(server, backups, RunbookMode.Plan))
            Assert.Equal(RestoreOutcome.Planned, (await run.ReportAsync()).Outcome);
        backups.Restore = null;
        await using var refused = await Runs.RestoreAsync(server, backups);
        Assert.Equal((RestoreOutcome.Refused, "The log has a gap."), ((await refused.ReportAsync()).Outcome, (await refused.ReportAsync()).Summary));
        Assert.Empty(backups.RestoreSteps);
    }

    [Fact]
    public async Task What_was_approved_is_done_or_nothing()
    {
        var backups = new FakeBackups();
        await using var run = await Runs.RestoreAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        backups.Restore = backups.Restore! with { Epoch = 9 };
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ben"));
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Refused, report.Outcome);
        Assert.Contains("It is not any more as it was when it was planned", report.Summary, StringComparison.Ordinal);
        Assert.Empty(backups.RestoreSteps);
    }

    [Fact]
    public async Task A_rejected_restore_changes_nothing()
    {
        var backups = new FakeBackups();
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("reject", new RejectInput("the wrong minute", "ben"));
        Assert.Equal((RestoreOutcome.Rejected, "Rejected by ben: the wrong minute. Nothing was changed."), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Summary));
        Assert.Empty(backups.RestoreSteps);
    }

    public static TheoryData<RestoreStep, bool> EverySideEffect()
    {
        var cases = new TheoryData<RestoreStep, bool>();
        foreach (var step in Forward.Select(Enum.Parse<RestoreStep>))
        {
            cases.Add(step, false);
            cases.Add(step, true);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(EverySideEffect))]
    public async Task A_step_whose_answer_was_lost_is_asked_for_again(RestoreStep step, bool afterEffect)
    {
        var backups = new FakeBackups().Fail($"{step}", afterEffect);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
        Assert.Equal(Forward, backups.RestoreSteps.Distinct());
    }

    [Theory]
    [InlineData(RestoreStep.Reserve, "Discard")]
    [InlineData(RestoreStep.Prove, "Discard")]
    [InlineData(RestoreStep.Fence, "Unfence Discard")]
    [InlineData(RestoreStep.Secure, "Unfence Discard")]
    [InlineData(RestoreStep.Place, "PutBack Unfence Discard")]
    [InlineData(RestoreStep.Claim, "PutBack Unfence Discard")]
    public async Task A_step_that_fails_parks_with_its_reason_and_abort_leads_back_from_everywhere_before_the_opening(RestoreStep step, string back)
    {
        var backups = new FakeBackups().Fail($"{step}", type: FailureTypes.Damaged);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("A file of it is not what was written.", parked.Summary, StringComparison.Ordinal);
        Assert.Equal(back.Split(' ').Length, parked.Compensations.Count);
        Assert.Contains("without it the restore is not safe", await run.RefusalAsync("skipStep", new StepInput(parked.Steps.Single(known => known.State == StepState.Failed).Name, "why not")), StringComparison.Ordinal);
        await run.TellAsync("abort", new AbortInput("changed our minds"));
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Aborted, "Aborted: changed our minds. us-east-1 serves the data that it had."), (report.Outcome, report.Summary));
        Assert.Equal(back.Split(' '), backups.RestoreSteps.SkipWhile(done => Forward.Contains(done)));
    }

    [Theory]
    [InlineData(RestoreStep.Open)]
    [InlineData(RestoreStep.Verify)]
    public async Task From_the_opening_on_there_is_only_forward(RestoreStep step)
    {
        var backups = new FakeBackups().Fail($"{step}", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Empty(parked.Compensations);
        Assert.Contains("the restored data is open, and clients may have written into it. To have the old back, restore op-recorded-before", await run.RefusalAsync("abort", new AbortInput("no")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput(step == RestoreStep.Open ? "open" : "verify"));
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_database_that_cannot_be_backed_up_is_restored_when_somebody_answers_for_it_and_its_old_data_stays()
    {
        var backups = new FakeBackups().Fail("make", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        await run.UntilAsync(RunbookPhase.Parked);
        await run.TellAsync("skipStep", new StepInput("backUp", "its disk is gone"));
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Restored, report.Outcome);
        Assert.Equal("its disk is gone", report.Skipped["backUp"]);
        Assert.Equal("Done; the old data stays.", report.Steps.Single(step => step.Name == "cleanUp").Detail);
        Assert.Null(report.BackupBefore);
    }

    [Fact]
    public async Task A_run_that_goes_on_where_a_terminated_one_had_fenced_does_not_wait_for_a_backup_that_nobody_can_make()
    {
        var backups = new FakeBackups().With("op-recorded-before", 0.1).Fail("make", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Restored, "op-recorded-before"), (report.Outcome, report.BackupBefore));
        Assert.DoesNotContain("begin", backups.Events);
        Assert.Contains("this operation made it before", report.Steps.Single(step => step.Name == "backUp").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_standby_that_cannot_be_rebuilt_is_named()
    {
        var backups = new FakeBackups().Fail("Rebuild", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        await run.UntilAsync(RunbookPhase.Parked);
        await run.TellAsync("skipStep", new StepInput("rebuild", "its machine comes tomorrow"));
        Assert.Equal(("us-west-2", true), ((await run.ReportAsync()).ToRebuild, (await run.ReportAsync()).Summary.EndsWith("us-west-2 still has to be rebuilt.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_way_back_that_fails_parks_and_goes_on_when_it_is_told_to()
    {
        var backups = new FakeBackups().Fail("Place", type: FailureTypes.Rejected).Fail("PutBack", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        await run.UntilAsync(RunbookPhase.Parked);
        await run.TellAsync("abort", new AbortInput("changed our minds"));
        await Wait.UntilAsync(run.StatusAsync, status => status.Phase == RunbookPhase.Parked && status.Steps.Any(step => step is { Name: "putBack", State: StepState.Failed }), status => $"{status.Phase}: {status.Summary}");
        await run.TellAsync("retryStep", new StepInput("putBack"));
        Assert.Equal(RestoreOutcome.Aborted, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_run_that_is_cancelled_in_the_middle_goes_back()
    {
        var backups = new FakeBackups { Slow = true };
        backups.Restore = backups.Restore! with { Set = "slow" };
        await using var run = await Runs.RestoreAsync(server, backups);
        await run.ApproveAsync();
        await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step is { Name: "restore", State: StepState.Running }), status => $"{status.Phase}: {status.Summary}");
        await run.Handle.CancelAsync();
        Assert.Equal(RestoreOutcome.Aborted, (await run.ReportAsync()).Outcome);
        Assert.Equal(["Reserve", "Discard"], backups.RestoreSteps);
    }

    [Fact]
    public async Task A_parked_run_that_nobody_continues_goes_back()
    {
        var backups = new FakeBackups().Fail("Secure", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreAsync(server, backups, parkedAtMost: "1s");
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Aborted, report.Outcome);
        Assert.StartsWith("Aborted: nobody continued the parked run within 1s.", report.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_moment_that_is_none_is_refused_with_its_field()
    {
        await using var run = await RunningRunbook<RestoreReport>.StartAsync(
            server, new(Provisioning.Plans.Chain), nameof(RestoreDatabase), $"restore/{Guid.NewGuid():N}", new RestoreDatabaseInput { Environment = "e", Store = "postgresql", To = "yesterday" }, new FakeBackups());
        Assert.Equal("Field 'to' is 'yesterday'. A moment in UTC is expected, for example 2026-03-01T09:41:00Z.", await run.FailureAsync());
    }
}
