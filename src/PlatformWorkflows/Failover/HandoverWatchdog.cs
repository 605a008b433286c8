using System.Text.Json;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>Watches the handover of an environment's Temporal namespaces beside whoever drives it, and sees to it that none stays closed. Started by <c>RegionFailover</c> before anything is
/// closed (workflow id <c>handover-watchdog/{environment}/{operation}</c>), and not ended with it. See <c>docs/runbooks/failover.md</c>.</summary>
[Workflow]
public sealed class HandoverWatchdog
{
    /// <summary>Nothing can begin any more when nothing has been under way for so long: an attempt that nobody waits for is over by then.</summary>
    private static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(5);

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly CancellationTokenSource handedOver = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
    private RunbookPhase phase = RunbookPhase.Observing;
    private string environment = "";
    private string operationId = "";
    private string summary = "Watching that no namespace stays closed.";

    /// <summary>Workflow id of the watch over one change of places.</summary>
    public static string WorkflowId(string environment, string operationId) => $"handover-watchdog/{environment}/{operationId}";

    /// <summary>Where it stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(HandoverWatchdog),
        Environment = environment,
        OperationId = operationId,
        Phase = phase,
        Summary = summary,
        Steps = [],
        IfStoppedNow = "Nobody sees to it but whoever drives the handover that a namespace does not stay closed.",
        Compensations = [],
        StartedAt = startedAt,
    };

    /// <summary>Watch until it is over, or until nothing has been under way for a while. Cancelled, it still sees every namespace open first.</summary>
    [WorkflowRun]
    public async Task<WatchedHandover> RunAsync(FailoverOrder order)
    {
        (environment, operationId) = (order.Environment, order.OperationId);
        Workflow.UpsertTypedSearchAttributes(
            RunbookSearchAttributes.Runbook.ValueSet(nameof(HandoverWatchdog)), RunbookSearchAttributes.Environment.ValueSet(environment),
            RunbookSearchAttributes.OperationId.ValueSet(operationId), RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));
        WatchedHandover watched;
        try
        {
            watched = await GuardAsync(order, QuietFor, handedOver.Token);
        }
        catch (Exception stopped) when (TemporalException.IsCanceledException(stopped))
        {
            watched = await GuardAsync(order, TimeSpan.Zero, CancellationToken.None);
        }

        (phase, summary) = (RunbookPhase.Completed, watched.Detail);
        Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));
        return watched;
    }

    /// <summary>Whoever drives the handover has seen its end.</summary>
    [WorkflowSignal("handedOver")]
    public Task HandedOverAsync()
    {
        handedOver.Cancel();
        return Task.CompletedTask;
    }

    private static Task<WatchedHandover> GuardAsync(FailoverOrder order, TimeSpan quiet, CancellationToken ct)
    {
        var guard = new GuardHandoverOrder(order.Environment, order.OperationId, order.Epoch, order.From, order.To, order.Kind, quiet, order.Drill);
        return Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.GuardHandoverAsync(guard), new()
        {
            Summary = $"See that no namespace of {order.Environment} stays closed",
            StartToCloseTimeout = TimeSpan.FromDays(7),
            // A part of the bound: another worker goes on watching.
            HeartbeatTimeout = TimeSpan.FromSeconds(5),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(200), MaximumInterval = TimeSpan.FromSeconds(2) },
            CancellationToken = ct,
        });
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
