using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Marks the sets of a store that are to go, and removes those whose grace has ended. Says why each other one stays. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class ApplyRetention : BackupRunbook
{
    private const string Decides = "decide", Applies = "apply";

    /// <summary>Nothing is done yet.</summary>
    public ApplyRetention()
        : base("Looking at every set.", (Decides, "What goes, and why each other one stays."), (Applies, "Sets are marked, unmarked and removed, one by one."))
    {
    }

    /// <summary>Workflow id of the run of a store, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => $"retention/{environment}/{new StoreReference(environment, store, region)}";

    /// <summary>The runbook: decide, then carry out one by one; each is decided again just before.</summary>
    [WorkflowRun]
    public Task<ApplyRetentionReport> RunAsync(Input<ApplyRetentionInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("retention", given.Environment, given.Store, given.Region, given.OperationId);
        Identify();
        Begin(Decides);
        var decided = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.DecideRetentionAsync(Request.Store), Short($"What goes of {Request.Store}"));
        var acts = decided.Verdicts.Where(verdict => verdict.Action is RetentionAction.Mark or RetentionAction.Unmark or RetentionAction.Sweep).ToList();
        Finish(Decides, InWords(decided));
        if (given.Mode == RunbookMode.Plan)
            return End(RetentionOutcome.Planned, decided, [], InWords(decided));
        Begin(Applies);
        EnterPhase(RunbookPhase.Acting, InWords(decided));
        var left = new List<string>();
        foreach (var verdict in acts)
        {
            var done = await Workflow.ExecuteActivityAsync(
                (IBackupActivities activities) => activities.RetireSetAsync(new(Request.Store, Request.OperationId, verdict.Set, verdict.Action)),
                Short($"{InWords(verdict.Action)} {verdict.Set}"));
            if (!done.Done)
                left.Add($"{verdict.Set}: {done.Detail}");
        }

        Finish(Applies, left.Count == 0 ? "Done." : string.Join(" ", left));
        return End(RetentionOutcome.Applied, decided, left, $"{InWords(decided)}{(left.Count == 0 ? "" : $" {left.Count} were left as they are.")}");
    });

    private static string InWords(DecidedRetention decided)
    {
        int Of(RetentionAction action) => decided.Verdicts.Count(verdict => verdict.Action == action);
        return $"Of {decided.Count} sets {Of(RetentionAction.Sweep)} go, {Of(RetentionAction.Mark)} are marked, {Of(RetentionAction.Wait)} wait, {Of(RetentionAction.Unmark)} are unmarked."
            + (decided.Disagreements.Count == 0 ? "" : $" Catalog and repository disagree about {decided.Disagreements.Count}: {string.Join(" ", decided.Disagreements.Select(finding => $"{finding.Name}: {finding.Why}"))}");
    }

    private ApplyRetentionReport End(RetentionOutcome outcome, DecidedRetention decided, IReadOnlyList<string> left, string summary)
    {
        EnterPhase(RunbookPhase.Completed, summary);
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary,
            Verdicts = decided.Verdicts,
            Left = left,
            Disagreements = decided.Disagreements,
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private protected override string IfStoppedNow() => "Sets that were not reached are as they were; the next run decides again.";
}
