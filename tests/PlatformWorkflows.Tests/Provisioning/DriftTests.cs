using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary><c>DetectDrift</c>: what it says, and what it does when somebody says what to do.</summary>
public class DriftTests(RunbookServer server)
{
    private const string Words = "2 fields of 1 objects differ, 1 objects are missing, 1 are not declared, 0 are in conflict.";

    /// <summary>Two fields of one object changed by hand, an object that is gone, and one that nothing declares.</summary>
    internal static ProvisioningPlan Drifted { get; } = Of(
        Component("redis").With(Plans.Object("redis", PlannedAction.Change, "2 fields differ.") with
        {
            DesiredFingerprint = "d",
            Changes = [new("spec.replicas", "5", "2", ["kubectl-edit"]), new("spec.paused", "true", "false", ["kubectl-edit"])],
        }),
        Component("frontend", "redis").With(
            Plans.Object("frontend") with { DesiredFingerprint = "d" },
            Plans.Object("leftover", PlannedAction.None, "It is ours and no longer declared, but kept: reverting removes nothing.")));

    internal static FakeWorld World(int approvals = 0) => new(Drifted) { GuardRails = new(approvals, 2, false, TimeSpan.FromHours(4)) };

    [Fact]
    public async Task Reports_field_by_field_who_changed_what_and_changes_nothing()
    {
        await using var run = await StartAsync(World());

        var report = await run.ReportAsync();

        Assert.Equal((DriftOutcome.Drifted, $"{Words} It was left as it is.", Hash, 4), (report.Outcome, report.Summary, report.PlanHash, report.Found));
        var field = report.Findings[0];
        Assert.Equal(("redis", DriftKind.Field, "spec.replicas", "2", "5"), (field.Component, field.Kind, field.Path, field.Declared, field.Found));
        Assert.Equal(["kubectl-edit"], field.ChangedBy!);
        Assert.Equal("5 instead of 2, changed by kubectl-edit.", field.Reason);
        Assert.Equal([DriftKind.Field, DriftKind.Field, DriftKind.Missing, DriftKind.Undeclared], report.Findings.Select(finding => finding.Kind));
        Assert.Empty(report.Objects);
        Assert.Equal(["plan"], run.World.Events);
        Assert.Equal(PlanPurpose.Revert, run.World.PlannedFor!.Purpose);
    }

    [Fact]
    public async Task Says_so_when_everything_is_as_declared()
    {
        await using var run = await StartAsync(new FakeWorld(Of()));

        var report = await run.ReportAsync();

        Assert.Equal((DriftOutcome.AsDeclared, "Everything is as declared.", null), (report.Outcome, report.Summary, report.PlanHash));
    }

    [Fact]
    public async Task Reverts_the_plan_that_was_read_when_somebody_says_so()
    {
        await using var run = await StartAsync(World(approvals: 2), new() { DecideWithin = "4h" });
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal($"revert or adopt with planHash {Hash}, or reject", waiting.WaitingFor!.For);
        Assert.Equal("Nothing has been changed.", waiting.IfStoppedNow);
        Assert.Contains("Field 'planHash' is other, but this run waits for approval of", await run.RefusalAsync("revert", new ApproveInput("other", "ada")), StringComparison.Ordinal);

        await run.TellAsync("revert", new ApproveInput(Hash, "ada"));
        Assert.Contains("ada has already approved", await run.RefusalAsync("revert", new ApproveInput(Hash, "ada")), StringComparison.Ordinal);
        await run.TellAsync("revert", new ApproveInput(Hash, "grace"));
        var report = await run.ReportAsync();

        Assert.Equal(DriftOutcome.Reverted, report.Outcome);
        Assert.Equal("2 objects were brought back to what is declared, and their components are healthy. 1 objects that are not declared were left alone.", report.Summary);
        Assert.Equal([ObjectResult.Changed, ObjectResult.Created, ObjectResult.Unchanged], report.Objects.Select(item => item.Result));
        Assert.All(run.World.Applied, applied => Assert.Equal(PlanPurpose.Revert, applied.Purpose));
        Assert.Equal(["plan", "apply redis@us-east-1", "applied redis@us-east-1", "health redis@us-east-1", "healthy redis@us-east-1", "apply frontend@us-east-1"], run.World.Events.Take(6));
    }

