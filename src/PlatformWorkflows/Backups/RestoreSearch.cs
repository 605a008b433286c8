using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Brings indices back from a set: planned and approved first, restored and proved beside those that serve, and only then put in their place; what is there is replaced only where that was approved by itself, with a
/// backup of it. Until then abort leaves everything as it was. See <c>docs/runbooks/restore-search.md</c>.</summary>
[Workflow]
public sealed class RestoreSearch : RestoreRunbook
{
    private const string Reserves = "reserve", BacksUp = "backUp", CleansUp = "cleanUp", TakesBack = "takeBack";

    /// <summary>In the order in which they are done; the backup comes after the fence.</summary>
    private static readonly IReadOnlyList<SearchRestoreStep> Forward = [.. Enum.GetValues<SearchRestoreStep>().Where(step => step < SearchRestoreStep.CleanUp)];

    private SearchRestorePlan? plan;
    private bool beside, replacing, opened;
    private DateTimeOffset? fencedAt, opensAt;

    /// <summary>Nothing is done yet.</summary>
    public RestoreSearch()
        : base(
            "Looking at sets and indices.",
            [
                (Plans, "Which set, which indices are made or replaced, and which stay."), (Reserves, "The set is claimed: retention leaves it alone."),
                .. Forward.Where(step => step <= SearchRestoreStep.Fence).Select(step => (InWords(step), InTheOrder(step))), (BacksUp, "What is replaced is backed up."),
                .. Forward.Where(step => step > SearchRestoreStep.Fence).Select(step => (InWords(step), InTheOrder(step))), (CleansUp, InTheOrder(SearchRestoreStep.CleanUp)),
            ])
    {
    }

    /// <summary>Workflow id of the run of a store: one at a time.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => IdOf(environment, store, region);

    /// <summary>The plan; null before there is one.</summary>
    [WorkflowQuery("restorePlan")]
    public SearchRestorePlan? CurrentPlan() => plan;

    private protected override string? PlanHash => plan?.Hash;

    private protected override bool PointOfNoReturnPassed => replacing;

    private protected override string? WhyNoAbort => replacing ? "Indices are being put in place: from here it only goes forward." : null;

    private protected override string AfterAbort => "what serves stays, and what was restored beside it is removed";

    private protected override IReadOnlyList<string> Compensations => beside && !replacing ? [InTheOrder(SearchRestoreStep.TakeBack)] : [];

    private protected override string? Overwritten => plan?.Overwrites.Any() == true ? $"{string.Join(", ", plan.Overwrites.Select(index => index.Name))}" : null;

