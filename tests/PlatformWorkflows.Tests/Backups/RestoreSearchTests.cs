using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order of a restore of indices, what is approved and backed up, and the way back.</summary>
public sealed class RestoreSearchTests(RunbookServer server)
{
    private static readonly string[] Until = ["plan", "plan", "claim", "Beside", "Prove", "Fence", "begin", "make", "record", "check", "Close"];

    [Fact]
    public async Task What_is_replaced_is_approved_by_itself_proved_beside_fenced_and_backed_up_before_it_is_closed()
    {
        var backups = FakeBackups.Of(StoreKind.Elasticsearch);
        await using var run = await Runs.RestoreSearchAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Contains("the plan overwrites orders", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ben")), StringComparison.Ordinal);
        await ApproveAsync(run);
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Restored, report.Outcome);
        Assert.NotNull(report.OutOfService);
        Assert.True(backups.Sets[report.BackupBefore!].Good);
        Assert.Equal([.. Until, "Replace", "Compare", "Open", "CleanUp", "release"], backups.Events);
    }

    [Fact]
    public async Task What_is_only_made_needs_no_backup()
    {
        var backups = FakeBackups.Of(StoreKind.Elasticsearch);
        backups.SearchRestore = FakeBackups.SearchPlan(was: null);
        await using var run = await Runs.RestoreSearchAsync(server, backups);
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Restored, null, null), (report.Outcome, report.BackupBefore, report.OutOfService));
        Assert.DoesNotContain("make", backups.Events);
    }

    [Theory]
    [InlineData("Prove", FailureTypes.Damaged)]
    [InlineData("make", FailureTypes.Rejected)]
    [InlineData("Close", FailureTypes.Conflict)]
    public async Task Until_indices_are_put_in_place_an_abort_takes_everything_back_and_nothing_is_skipped(string call, string type)
    {
        var backups = FakeBackups.Of(StoreKind.Elasticsearch).Fail(call, type: type);
        await using var run = await Runs.RestoreSearchAsync(server, backups);
        await ApproveAsync(run);
        await run.UntilAsync(RunbookPhase.Parked);
        await run.RefusalAsync("skipStep", new StepInput(call == "make" ? "backUp" : char.ToLowerInvariant(call[0]) + call[1..], "no time"));
        await run.TellAsync("abort", new AbortInput("not today"));
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Aborted, "Aborted: not today. Everything is as it was."), (report.Outcome, report.Summary));
        Assert.Equal(["TakeBack", "release"], backups.Events.TakeLast(2));
        Assert.DoesNotContain("Replace", backups.Events);
    }

    [Fact]
    public async Task From_then_on_it_only_goes_forward()
    {
        var backups = FakeBackups.Of(StoreKind.Elasticsearch).Fail("Replace", type: FailureTypes.Conflict);
        await using var run = await Runs.RestoreSearchAsync(server, backups);
        await ApproveAsync(run);
        await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("only goes forward", await run.RefusalAsync("abort", new AbortInput("not today")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("replace"));
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
    }

    internal static async Task ApproveAsync(RunningRunbook<SearchRestoreReport> run)
    {
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ben", Overwrite: true));
    }
}