    [Theory]
    [InlineData(0, "apply redis@us-east-1")]
    [InlineData(1, "plan")]
    public async Task Asks_before_it_reverts_by_itself_where_plans_need_approval(int approvals, string last)
    {
        var world = World(approvals);
        var applying = world.Hold("apply redis@us-east-1");
        await using var run = await StartAsync(world, new() { Mode = DriftMode.Revert });

        await run.UntilAsync(approvals == 0 ? RunbookPhase.Acting : RunbookPhase.AwaitingApproval);
        if (approvals == 0)
            await applying.ReachedAsync();

        Assert.Equal(last, world.Events[^1]);
        applying.Open();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Adopts_by_saying_what_to_write_into_the_specification(bool byUpdate)
    {
        await using var run = await StartAsync(World(), byUpdate ? new() { DecideWithin = "4h" } : new() { Mode = DriftMode.Adopt });
        if (byUpdate)
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("adopt", new ApproveInput(Hash));
        }

        var report = await run.ReportAsync();

        Assert.Equal((DriftOutcome.Adopted, "components:\n  redis:\n    replicas: 5\n"), (report.Outcome, report.Adoption!.Yaml));
        Assert.Equal(["plan", "propose"], run.World.Events);
    }

    [Fact]
    public async Task Leaves_it_when_it_is_told_to()
    {
        await using var run = await StartAsync(World(), new() { DecideWithin = "4h" });
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("reject", new RejectInput("known, change 4711", "ada"));

        var report = await run.ReportAsync();

        Assert.Equal((DriftOutcome.Drifted, $"{Words} Rejected by ada: known, change 4711."), (report.Outcome, report.Summary));
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Keeps_what_has_been_reverted_when_it_is_aborted()
    {
        var world = World();
        var health = world.Hold("health redis@us-east-1");
        await using var run = await StartAsync(world, new() { Mode = DriftMode.Revert });
        await health.ReachedAsync();

        await run.TellAsync("abort", new AbortInput("enough"));
        var report = await run.ReportAsync();

        Assert.Equal(DriftOutcome.Failed, report.Outcome);
        Assert.Equal("Aborted: enough. 0 of 2 steps are as declared again, the others as they were found or partly reverted.", report.Summary);
        Assert.DoesNotContain("apply frontend@us-east-1", world.Events);
    }

    [Fact]
    public async Task Parks_when_something_stands_in_the_way_and_goes_on_when_it_is_skipped()
    {
        var blocked = Of(Component("redis").With(Plans.Object("redis", PlannedAction.Conflict, "It exists and belongs to somebody else.")), Component("frontend"));
        await using var run = await StartAsync(new(blocked), new() { Mode = DriftMode.Revert });
        await run.UntilAsync(RunbookPhase.Parked);

        await run.TellAsync("skipStep", new StepInput("redis@us-east-1", "theirs"));
        var report = await run.ReportAsync();

        Assert.Equal((DriftOutcome.Incomplete, "1 objects were reverted, but some steps were skipped: redis@us-east-1."), (report.Outcome, report.Summary));
        Assert.DoesNotContain("apply redis@us-east-1", run.World.Events);
    }

    internal static Task<RunningRunbook<DriftReport>> StartAsync(RunbookServer server, FakeWorld world, DetectDriftInput? input = null, string? environment = null)
    {
        var given = (input ?? new()) with { Environment = environment ?? $"development-{Guid.NewGuid():N}" };
        return RunningRunbook<DriftReport>.StartAsync(server, world, nameof(DetectDrift), DetectDrift.WorkflowId(given.Environment), given);
    }

    private Task<RunningRunbook<DriftReport>> StartAsync(FakeWorld world, DetectDriftInput? input = null) => StartAsync(server, world, input);
}