    /// <summary>The runbook: plan, wait for people, then one step after the other.</summary>
    [WorkflowRun]
    public Task<SearchRestoreReport> RunAsync(Input<RestoreSearchInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost, given.Approved);
        var asked = new PlanSearchRestoreInput(Request.Store, Request.OperationId, given.Set, RequestFields.Moment("to", given.To), Named(given.Indices), given.Overwrite);
        Identify();
        try
        {
            var planned = await PlanAsync(asked);
            if (planned.Plan is not { } made)
                return End(RestoreOutcome.Refused, planned.Refusal!);
            plan = made;
            Publish(made.Hash);
            Finish(Plans, PlanInWords());
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (made.Indices.Count == 0)
                return End(RestoreOutcome.Unchanged, $"There is nothing to restore. {PlanInWords()}");
            if (!await IsApprovedAsync(planned.Approvals, planned.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
            // What was approved is what is done, or nothing.
            if ((await PlanAsync(asked)) is var again && again.Plan?.Hash != made.Hash)
                return End(RestoreOutcome.Refused, $"It is not any more as it was when it was planned: {again.Refusal ?? $"the plan is {again.Plan!.Hash} now."} Nothing was changed. Start again.");
            await CarryOutAsync(made);
            return End(RestoreOutcome.Restored, $"{Request.Store} has {made.Indices.Count} indices as of {made.At:u} from {made.Set}.{(BackupBefore is { } before ? $" What was replaced is in {before}." : "")}");
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure) && !replacing)
        {
            await GoBackAsync();
            return End(RestoreOutcome.Aborted, $"{(AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.")} Everything is as it was.");
        }
    });

    private async Task CarryOutAsync(SearchRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", () => ClaimAsync(release: false));
        foreach (var step in Forward)
        {
            if (step == SearchRestoreStep.Close)
                await BackUpAsync(made);
            if (step == SearchRestoreStep.Fence)
                fencedAt = made.Overwrites.Any() ? Now : null;
            (beside, replacing) = (true, step >= SearchRestoreStep.Replace);
            await StepAsync(InWords(step), InTheOrder(step), () => DoAsync(step, replacing ? CancellationToken.None : Acting.Token), abortable: !replacing);
        }

        (opened, opensAt) = (true, Now);

        await StepAsync(CleansUp, InTheOrder(SearchRestoreStep.CleanUp), async () => $"{await DoAsync(SearchRestoreStep.CleanUp, CancellationToken.None)} {await ClaimAsync(release: true)}", abortable: false);
    }

    /// <summary>Of this very run, and after the fence: whatever was acknowledged is in it.</summary>
    private async Task BackUpAsync(SearchRestorePlan made)
    {
        if (made.Overwrites.Any())
            await StepAsync(BacksUp, "What is replaced is backed up.", () => BackUpFirstAsync(StoreKind.Elasticsearch, BacksUp, Before(Request.OperationId, Workflow.Info.RunId[..8])));
        else
            Finish(BacksUp, "There is nothing that would be replaced.", StepState.Skipped);
        Acting.Token.ThrowIfCancellationRequested();
    }

    private async Task GoBackAsync()
    {
        if (plan is null)
            return;
        if (beside)
        {
            Steps.Add(new(TakesBack, StepState.Pending, InTheOrder(SearchRestoreStep.TakeBack), []));
            await StepAsync(TakesBack, InTheOrder(SearchRestoreStep.TakeBack), () => DoAsync(SearchRestoreStep.TakeBack, CancellationToken.None), abortable: false);
        }

        await ClaimAsync(release: true);
    }

    private async Task<string> DoAsync(SearchRestoreStep step, CancellationToken ct) => (await Workflow.ExecuteActivityAsync(
        (IBackupActivities activities) => activities.RestoreSearchStepAsync(new(Request.Store, Request.OperationId, plan!, step)), Changing(InTheOrder(step), takesLong: true, ct))).Detail;

    private async Task<string> ClaimAsync(bool release)
    {
        await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.ClaimSetAsync(new(Request.Store, Request.OperationId, plan!.Set, release)), Changing($"{(release ? "Let go of" : "Claim")} {plan!.Set}", takesLong: false, release ? CancellationToken.None : Acting.Token));
        return release ? $"{plan.Set} is let go." : $"{plan.Set} is claimed for {Request.OperationId}.";
    }

    private async Task<PlannedSearchRestore> PlanAsync(PlanSearchRestoreInput asked)
    {
        Begin(Plans);
        return await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanSearchRestoreAsync(asked), Looking($"What a restore of {Request.Store} would do"));
    }

    private static IReadOnlyList<string> Named(IReadOnlyList<string>? given) => given is { Count: 0 } || given?.Any(string.IsNullOrWhiteSpace) == true
        ? throw FailureTypes.Invalid("Field 'indices' is empty, or one of them is. Leave it out for all, or name some.") : given ?? [];

    /// <summary>What is proved, backed up or kept away may not be left out.</summary>
    private protected override bool MaySkip(string step) => step == CleansUp;

    private protected override string PlanInWords() =>
        $"{plan!.Store} of {plan.Environment} in {plan.Region} would be restored as of {plan.At:u} from {plan.Set}. {plan.Why} "
        + $"{plan.Indices.Count(index => index.Was is null)} indices would be made, {plan.Overwrites.Count()} that are there replaced; {plan.Kept.Count} stay. {string.Join(" ", plan.Notes)}".TrimEnd();

    private static string InTheOrder(SearchRestoreStep step) => step switch
    {
        SearchRestoreStep.Beside => "Indices are restored beside those that serve.",
        SearchRestoreStep.Prove => "What was restored beside is counted.",
        SearchRestoreStep.Fence => "Indices that are replaced take no writes any more.",
        SearchRestoreStep.Close => "Indices that are replaced are closed.",
        SearchRestoreStep.Replace => "Indices are restored in their place.",
        SearchRestoreStep.Compare => "They are counted again.",
        SearchRestoreStep.Open => "They take writes.",
        SearchRestoreStep.CleanUp => "What was restored beside is removed, and the set let go.",
        SearchRestoreStep.TakeBack => "What was to be replaced takes writes again, and what was restored beside is removed.",
        _ => throw new InvalidOperationException($"No such step: {step}."),
    };

    private SearchRestoreReport End(RestoreOutcome outcome, string summary)
    {
        EnterPhase(PhaseOf(outcome), summary.Trim());
        Say(outcome);
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary.Trim(),
            RestorePlan = plan,
            PlanHash = plan?.Hash,
            BackupBefore = BackupBefore,
            OutOfService = opensAt - fencedAt,
            Skipped = Skipped,
            ApprovedBy = ApprovedBy,
            Steps = [.. Steps],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private protected override string IfStoppedNow() => Ended || opened ? "Nothing is half-done; copies beside may be left." : !beside ? "Nothing has been changed."
        : !replacing ? "What serves is as it was, and may take no writes; copies beside are left. Start the runbook again with the same operationId, or abort it."
        : $"Indices may be closed, or restored without taking writes.{(BackupBefore is { } before ? $" What was replaced is in {before}." : "")} Go on with the run.";
}
