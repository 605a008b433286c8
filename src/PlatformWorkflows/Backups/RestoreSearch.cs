using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Brings indices back from a set: planned and approved first, restored and proved beside those that serve, and only then put in their place; what is there is replaced only where that was approved by itself, with a
/// backup of it. Until then abort leaves everything as it was. See <c>docs/runbooks/restore-search.md</c>.</summary>
[Workflow]
public sealed class RestoreSearch : StoreRestore<SearchRestorePlan, SearchRestoreReport>
{
    private const string TakesBack = "takeBack";

    /// <summary>In the order in which they are done; the backup comes after the fence.</summary>
    private static readonly IReadOnlyList<SearchRestoreStep> Forward = [.. Enum.GetValues<SearchRestoreStep>().Where(step => step < SearchRestoreStep.CleanUp)];

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

    private protected override bool PointOfNoReturnPassed => replacing;

    private protected override string? WhyNoAbort => replacing ? "Indices are being put in place: from here it only goes forward." : null;

    private protected override string AfterAbort => "what serves stays, and what was restored beside it is removed";

    private protected override string LeftByStop => "Everything is as it was.";

    private protected override IReadOnlyList<string> Compensations => beside && !replacing ? [InTheOrder(SearchRestoreStep.TakeBack)] : [];

    private protected override string? Overwritten => Plan?.Overwrites.Any() == true ? $"{string.Join(", ", Plan.Overwrites.Select(index => index.Name))}" : null;

    /// <summary>The runbook: plan, wait for people, then one step after the other.</summary>
    [WorkflowRun]
    public Task<SearchRestoreReport> RunAsync(Input<RestoreSearchInput>? input = null) => RestoreAsync(input, (given, target) =>
    {
        var asked = new PlanSearchRestoreInput(Request.Store, Request.OperationId, given.Set, target, Named(given.Indices), given.Overwrite);
        return () => Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanSearchRestoreAsync(asked), Looking(WhatItWouldDo));
    });

    private protected override bool IsEmpty(SearchRestorePlan made) => made.Indices.Count == 0;

    private protected override async Task CarryOutAsync(SearchRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", () => ClaimAsync(release: false));
        foreach (var step in Forward)
        {
            if (step == SearchRestoreStep.Close)
            {
                await BackUpAsync(made);
                // An index that is being snapshotted cannot be closed, and one that is closed is missing in a snapshot.
                await LockAsync(InWords(step));
            }

            if (step == SearchRestoreStep.Fence)
                fencedAt = made.Overwrites.Any() ? Now : null;
            (beside, replacing) = (true, step >= SearchRestoreStep.Replace);
            await StepAsync(InWords(step), InTheOrder(step), () => DoAsync(step, replacing ? CancellationToken.None : Acting.Token), abortable: !replacing);
        }

        (opened, opensAt) = (true, Now);

        await StepAsync(CleansUp, InTheOrder(SearchRestoreStep.CleanUp), async () => $"{await DoAsync(SearchRestoreStep.CleanUp, CancellationToken.None)} {await ClaimAsync(release: true)}", abortable: false);
    }

    /// <summary>After the fence: whatever was acknowledged is in it.</summary>
    private async Task BackUpAsync(SearchRestorePlan made)
    {
        if (made.Overwrites.Any())
            await StepAsync(BacksUp, "What is replaced is backed up.", () => BackUpFirstAsync(StoreKind.Elasticsearch, BacksUp, BeforeThisRun));
        else
            Finish(BacksUp, "There is nothing that would be replaced.", StepState.Skipped);
        Acting.Token.ThrowIfCancellationRequested();
    }

    private protected override async Task GoBackAsync(SearchRestorePlan made)
    {
        if (beside)
        {
            Steps.Add(new(TakesBack, StepState.Pending, InTheOrder(SearchRestoreStep.TakeBack), []));
            await StepAsync(TakesBack, InTheOrder(SearchRestoreStep.TakeBack), () => DoAsync(SearchRestoreStep.TakeBack, CancellationToken.None), abortable: false);
        }

        await ClaimAsync(release: true);
    }

    private async Task<string> DoAsync(SearchRestoreStep step, CancellationToken ct) => (await Workflow.ExecuteActivityAsync(
        (IBackupActivities activities) => activities.RestoreSearchStepAsync(new(Request.Store, Request.OperationId, Plan!, step)), Changing(InTheOrder(step), takesLong: true, ct))).Detail;

    private static IReadOnlyList<string> Named(IReadOnlyList<string>? given) => given is { Count: 0 } || given?.Any(string.IsNullOrWhiteSpace) == true
        ? throw FailureTypes.Invalid("Field 'indices' is empty, or one of them is. Leave it out for all, or name some.") : given ?? [];

    /// <summary>What is proved, backed up or kept away may not be left out.</summary>
    private protected override bool MaySkip(string step) => step == CleansUp;

    private protected override string PlanInWords() =>
        $"{Plan!.Store} of {Plan.Environment} in {Plan.Region} would be restored as of {Plan.At:u} from {Plan.Set}. {Plan.Why} "
        + $"{Plan.Indices.Count(index => index.Was is null)} indices would be made, {Plan.Overwrites.Count()} that are there replaced; {Plan.Kept.Count} stay. {string.Join(" ", Plan.Notes)}".TrimEnd();

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

    private protected override (RestoreOutcome Outcome, string Summary) Judge(SearchRestorePlan made) =>
        (RestoreOutcome.Restored, $"{Request.Store} has {made.Indices.Count} indices as of {made.At:u} from {made.Set}.{(BackupBefore is { } before ? $" What was replaced is in {before}." : "")}");

    private protected override SearchRestoreReport Report(RestoreOutcome outcome) => new() { OutOfService = opensAt - fencedAt };

    private protected override string IfStoppedNow() => Ended || opened ? "Nothing is half-done; copies beside may be left." : !beside ? "Nothing has been changed."
        : !replacing ? "What serves is as it was, and may take no writes; copies beside are left. Start the runbook again with the same operationId, or abort it."
        : $"Indices may be closed, or restored without taking writes.{(BackupBefore is { } before ? $" What was replaced is in {before}." : "")} Go on with the run.";
}
