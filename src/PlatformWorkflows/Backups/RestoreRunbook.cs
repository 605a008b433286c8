using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>What restores into what runs have in common: people approve exactly one plan, what is overwritten is backed up first, a step that fails parks until they say how to go on, and abort stops it as long as it may.</summary>
public abstract partial class RestoreRunbook : BackupRunbook
{
    /// <summary>The first step.</summary>
    private protected const string Plans = "plan";

    private string? requestedBy;
    private ApprovedPlan? approvedBefore;

    private protected RestoreRunbook(string summary, params IEnumerable<(string Name, string Detail)> steps)
        : base(summary, steps)
    {
    }

    /// <summary>Cancelled by an abort, or with the workflow.</summary>
    private protected CancellationTokenSource Acting { get; } = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);

    /// <summary>What people went on without, with why.</summary>
    private protected Dictionary<string, string> Skipped { get; } = [];

    /// <summary>The set that holds what was overwritten; null: none was made.</summary>
    private protected string? BackupBefore { get; set; }

    /// <summary>Workflow id of the run that restores a store: one at a time.</summary>
    private protected static string IdOf(string environment, string store, string? region) => $"restore/{environment}/{new StoreReference(environment, store, region)}";

    /// <summary>The plan, for whoever approves it.</summary>
    private protected abstract string PlanInWords();

    /// <summary>Whether people may say to go on without a step.</summary>
    private protected abstract bool MaySkip(string step);

    /// <summary>How long a parked run waits for people.</summary>
    private protected TimeSpan ParkedAtMost { get; private set; }

    /// <summary>Takes what the input says about people.</summary>
    /// <param name="approved">What was approved with the plans of other stores; null: nothing.</param>
    private protected void Use(string? requester, string? parked, ApprovedPlan? approved = null)
    {
        // Whoever starts a run could say so; only the run that asked those people started this one as its child.
        if (approved is not null && Workflow.Info.Parent?.WorkflowId != RestoreEnvironment.WorkflowId(Request.Store.Environment))
            throw FailureTypes.Invalid("Field 'approved' is for runs that RestoreEnvironment starts. Leave it out: the plan is approved with the update approve.");
        (requestedBy, ParkedAtMost, approvedBefore) = (requester, RequestFields.ParkedAtMost(parked), approved);
    }

    /// <summary>Makes the run findable by what is approved.</summary>
    private protected static void Publish(string planHash) => Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.PlanHash.ValueSet(planHash));

    /// <summary>As it was before, without parking: for what looks.</summary>
    private protected ActivityOptions Looking(string summary, bool takesLong = false)
    {
        var options = takesLong ? Long(summary) : Short(summary);
        options.CancellationToken = Acting.Token;
        return options;
    }

    /// <summary>For what changes something: what is stopped must not go on.</summary>
    private protected ActivityOptions Changing(string summary, bool takesLong, CancellationToken ct)
    {
        var options = takesLong ? Long(summary) : Short(summary);
        (options.CancellationToken, options.CancellationType, options.HeartbeatTimeout) = (ct, ActivityCancellationType.WaitCancellationCompleted, Heartbeat);
        return options;
    }

    /// <summary>One step, until it is done or people have said to go on without it.</summary>
    /// <param name="summary">What is done, as a sentence.</param>
    /// <param name="abortable">Whether it can be stopped: after a point of no return there is only forward, whoever cancels.</param>
    /// <returns>False: people went on without it.</returns>
    private protected async Task<bool> StepAsync(string step, string summary, Func<Task<string>> work, bool abortable = true)
    {
        while (true)
        {
            if (abortable)
                Acting.Token.ThrowIfCancellationRequested();
            Begin(step);
            EnterPhase(RunbookPhase.Acting, summary);
            try
            {
                Finish(step, await work());
                return true;
            }
            catch (FailureException failure) when (!TemporalException.IsCanceledException(failure) || !abortable)
            {
                if (!await GoesOnAsync(step, FailureReason.Of(failure), abortable))
                    return false;
            }
        }
    }

    /// <summary>What is overwritten is backed up by the runbook that does it at other times, and under its id: two never make sets of one store at once.</summary>
    /// <param name="operation">Also the id of the set.</param>
    private protected async Task<string> BackUpFirstAsync(StoreKind kind, string step, string operation)
    {
        var report = await MakeByAsync(
            kind,
            () => new() { Environment = Request.Store.Environment, Store = Request.Store.Store, Region = Request.Store.Region, OperationId = operation, Within = $"{Request.Within.TotalSeconds:0}s" },
            $"Back up {Request.Store} before it is overwritten",
            async () =>
            {
                Begin(step, $"{BackUpStore.WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region)} makes a set; waiting for it.");
                await Workflow.DelayAsync(TurnPause, Acting.Token);
            },
            Acting.Token);
        BackupBefore = operation;
        return report.Outcome == BackupOutcome.Complete ? $"{operation} holds what is overwritten." : throw FailureTypes.Impossible($"{operation} is not whole: {report.Set.Reason}");
    }

    /// <summary>Asks people what is to become of a step that failed. False: they go on without it.</summary>
    private protected async Task<bool> GoesOnAsync(string step, string why, bool abortable)
    {
        Finish(step, why, StepState.Failed);
        failed = step;
        EnterPhase(RunbookPhase.Parked, $"Parked: {step} failed. {why}");
        WaitingFor = new(abortable ? "retryStep, skipStep or abort" : "retryStep or skipStep", "operator", Now + ParkedAtMost);
        var answered = await Workflow.WaitConditionAsync(() => failed is null, ParkedAtMost, abortable ? Acting.Token : CancellationToken.None);
        WaitingFor = null;
        failed = null;
        if (!answered && abortable)
        {
            AbortReason = $"nobody continued the parked run within {InWords(ParkedAtMost)}. {why}";
            Acting.Cancel();
            Acting.Token.ThrowIfCancellationRequested();
        }

        if (!answered)
            throw FailureTypes.Impossible($"Nobody continued the parked run within {InWords(ParkedAtMost)}. {why} {IfStoppedNow()}");
        if (!Skipped.TryGetValue(step, out var reason))
            return true;
        Finish(step, $"Skipped: {reason}", StepState.Skipped);
        return false;
    }

    private protected static RunbookPhase PhaseOf(RestoreOutcome outcome) => outcome switch
    {
        RestoreOutcome.Refused => RunbookPhase.Failed,
        RestoreOutcome.Rejected => RunbookPhase.Rejected,
        RestoreOutcome.Aborted => RunbookPhase.Aborted,
        _ => RunbookPhase.Completed,
    };

    /// <summary>The id of a set that holds what an operation overwrites.</summary>
    /// <param name="suffix">Which of its attempts.</param>
    private protected static string Before(string operation, string? suffix = null)
    {
        var end = suffix is null ? "-before" : $"-before-{suffix}";
        return $"{operation[..Math.Min(operation.Length, 63 - end.Length)].TrimEnd('-')}{end}";
    }
}
