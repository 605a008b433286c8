using System.Text.Json;
using Google.Protobuf;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Provisioning;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The handover of namespaces that a Temporal server does by itself: its workflow <c>namespace-handover</c>, in the cluster that hands over. It waits until the other cluster has nearly
/// everything, closes the namespace, waits until the other one has all of it, makes it active there, and opens it. One at a time for each namespace.</summary>
/// <remarks>Its input, its queue and its name are those of the server's worker role. A run timeout would cut off the step that opens the namespace again, so that it gets none.</remarks>
public sealed class ServerHandover(TemporalCluster cluster)
{
    internal const string SystemNamespace = "temporal-system", TaskQueue = "default-worker-tq", WorkflowType = "namespace-handover";

    /// <summary>What the other cluster may lack before the namespace is closed: the least that the server accepts.</summary>
    private const int AllowedLaggingSeconds = 5;

    internal static string WorkflowId(string space) => $"platformops-handover-{space}";

    /// <summary>Begins it; one that runs already is taken for this one.</summary>
    /// <param name="timeout">For how long it may keep the namespace closed before it gives up and opens it.</param>
    public Task StartAsync(string space, string to, TimeSpan timeout, CancellationToken ct) => cluster.CallAsync($"start the handover of namespace {space}", (services, rpc) => services.StartWorkflowExecutionAsync(
        new StartWorkflowExecutionRequest
        {
            Namespace = SystemNamespace,
            WorkflowId = WorkflowId(space),
            WorkflowType = new WorkflowType { Name = WorkflowType },
            TaskQueue = new TaskQueue { Name = TaskQueue },
            Input = new Payloads { Payloads_ = { Json(new { Namespace = space, RemoteCluster = to, AllowedLaggingSeconds, AllowedLaggingTasks = 0, HandoverTimeoutSeconds = (int)timeout.TotalSeconds }) } },
            RequestId = Guid.NewGuid().ToString(),
            Identity = Ownership.FieldManager,
            WorkflowIdReusePolicy = WorkflowIdReusePolicy.AllowDuplicate,
            WorkflowIdConflictPolicy = WorkflowIdConflictPolicy.UseExisting,
        }, rpc), ct);

    /// <summary>Whether it goes on. That the cluster does not answer is <see cref="HandoverRun.Unknown"/>.</summary>
    public async Task<HandoverRun> FindAsync(string space, CancellationToken ct)
    {
        try
        {
            var found = await cluster.CallAsync($"look for the handover of namespace {space}", (services, rpc) => services.DescribeWorkflowExecutionAsync(
                new DescribeWorkflowExecutionRequest { Namespace = SystemNamespace, Execution = Run(space) }, rpc), ct);
            return found.WorkflowExecutionInfo.Status == WorkflowExecutionStatus.Running ? HandoverRun.Running : HandoverRun.None;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Moved or AdapterFailureKind.Unavailable)
        {
            return failure.Kind == AdapterFailureKind.Moved ? HandoverRun.None : HandoverRun.Unknown;
        }
    }

    /// <summary>How the last one ended, to be read after "it".</summary>
    public async Task<string> HowEndedAsync(string space, CancellationToken ct)
    {
        var close = (await cluster.CallAsync($"read how the handover of namespace {space} ended", (services, rpc) => services.GetWorkflowExecutionHistoryAsync(
            new GetWorkflowExecutionHistoryRequest { Namespace = SystemNamespace, Execution = Run(space), HistoryEventFilterType = HistoryEventFilterType.CloseEvent }, rpc), ct)).History?.Events.LastOrDefault();
        return close switch
        {
            { WorkflowExecutionFailedEventAttributes.Failure: { } failure } => $"failed: {Deepest(failure)}",
            { EventType: EventType.WorkflowExecutionTerminated } => "was terminated",
            { EventType: EventType.WorkflowExecutionCanceled } => "was cancelled",
            { EventType: EventType.WorkflowExecutionTimedOut } => "timed out",
            _ => "ended",
        };
    }

    /// <summary>Ends it where it is. One that has ended already is no failure.</summary>
    public async Task StopAsync(string space, string reason, CancellationToken ct)
    {
        try
        {
            await cluster.CallAsync($"end the handover of namespace {space}", (services, rpc) => services.TerminateWorkflowExecutionAsync(
                new TerminateWorkflowExecutionRequest { Namespace = SystemNamespace, WorkflowExecution = Run(space), Reason = reason, Identity = Ownership.FieldManager }, rpc), ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            // It ended meanwhile.
        }
    }

    private static string Deepest(Temporalio.Api.Failure.V1.Failure failure) => (failure.Cause is { } cause ? Deepest(cause) : failure.Message).TrimEnd('.');

    private static WorkflowExecution Run(string space) => new() { WorkflowId = WorkflowId(space) };

    private static Payload Json(object value) => new() { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(value)) };
}
