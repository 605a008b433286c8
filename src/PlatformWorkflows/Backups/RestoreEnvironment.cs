using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Restores an environment of which nothing but its clusters is left: Vault, PostgreSQL, Elasticsearch, Temporal, Argo CD, each by the runbook that does it at other times, with one approval for all that can be planned at
/// the beginning. See <c>docs/runbooks/restore-environment.md</c>.</summary>
[Workflow]
public sealed class RestoreEnvironment : RestoreRunbook
{
    /// <summary>What its operation id and search attributes call it.</summary>
    private const string Everything = "environment";

    private readonly Dictionary<string, TimeSpan> took = [];
    private EnvironmentRestorePlan? plan;
    private RestoreEnvironmentInput given = new();
    private NewInstance? beside;
    private DateTimeOffset? begunAt, doneAt;

    /// <summary>Nothing is done yet.</summary>
    public RestoreEnvironment()
        : base("Looking at stores and sets.", (Plans, "Which stores in which order, and the plan of each."))
    {
    }

    /// <summary>Workflow id of the run of an environment: one at a time.</summary>
    public static string WorkflowId(string environment) => $"restore/{environment}";

    /// <summary>The plan; null before there is one.</summary>
    [WorkflowQuery("restorePlan")]
    public EnvironmentRestorePlan? CurrentPlan() => plan;

    private protected override string? PlanHash => plan?.Hash;

    private protected override string AfterAbort => "what was restored until then stays, and a step that goes on ends as its own runbook says";

