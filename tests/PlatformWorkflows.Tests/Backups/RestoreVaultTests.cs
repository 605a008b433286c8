using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order of a restore of a Vault, and what people have to answer for when something goes wrong anywhere.</summary>
public sealed class RestoreVaultTests(RunbookServer server)
{
    private static readonly string[] Steps = ["vaultInventory", "vaultRestore", "vaultOpen", "vaultFence", "vaultVerify"];

    [Fact]
    public async Task What_is_valid_is_written_down_after_the_backup_and_before_anything_is_replaced()
    {
        var backups = FakeBackups.Of(StoreKind.Vault);
        await using var run = await Runs.RestoreVaultAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Contains("Somebody else has to approve.", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ana")), StringComparison.Ordinal);
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Restored, report.Outcome);
        Assert.Equal(["token a1"], report.Revoked);
        Assert.Equal(["secret/shop is at version 1 again."], report.Named);
        Assert.StartsWith("op-recorded-before-", report.BackupBefore, StringComparison.Ordinal);
        Assert.Equal(["plan", "plan", "claim", "begin", "make", "record", "check", .. Steps, "release"], backups.Events);
        Assert.True((await run.StatusAsync()).PointOfNoReturnPassed);
    }

    [Theory]
    [InlineData("vaultInventory")]
    [InlineData("vaultRestore")]
    [InlineData("vaultOpen")]
    [InlineData("vaultFence")]
    [InlineData("vaultVerify")]
    public async Task A_step_whose_answer_was_lost_is_asked_for_again(string call)
    {
        var backups = FakeBackups.Of(StoreKind.Vault).Fail(call, afterEffect: true);
        await using var run = await Runs.RestoreVaultAsync(server, backups);
        await run.ApproveAsync();
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
        Assert.Equal(Steps, backups.Events.Where(done => done.StartsWith("vault", StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public async Task Until_it_is_ordered_it_can_be_aborted_and_afterwards_there_is_only_forward()
    {
        var backups = FakeBackups.Of(StoreKind.Vault).Fail("vaultInventory", type: FailureTypes.Forbidden);
        await using (var run = await Runs.RestoreVaultAsync(server, backups))
        {
            await run.ApproveAsync();
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
            Assert.Equal((RestoreOutcome.Aborted, "Aborted: changed our minds. Nothing was replaced."), ((await run.ReportAsync()).Outcome, (await run.ReportAsync()).Summary));
            Assert.DoesNotContain("vaultRestore", backups.Events);
            Assert.Equal("release", backups.Events.Last());
        }

        backups = FakeBackups.Of(StoreKind.Vault).Fail("vaultOpen", type: FailureTypes.Rejected);
        await using var sealedRun = await Runs.RestoreVaultAsync(server, backups);
        await sealedRun.ApproveAsync();
        var parked = await sealedRun.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("what was revoked since", parked.IfStoppedNow, StringComparison.Ordinal);
        Assert.Contains("abort is not possible: Vault may have the state of the set by now. To have the old back, restore op-recorded-before-", await sealedRun.RefusalAsync("abort", new AbortInput("no")), StringComparison.Ordinal);
        Assert.Contains("without it the restore is not safe", await sealedRun.RefusalAsync("skipStep", new StepInput("open", "why not")), StringComparison.Ordinal);
        await sealedRun.TellAsync("retryStep", new StepInput("open"));
        Assert.Equal(RestoreOutcome.Restored, (await sealedRun.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Where_nobody_knows_what_was_revoked_somebody_answers_for_it_and_it_never_counts_as_restored()
    {
        var backups = FakeBackups.Of(StoreKind.Vault).Fail("vaultInventory", type: FailureTypes.Forbidden).Fail("vaultOpen", type: FailureTypes.Rejected).Fail("vaultFence", type: FailureTypes.Rejected);
        await using var run = await Runs.RestoreVaultAsync(server, backups);
        await AnswerForEverythingAsync(run);
        var report = await run.ReportAsync();
        Assert.Equal(RestoreOutcome.Partial, report.Outcome);
        Assert.Contains("Nobody knew what had been revoked since; it was answered for: looked at all of them.", report.Summary, StringComparison.Ordinal);

        // Where it is known the fence is never left out.
        var known = FakeBackups.Of(StoreKind.Vault).Fail("vaultFence", type: FailureTypes.Rejected);
        await using var other = await Runs.RestoreVaultAsync(server, known);
        await other.ApproveAsync();
        await other.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("without it the restore is not safe", await other.RefusalAsync("skipStep", new StepInput("fence", "why not")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_changes_nothing_and_a_refusal_says_why()
    {
        var backups = FakeBackups.Of(StoreKind.Vault);
        await using (var run = await Runs.RestoreVaultAsync(server, backups, Workflows.Provisioning.RunbookMode.Plan))
            Assert.Equal(RestoreOutcome.Planned, (await run.ReportAsync()).Outcome);
        backups.VaultRestore = null;
        await using var refused = await Runs.RestoreVaultAsync(server, backups);
        Assert.Equal((RestoreOutcome.Refused, "Vault is sealed."), ((await refused.ReportAsync()).Outcome, (await refused.ReportAsync()).Summary));
        Assert.Equal(["plan", "plan"], backups.Events);
    }

    internal static async Task AnswerForEverythingAsync(RunningRunbook<VaultRestoreReport> run)
    {
        await run.ApproveAsync();
        foreach (var (step, control, why) in new[] { ("inventory", "skipStep", "it is too broken"), ("open", "retryStep", ""), ("fence", "skipStep", "looked at all of them") })
        {
            await Wait.UntilAsync(run.StatusAsync, status => status.Phase == RunbookPhase.Parked && status.Steps.Any(known => known.Name == step && known.State == StepState.Failed), status => status.Summary);
            await run.TellAsync(control, new StepInput(step, why));
        }
    }
}
