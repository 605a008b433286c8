using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>What all runbooks about backups share: where they stand, how long they wait for an activity, and how they end. Those of schedules do not park: the next one must not be kept waiting.</summary>
public abstract class BackupRunbook : SteppedRunbook
{
    /// <summary>Whoever does something long says every few seconds that it goes on.</summary>
    private protected static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>How long whoever works on the store is waited for before it is looked again.</summary>
    private protected static readonly TimeSpan TurnPause = TimeSpan.FromSeconds(30);

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);

    private protected BackupRunbook(string summary, params IEnumerable<(string Name, string Detail)> steps)
        : base(summary, steps.Select(step => new RunbookStep(step.Name, StepState.Pending, step.Detail, [])))
    {
    }

    private protected BackupRequest Request { get; set; } = BackupRequest.Unchecked;

    private protected DateTimeOffset StartedAt => startedAt;

    /// <summary>What an abort would undo.</summary>
    private protected virtual IReadOnlyList<string> Compensations => [];

    private protected virtual bool PointOfNoReturnPassed => false;

    /// <summary>The hash to approve; null: nothing is approved.</summary>
    private protected virtual string? PlanHash => null;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = GetType().Name,
        Environment = Request.Store.Environment,
        OperationId = Request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = [.. Steps],
        WaitingFor = WaitingFor,
        Next = Ended ? null : Steps.FirstOrDefault(step => step.State is StepState.Pending)?.Detail,
        IfStoppedNow = IfStoppedNow(),
        Compensations = Compensations,
        PointOfNoReturnPassed = PointOfNoReturnPassed,
        PlanHash = PlanHash,
        StartedAt = startedAt,
    };

    /// <summary>The state of the world if the run stops at this moment, as a sentence.</summary>
    private protected abstract string IfStoppedNow();

    /// <summary>Runs the story, and says how it ended when it does not end well.</summary>
    private protected async Task<T> TellAsync<T>(Func<Task<T>> story)
    {
        try
        {
            return await story();
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure))
        {
            EnterPhase(RunbookPhase.Aborted, $"Cancelled. {IfStoppedNow()}");
            throw;
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Has the one run that may make a set of the store make one.</summary>
    /// <param name="input">What it is asked for, when it is its turn.</param>
    /// <param name="busy">Waits while another one works on the store; ends the waiting by throwing.</param>
    private protected async Task<BackUpReport> MakeByAsync(StoreKind kind, Func<BackUpInput> input, string summary, Func<Task> busy, CancellationToken ct)
    {
        var id = BackUpStore.WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region);
        while (true)
        {
            try
            {
                return await Workflow.ExecuteChildWorkflowAsync<BackUpReport>(BackUpStore.RunbookOf(kind)!, [Input<BackUpInput>.Of(input())], new() { Id = id, StaticSummary = summary, CancellationToken = ct });
            }
            catch (WorkflowAlreadyStartedException)
            {
                await busy();
            }
        }
    }

    /// <summary>Makes the run findable.</summary>
    private protected void Identify()
    {
        Workflow.UpsertTypedSearchAttributes(
        [
            RunbookSearchAttributes.Runbook.ValueSet(GetType().Name),
            RunbookSearchAttributes.Environment.ValueSet(Request.Store.Environment),
            RunbookSearchAttributes.Component.ValueSet(Request.Store.Store),
            RunbookSearchAttributes.OperationId.ValueSet(Request.OperationId),
            RunbookSearchAttributes.Phase.ValueSet(InWords(Phase)),
            .. Request.Store.Region is { } region ? [RunbookSearchAttributes.Region.ValueSet(region)] : Array.Empty<SearchAttributeUpdate>(),
        ]);
    }

    private protected static void Say(Enum outcome) => Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Outcome.ValueSet(InWords(outcome)));

    /// <summary>For what is short: looking, and writing into the catalog. A repository that does not answer for minutes fails the run: the next one of the schedule is better than a late one.</summary>
    private protected static ActivityOptions Short(string summary) => new()
    {
        Summary = summary,
        StartToCloseTimeout = TimeSpan.FromMinutes(5),
        ScheduleToCloseTimeout = TimeSpan.FromMinutes(15),
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromSeconds(30) },
    };

    /// <summary>For what may take hours, and is waited for by whoever comes after a worker that died.</summary>
    private protected ActivityOptions Long(string summary) => new()
    {
        Summary = summary,
        ScheduleToCloseTimeout = Request.Within,
        HeartbeatTimeout = Heartbeat,
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1) },
    };
}