    /// <summary>The runbook: plan every step, wait for people, then one step after the other.</summary>
    [WorkflowRun]
    public Task<EnvironmentRestoreReport> RunAsync(Input<RestoreEnvironmentInput>? input = null) => TellAsync(async () =>
    {
        given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, Everything, region: null, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost);
        var target = RequestFields.Moment("to", given.To);
        Identify();
        try
        {
            Begin(Plans);
            var listed = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ListStoresAsync(Request.Store), Looking($"Which stores {Request.Store.Environment} has"));
            plan = await PlanAsync(target, EnvironmentRestorePlan.InOrder(
                // Runs of before brought all of Temporal at once.
                listed.Stores, listed.Components, listed.Components.Any(EnvironmentRestorePlan.IsTemporal) && Workflow.Patched("temporal-starts-still")));
            if (plan.Steps.Count == 0)
                return End(RestoreOutcome.Refused, $"{Request.Store.Environment} has nothing that this restores: no Vault, no database, no search, no Temporal and no Argo CD.");
            Publish(plan.Hash);
            Finish(Plans, PlanInWords());
            Steps.AddRange(plan.Steps.Select(step => new RunbookStep(step.Name, StepState.Pending, step.Does, [])));
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync(listed.Approvals, listed.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(listed.ApprovalTimeout)}.");
            foreach (var step in plan.Steps)
                await DoAsync(step);
            doneAt = Now;
            return End(Skipped.Count == 0 ? RestoreOutcome.Restored : RestoreOutcome.Partial, $"{Request.Store.Environment} is restored in {InWords(Now - begunAt!.Value)}: {InWords(took)}.{(Skipped.Count == 0 ? "" : $" Without {string.Join(", ", Skipped.Keys)}.")}");
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure))
        {
            return End(RestoreOutcome.Aborted, $"{(AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.")} {(begunAt is null ? "Nothing was changed." : $"Done until then, and left as it is: {(took.Count == 0 ? "nothing" : InWords(took))}.")}");
        }
    });

    /// <summary>Every store's own plan, where it can be made now.</summary>
    private async Task<EnvironmentRestorePlan> PlanAsync(DateTimeOffset? target, IReadOnlyList<EnvironmentRestoreStep> steps)
    {
        var planned = new List<EnvironmentRestoreStep>();
        foreach (var step in steps)
        {
            if (step.Kind != EnvironmentStepKind.Restore)
            {
                planned.Add(step);
                continue;
            }

            var (outcome, summary, hash) = await PlannedAsync(step);
            planned.Add(outcome == RestoreOutcome.Planned
                ? step with { Does = $"{step.Does} {summary}", PlanHash = hash }
                : step with { Does = $"{step.Does} It cannot be planned yet ({summary}), and asks for its own approval when it is its turn." });
        }

        return new() { Environment = Request.Store.Environment, Target = target, Steps = planned };
    }

    /// <summary>What does not answer yet is not planned yet: a step before may bring it.</summary>
    private async Task<(RestoreOutcome Outcome, string Summary, string? PlanHash)> PlannedAsync(EnvironmentRestoreStep step)
    {
        try
        {
            return await RestoreAsync(step, RunbookMode.Plan);
        }
        catch (ChildWorkflowFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            return (RestoreOutcome.Refused, FailureReason.Of(failure), null);
        }
    }

    private async Task DoAsync(EnvironmentRestoreStep step)
    {
        begunAt ??= Now;
        var began = Now;
        if (step.Kind == EnvironmentStepKind.Fence)
        {
            await StepAsync(step.Name, step.Does, FenceAsync);
            took[step.Name] = Now - began;
            return;
        }

        var id = step.Kind == EnvironmentStepKind.Restore ? IdOf(Request.Store.Environment, step.Name, region: null) : ProvisionEnvironment.WorkflowId(Request.Store.Environment);
        await StepAsync(step.Name, $"{step.Does} Its run is {id}: look there for what it waits for.", async () =>
        {
            try
            {
                return step.Kind == EnvironmentStepKind.Restore ? await RestoredAsync(step) : await ProvisionAsync(step);
            }
            catch (WorkflowAlreadyStartedException running)
            {
                throw FailureTypes.Impossible($"{running.WorkflowId} runs already. Let it end or abort it, then retryStep.");
            }
        });
        took[step.Name] = Now - began;
    }

    private async Task<string> RestoredAsync(EnvironmentRestoreStep step)
    {
        var (outcome, summary, _) = await RestoreAsync(step, RunbookMode.Apply);
        // What comes after it would start on the database as it is.
        if (beside is { } instance)
            throw FailureTypes.Impossible($"{summary} Have {instance.Name} take the place of the database (docs/runbooks/restore.md), then skipStep.");
        return outcome is RestoreOutcome.Restored or RestoreOutcome.Partial or RestoreOutcome.Unchanged ? summary : throw FailureTypes.Impossible($"It ended {InWords(outcome)}: {summary}");
    }

    private async Task<(RestoreOutcome Outcome, string Summary, string? PlanHash)> RestoreAsync(EnvironmentRestoreStep step, RunbookMode mode)
    {
        var store = step.Name;
        var id = IdOf(Request.Store.Environment, store, region: null);
        var options = new ChildWorkflowOptions
        {
            Id = mode == RunbookMode.Plan ? $"plan/{id}/{Request.OperationId}" : id,
            StaticSummary = mode == RunbookMode.Plan ? $"What a restore of {store} would do" : $"Restore {store}",
            CancellationToken = Acting.Token,
        };
        return step.Store switch
        {
            StoreKind.Vault => Result(await Workflow.ExecuteChildWorkflowAsync<VaultRestoreReport>(nameof(RestoreVault), [Of<RestoreVaultInput>() with { OtherKeys = given.OtherKeys }], options)),
            // What is there already somebody has made since: it stays, and the plan says so.
            StoreKind.Elasticsearch => Result(await Workflow.ExecuteChildWorkflowAsync<SearchRestoreReport>(nameof(RestoreSearch), [Of<RestoreSearchInput>()], options)),
            _ => Database(await Workflow.ExecuteChildWorkflowAsync<RestoreReport>(nameof(RestoreDatabase), [Of<RestoreDatabaseInput>() with { Exchange = given.Exchange }], options)),
        };

        (RestoreOutcome Outcome, string Summary, string? PlanHash) Database(RestoreReport report)
        {
            beside = mode == RunbookMode.Apply && report is { Outcome: RestoreOutcome.Restored, RestorePlan.NewInstance: { Exchange: null } made } ? made : null;
            return Result(report);
        }

        T Of<T>()
            where T : StoreRestoreInput, new() => new()
            {
                Environment = Request.Store.Environment,
                Store = store,
                To = given.To,
                Mode = mode,
                RequestedBy = given.RequestedBy,
                // The same operation again finds what it has done.
                OperationId = Part(Request.OperationId, store),
                Within = given.Within,
                ParkedAtMost = given.ParkedAtMost,
                Approved = mode == RunbookMode.Plan || step.PlanHash is null ? null : new ApprovedPlan(step.PlanHash, ApprovedBy),
            };

        static (RestoreOutcome Outcome, string Summary, string? PlanHash) Result<TPlan>(StoreRestoreReport<TPlan> report)
            where TPlan : class, IRestorePlan => (report.Outcome, report.Summary, report.PlanHash);
    }

    private async Task<string> ProvisionAsync(EnvironmentRestoreStep step)
    {
        var report = await Workflow.ExecuteChildWorkflowAsync(
            (ProvisionEnvironment child) => child.RunAsync(Input<ProvisionEnvironmentInput>.Of(new()
            {
                Environment = Request.Store.Environment,
                Components = step.Components,
                Reason = $"{Request.OperationId}: {step.Name}",
                ParkedAtMost = given.ParkedAtMost,
            })),
            new() { Id = ProvisionEnvironment.WorkflowId(Request.Store.Environment), StaticSummary = $"Provision {step.Name}", CancellationToken = Acting.Token });
        return report.Outcome is ProvisioningOutcome.Healthy or ProvisioningOutcome.Incomplete ? report.Summary : throw FailureTypes.Impossible($"It ended {InWords(report.Outcome)}: {report.Summary}");
    }

    /// <summary>Nothing that was restored acts before people have seen what it would do.</summary>
    private async Task<string> FenceAsync()
    {
        var fenced = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.FenceTemporalAsync(new(Request.Store.Environment, Request.OperationId)), Changing("Pause Temporal's schedules and look at its runs", takesLong: true, Acting.Token));
        return fenced.Wrong.Count == 0 ? string.Join(" ", fenced.Right) : throw FailureTypes.Impossible(string.Join(" ", [.. fenced.Wrong, .. fenced.Right]));
    }

    /// <summary>An operation id of a part, no longer than such ids may be.</summary>
    private static string Part(string operation, string store)
    {
        var end = $"-{store}";
        return $"{operation[..Math.Min(operation.Length, Math.Max(1, 63 - end.Length))].TrimEnd('-')}{end}";
    }

    /// <summary>A site may be of use without a part, for which somebody answers.</summary>
    private protected override bool MaySkip(string step) => step != Plans;

    private protected override string PlanInWords() =>
        $"{plan!.Environment} would be restored to {(plan.Target is { } target ? $"{target:u}" : "the newest")}, in this order. {string.Join(" ", plan.Steps.Select((step, index) => $"{index + 1}. {step.Does}"))}";

    private static string InWords(IReadOnlyDictionary<string, TimeSpan> durations) => string.Join(", ", durations.Select(step => $"{step.Key} in {InWords(step.Value)}"));

    private EnvironmentRestoreReport End(RestoreOutcome outcome, string summary)
    {
        EnterPhase(PhaseOf(outcome), summary);
        Say(outcome);
        return new()
        {
            Environment = Request.Store.Environment,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary,
            RestorePlan = plan,
            PlanHash = plan?.Hash,
            Took = took,
            RestoreTook = (doneAt ?? Now) - begunAt,
            Skipped = Skipped,
            ApprovedBy = ApprovedBy,
            Steps = [.. Steps],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : begunAt is null ? "Nothing has been changed."
        : $"Done: {(took.Count == 0 ? "nothing" : string.Join(", ", took.Keys))}. The run of the step that goes on is its own, and goes on only while this one does. Start the runbook again with the same operationId.";
}
