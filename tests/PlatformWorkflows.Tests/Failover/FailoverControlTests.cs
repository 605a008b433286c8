using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>What people may tell a failover: approvals, abort, switchover, failback, maintenance, and the steps that may be left out.</summary>
public class FailoverControlTests(RunbookServer server)
{
    private static readonly FailoverPolicy ByApproval = new(FailoverMode.Approval, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));

    [Theory]
    [InlineData("claim", "claim,claimBack,unfence")]
    [InlineData("fence", "claim,claimBack,unfence")]
    public async Task Before_the_point_of_no_return_an_abort_restores_the_old_primary(string step, string events)
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold(step);
        await run.LoseAsync();
        await held.ReachedAsync();
        // Both at once: a fence that gives no answer is waited for a second only.
        var before = run.StatusAsync();
        await run.TellAsync("abort", new AbortInput("it was a drill of the network people"));
        Assert.False((await before).PointOfNoReturnPassed);

        var report = await run.ReportAsync();
        var did = run.World.Events.ToList();
        // What was held goes on in the worker, and nobody asks any more what becomes of it.
        held.Open();

        Assert.Equal(FailoverOutcome.TakenBack, report.Outcome);
        // A claim that was held may never have happened; it is taken back all the same, since nobody can know.
        Assert.Equal(events.Split(',').Skip(step == "claim" ? 1 : 0), did.Where(happened => step != "claim" || happened != "claim"));
        Assert.Equal((East, report.Epoch), (run.World.Witness.Primary, run.World.Witness.Epoch));
        Assert.Equal(East, (await run.ViewAsync()).Primary);
        Assert.Null((await run.ViewAsync()).Recovery);
    }

    [Theory]
    [InlineData("promote")]
    [InlineData("rebuild")]
    public async Task After_it_an_abort_is_refused_and_it_goes_forward(string step)
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold(step);
        await run.LoseAsync();
        await held.ReachedAsync();

        Assert.Contains("there is no way back", await run.RefusalAsync("abort", new AbortInput("changed our minds")), StringComparison.Ordinal);
        Assert.True((await run.StatusAsync()).PointOfNoReturnPassed);
        held.Open();

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Whoever_approves_hears_what_the_other_region_has_no_room_for()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1, Capacity = new("capacity", false, "us-west-2 could not carry us-east-1: 1 of 4 nodes of class data-layer are ready.") });
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        await run.TellAsync("failOver", new FailOverInput("rack change", "ada", Forced: true));
        var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);

        await Wait.UntilAsync(run.StatusAsync, status => status.Summary.EndsWith("1 of 4 nodes of class data-layer are ready.", StringComparison.Ordinal), status => status.Summary);
        // It is the same that is approved.
        Assert.Equal(asked.PlanHash, (await run.StatusAsync()).PlanHash);
    }

    [Fact]
    public async Task Approvals_are_of_different_people_for_what_they_read_and_not_of_who_asked()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1 });
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        await run.TellAsync("failOver", new FailOverInput("rack change", "ada", Forced: true));
        var hash = (await run.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash;

        Assert.Contains("ada asked for it", await run.RefusalAsync("approve", new ApproveInput(hash, "ada")), StringComparison.Ordinal);
        Assert.Contains("'planHash' is other, but what waits is", await run.RefusalAsync("approve", new ApproveInput("other", "grace")), StringComparison.Ordinal);
        Assert.Contains("'approvedBy' is missing", await run.RefusalAsync("approve", new ApproveInput(hash)), StringComparison.Ordinal);
        Assert.Equal("Approved; 1 more needed.", (await run.TellAsync("approve", new ApproveInput(hash, "grace"))).Message);
        Assert.Contains("grace has already approved", await run.RefusalAsync("approve", new ApproveInput(hash, "grace")), StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
        await run.TellAsync("approve", new ApproveInput(hash, "linus"));

        Assert.Equal((FailoverOutcome.Completed, FailoverKind.Failover), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Kind));
        Assert.Null((await run.ViewAsync()).Recovery);
    }

    [Fact]
    public async Task What_policy_asks_for_is_withdrawn_when_the_facts_change_and_void_with_them()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Policy = ByApproval, Approvals = 2 });
        await run.LoseAsync();
        var hash = (await run.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash;
        await run.TellAsync("approve", new ApproveInput(hash, "ada"));

        await run.LoseAsync(synchronous: false);
        await Wait.UntilAsync(run.StatusAsync, status => status.PlanHash is { } now && now != hash, status => status.Summary);
        Assert.Contains("but what waits is", await run.RefusalAsync("approve", new ApproveInput(hash, "grace")), StringComparison.Ordinal);
        Assert.Contains("1000 bytes", (await run.StatusAsync()).Summary, StringComparison.Ordinal);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilAsync(RunbookPhase.Observing);

        Assert.Contains("nothing waits for approval", await run.RefusalAsync("approve", new ApproveInput(hash, "grace")), StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task An_approval_that_nobody_gives_expires_and_new_evidence_asks_again()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Policy = ByApproval, Timing = new() { FreshFor = TimeSpan.FromMinutes(5), ApprovalExpires = TimeSpan.FromSeconds(3) } });
        await run.LoseAsync();
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.UntilAsync(RunbookPhase.Observing);
        Assert.StartsWith("Nobody approved within 3s", (await run.StatusAsync()).Summary, StringComparison.Ordinal);

        await run.LoseAsync();
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task An_approval_that_was_rejected_is_not_asked_for_again()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Policy = ByApproval });
        await run.LoseAsync();
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("reject", new RejectInput("we repair it", "ada"));
        await run.LoseAsync();
        await run.UntilAsync(RunbookPhase.Observing);

        Assert.Null((await run.ViewAsync()).Proposal);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task A_switchover_hands_everything_over_and_a_failback_leads_back()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        Assert.Contains("as the specification wants it", await run.RefusalAsync("failBack", new FailBackInput("home")), StringComparison.Ordinal);

        var told = await run.TellAsync("failOver", new FailOverInput("kernel update"));
        var over = await run.ReportAsync();
        await run.SeeAsync("serves", "serves", stalled: false, primary: West, epoch: 8, sequence: 41);
        await run.TellAsync("failBack", new FailBackInput("the kernel is updated"));
        var back = await run.ReportAsync(2);

        Assert.Equal((told.OperationId, FailoverKind.Switchover, West, FailoverOutcome.Completed), (over.OperationId, over.Kind, over.To, over.Outcome));
        Assert.Equal((FailoverKind.Failback, East, 9), (back.Kind, back.To, back.Epoch));
        Assert.Equal(["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"], run.World.Events.Take(8));
        Assert.All(run.World.Orders.OfType<FenceOrder>(), order => Assert.True(order.Drain > TimeSpan.Zero));
        Assert.Null((await run.ViewAsync()).Recovery);
    }

    [Fact]
    public async Task A_run_that_began_before_the_witness_had_a_record_takes_its_epoch_when_observers_see_one()
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase { Witness = new(0, East, "first", new(40, TimeSpan.FromSeconds(1), false), null) });
        await run.SeeAsync("serves", "serves", stalled: false, epoch: 0);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        Assert.Equal(0, (await run.ViewAsync()).Epoch);
        // Nothing could be claimed.
        Assert.Contains("has been seen in an epoch", await run.RefusalAsync("failOver", new FailOverInput("kernel update")), StringComparison.Ordinal);

        run.World.Witness = new(1, East, "first", new(40, TimeSpan.FromSeconds(1), false), null);
        await run.SeeAsync("serves", "serves", stalled: false, epoch: 1, sequence: 41);
        await Wait.UntilAsync(run.ViewAsync, view => view.Epoch == 1, view => $"epoch {view.Epoch}");
        await run.TellAsync("failOver", new FailOverInput("kernel update"));

        Assert.Equal((FailoverOutcome.Completed, 2), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Epoch));
    }

    [Fact]
    public async Task A_primary_that_is_lost_at_its_first_record_is_failed_over_in_its_epoch()
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase { Witness = new(0, East, "first", new(40, TimeSpan.FromSeconds(1), false), null) });
        await run.SeeAsync("serves", "serves", stalled: false, epoch: 0);
        await run.UntilDecidedAsync(FailoverReason.Healthy);

        run.World.Witness = new(1, East, "first", new(41, TimeSpan.FromSeconds(1), false), null);
        await run.SeeAsync(null, "gone", stalled: true, epoch: 1, sequence: 41);

        Assert.Equal((FailoverOutcome.Completed, 2), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Epoch));
    }

    [Fact]
    public async Task A_switchover_goes_by_what_was_well_when_the_observers_last_had_something_to_say()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Timing = new() });
        await run.SeeAsync("serves", "serves", stalled: false, ago: TimeSpan.FromSeconds(50));
        await Wait.UntilAsync(run.ViewAsync, view => view.Votes.Count == 3, view => view.Decision);
        Assert.Contains("has been silent for 5", await run.RefusalAsync("failOver", new FailOverInput("kernel update")), StringComparison.Ordinal);

        await run.SeeAsync("serves", "serves", stalled: false, ago: TimeSpan.FromSeconds(20));
        await run.TellAsync("failOver", new FailOverInput("kernel update"));

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_switchover_of_what_is_down_is_refused_with_what_is_known()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Policy = ByApproval with { Database = FailoverMode.Off } });
        await run.LoseAsync();
        await run.UntilDecidedAsync(FailoverReason.SwitchedOff);

        Assert.Contains("Possible: the same with forced", await run.RefusalAsync("failOver", new FailOverInput("now")), StringComparison.Ordinal);
        await run.TellAsync("failOver", new FailOverInput("now", Forced: true));

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Maintenance_holds_what_would_happen_by_itself_until_it_is_closed()
    {
        await using var run = await FailoverRun.StartAsync(server);
        Assert.Contains("'for' is 'soon'", await run.RefusalAsync("maintenance", new MaintenanceInput("soon", "disks")), StringComparison.Ordinal);
        await run.TellAsync("maintenance", new MaintenanceInput("2h", "new disks", "ada"));
        await run.LoseAsync();
        await run.UntilDecidedAsync(FailoverReason.Maintenance);
        Assert.Empty(run.World.Events);

        await run.TellAsync("maintenance", new MaintenanceInput());

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_step_that_fails_waits_for_people_and_only_what_is_safe_may_be_left_out()
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase().Fail("verify", "Permission denied.", FailureTypes.Forbidden).Fail("repoint", "No such record.", FailureTypes.Rejected));
        await run.LoseAsync();
        Assert.Equal("Parked: verify: Permission denied.", (await run.UntilAsync(RunbookPhase.Parked)).Summary);

        Assert.Contains("without it the failover is not safe", await run.RefusalAsync("skipStep", new StepInput("verify", "later")), StringComparison.Ordinal);
        Assert.Contains("the step that failed: verify", await run.RefusalAsync("retryStep", new StepInput("repoint")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("verify"));
        await Wait.UntilAsync(run.StatusAsync, status => status is { Phase: RunbookPhase.Parked, Summary: "Parked: repoint: No such record." }, status => status.Summary);
        await run.TellAsync("skipStep", new StepInput("repoint", "the record is changed by hand"));
        var report = await run.ReportAsync();

        Assert.Equal((FailoverOutcome.Incomplete, $"{West} is primary in epoch 8. Skipped: repoint."), (report.Outcome, report.Summary));
    }

    [Fact]
    public async Task What_is_not_there_yet_for_the_next_failover_is_looked_for_again_and_parks_in_the_end()
    {
        var missing = new ReadinessItem("synchronous", false, "Commits do not wait for a standby.");
        await using var run = await FailoverRun.StartAsync(server, new() { Readiness = [missing], Timing = new() { FreshFor = TimeSpan.FromMinutes(5), ReadyWithin = TimeSpan.FromSeconds(3) } });
        await run.LoseAsync();

        Assert.Equal("Parked: readiness: synchronous: Commits do not wait for a standby.", (await run.UntilAsync(RunbookPhase.Parked)).Summary);
        Assert.InRange(run.World.Events.Count(step => step == "readiness"), 2, int.MaxValue);
        // The first look finds it missing still; the second one is held, so that there is time to see what is said meanwhile.
        var (looks, second) = (0, new Gate());
        run.World.Look = async () =>
        {
            if (Interlocked.Increment(ref looks) == 1)
                return [missing];
            await second.PassAsync();
            return [missing with { Ok = true }];
        };
        await run.TellAsync("retryStep", new StepInput("readiness"));
        await second.ReachedAsync();
        Assert.Equal("Not yet: synchronous: Commits do not wait for a standby.", (await run.StatusAsync()).Steps.Single(step => step.Name == "readiness").Detail);
        second.Open();

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_rebuild_that_takes_for_ever_can_be_left_out()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold("rebuild");
        await run.LoseAsync();
        await held.ReachedAsync();

        await run.TellAsync("skipStep", new StepInput("rebuild", "the region will be away for a week"));

        Assert.Equal(FailoverOutcome.Incomplete, (await run.ReportAsync()).Outcome);
        held.Open();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_rest_of_the_platform_moves_after_people_have_said_so(bool approved)
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1 });
        await run.LoseAsync(regionGone: true);
        var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.True(asked.PointOfNoReturnPassed);
        // The database gets its standby while people think.
        await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Single(step => step.Name == "rebuild").State == StepState.Done, status => status.Summary);
        Assert.Equal(["claim", "fence", "promote", "verify", "repoint", "rebuild"], run.World.Events);

        if (approved)
            await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ada"));
        else
            await run.TellAsync("reject", new RejectInput("the region comes back", "ada"));
        var report = await run.ReportAsync();

        Assert.Equal(approved ? ["namespaces", "scale", "canary", "readiness"] : ["readiness"], run.World.Events.Skip(6));
        Assert.Equal(approved ? FailoverOutcome.Completed : FailoverOutcome.Incomplete, report.Outcome);
    }

    [Fact]
    public async Task The_rest_of_the_platform_moves_and_the_rebuild_can_be_left_out_while_a_region_stays_away()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1 });
        var held = run.World.Hold("rebuild");
        await run.LoseAsync(regionGone: true);
        var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await held.ReachedAsync();

        await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ada"));
        await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Single(step => step.Name == "canary").State == StepState.Done, status => status.Summary);
        Assert.Equal(StepState.Running, (await run.StatusAsync()).Steps.Single(step => step.Name == "rebuild").State);
        await run.TellAsync("skipStep", new StepInput("rebuild", "the region will be away for a week"));

        Assert.Equal((FailoverOutcome.Incomplete, $"{West} is primary in epoch 8. Skipped: rebuild."), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Summary));
        held.Open();
    }

    [Theory]
    [InlineData("claimBack", "Bring the witness back", false)]
    [InlineData("unfence", "Start the guard of us-east-1", false)]
    [InlineData("unfence", "Start the guard of us-east-1", true)]
    public async Task A_way_back_that_does_not_succeed_waits_for_people_and_says_what_to_do(string compensation, string toDo, bool leftOut)
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase().Fail(compensation, "It is not possible.", FailureTypes.Rejected));
        var held = run.World.Hold("fence");
        await run.LoseAsync();
        await held.ReachedAsync();
        await run.TellAsync("abort", new AbortInput("the network is repaired"));
        held.Open();

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith($"Parked: {compensation}: It is not possible. Nobody is writable until it is decided. {toDo}", parked.Summary, StringComparison.Ordinal);
        Assert.StartsWith($"retryStep of {compensation}", parked.WaitingFor!.For, StringComparison.Ordinal);
        if (compensation == "claimBack")
            Assert.Contains("claimBack is parked", await run.RefusalAsync("skipStep", new StepInput("claimBack", "later")), StringComparison.Ordinal);
        await run.TellAsync(leftOut ? "skipStep" : "retryStep", new StepInput(compensation, "the machine is scrap"));
        var report = await run.ReportAsync();

        Assert.Equal(FailoverOutcome.TakenBack, report.Outcome);
        Assert.Contains(leftOut ? "was left fenced: the machine is scrap" : "serves again, in epoch 9", report.Summary, StringComparison.Ordinal);
        Assert.Equal((East, 9), ((await run.ViewAsync()).Primary, (await run.ViewAsync()).Epoch));
    }
}
