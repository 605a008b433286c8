using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Starting;

/// <summary>
/// Starts runs. All starts of one workflow id are decided under that id's lock: whether there is a run, what the policies
/// say of it, and the new run, are one decision.
/// </summary>
internal sealed class WorkflowStarter(Engine engine)
{
    /// <param name="onNew">Happens in the transaction that creates the run, before its first workflow task (signal-with-start).</param>
    /// <param name="onExisting">Happens to the open run that is used instead, in its own step (signal-with-start, update-with-start).</param>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS when a policy forbids the start.</exception>
    public async Task<StartResult> StartAsync(Namespace ns, StartRequest request, Action<WorkflowRun>? onNew = null, Action<WorkflowRun>? onExisting = null)
    {
        using var onTheWay = engine.OnTheWay?.Begin();
        while (true)
        {
            var slot = engine.Slot(ns.Id, request.WorkflowId);
            Decision decision;
            lock (slot.Gate)
            {
                if (slot.Removed)
                    continue;
                decision = Decide(ns, slot, request, onNew, onExisting);
                if (decision.IsNew)
                    slot.Current = decision.Result.Run;
            }
            foreach (var effect in decision.Effects)
                effect();
            if (decision.IsNew)
                engine.Publish(decision.Result.Run);
            await decision.Durable;
            return decision.Result;
        }
    }

    private Decision Decide(Namespace ns, WorkflowSlot slot, StartRequest request, Action<WorkflowRun>? onNew, Action<WorkflowRun>? onExisting)
    {
        var current = slot.Latest() ?? engine.FindLatest(ns, request.WorkflowId);
        if (current is null)
            return Create(ns, request, onNew, null);
        lock (current.Gate)
        {
            if (current.Closing.Successor is not null)
                return Decide(ns, slot, request, onNew, onExisting); // it was continued while we waited for its lock
            if (current.State.StartRequestId == request.RequestId)
                return new Decision(new StartResult(current, Started: true, Repeated: true), engine.Store.Flushed(), []);
            if (!current.IsOpen)
            {
                RequireReusable(current, request.Reuse);
                return Create(ns, request, onNew, null);
            }
            return request.Conflict switch
            {
                WorkflowIdConflictPolicy.UseExisting => UseExisting(current, request, onExisting),
                WorkflowIdConflictPolicy.TerminateExisting => Create(ns, request, onNew, current),
                _ => throw ServiceError.AlreadyStarted(
                    $"Workflow execution is already running. WorkflowId: {current.WorkflowId}, RunId: {current.RunId}.",
                    current.State.StartRequestId, current.RunId, current.Start.FirstExecutionRunId),
            };
        }
    }

    /// <summary>Creates the run; an open one that has to go ends in the same transaction.</summary>
    private Decision Create(Namespace ns, StartRequest request, Action<WorkflowRun>? onNew, WorkflowRun? terminated)
    {
        var transaction = new Transaction();
        List<Action> effects = [];
        var runId = Guid.NewGuid().ToString();
        if (terminated is not null)
        {
            terminated.Closing.Terminate("TerminateIfRunning WorkflowIdReusePolicy", JsonPayload.Of($"terminated by new runID: {runId}"), "history-service");
            terminated.Collect(transaction);
            effects = terminated.TakeEffects();
        }
        var started = Started(ns, request, runId);
        var run = engine.Create(ns, request.WorkflowId, runId, started, request.RequestId, request.UserMetadata, request.Links);
        WorkflowTaskStart? eager = null;
        lock (run.Gate)
        {
            onNew?.Invoke(run);
            if (started.EagerExecutionAccepted)
            {
                run.WorkflowTasks.Schedule(dispatch: false);
                run.WorkflowTasks.Start(request.RequestId, request.Identity, fromStickyQueue: false);
                RunVersions.WorkflowTaskTaken(run, WorkerVersion.Of(request.EagerWorker));
                eager = WorkflowTaskStart.Of(run, sticky: false);
            }
            else if (request.ScheduleFirstTask)
            {
                run.WorkflowTasks.ScheduleFirst();
            }
            var durable = run.Commit(transaction);
            return new Decision(new StartResult(run, Started: true) { EagerTask = eager }, durable, effects, IsNew: true);
        }
    }

    private static Decision UseExisting(WorkflowRun current, StartRequest request, Action<WorkflowRun>? onExisting)
    {
        var attached = request.OnConflict is { } options && Attach(current, request, options);
        onExisting?.Invoke(current);
        var durable = current.Commit(new Transaction());
        return new Decision(new StartResult(current, Started: false) { AttachedRequestId = attached ? request.RequestId : null }, durable, current.TakeEffects());
    }

    /// <summary>True when the request can be found by its id from now on.</summary>
    private static bool Attach(WorkflowRun current, StartRequest request, Temporalio.Api.Workflow.V1.OnConflictOptions options)
    {
        if (!options.AttachRequestId && !options.AttachCompletionCallbacks && !options.AttachLinks)
            return false;
        if (options.AttachCompletionCallbacks && !current.Requests.Seen(request.RequestId))
            current.Callbacks.RequireRoom(request.Start.CompletionCallbacks.Count);
        var attached = new WorkflowExecutionOptionsUpdatedEventAttributes
        {
            AttachedRequestId = options.AttachRequestId ? request.RequestId : "",
            Identity = request.Identity,
        };
        if (options.AttachCompletionCallbacks)
            attached.AttachedCompletionCallbacks.AddRange(request.Start.CompletionCallbacks);
        Incoming.AddOptions(current, attached, options.AttachLinks ? request.Links : []);
        return options.AttachRequestId;
    }

    private static void RequireReusable(WorkflowRun closed, WorkflowIdReusePolicy policy)
    {
        var refusal = policy switch
        {
            WorkflowIdReusePolicy.AllowDuplicateFailedOnly when closed.State.Status == WorkflowExecutionStatus.Completed =>
                $"Workflow execution already finished successfully. WorkflowId: {closed.WorkflowId}, RunId: {closed.RunId}. Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
            WorkflowIdReusePolicy.RejectDuplicate =>
                $"Workflow execution already finished. WorkflowId: {closed.WorkflowId}, RunId: {closed.RunId}. Workflow Id reuse policy: reject duplicate workflow Id.",
            _ => null,
        };
        if (refusal is not null)
            throw ServiceError.AlreadyStarted(refusal, closed.State.StartRequestId, closed.RunId, closed.Start.FirstExecutionRunId);
    }

    private WorkflowExecutionStartedEventAttributes Started(Namespace ns, StartRequest request, string runId)
    {
        var start = request.Start.Clone();
        var now = engine.Clock.GetUtcNow();
        start.OriginalExecutionRunId = runId;
        start.FirstExecutionRunId = runId;
        start.Attempt = 1;
        start.EagerExecutionAccepted = request.Eager && IsForCaller(ns, request);
        if (start.CronSchedule.Length > 0)
            start.FirstWorkflowTaskBackoff = Duration.FromTimeSpan(CronSchedule.Parse(start.CronSchedule).NextAfter(now, now) - now);
        var begins = now + (start.FirstWorkflowTaskBackoff?.ToTimeSpan() ?? TimeSpan.Zero);
        if (start.WorkflowExecutionTimeout?.ToTimeSpan() is { Ticks: > 0 } timeout)
            start.WorkflowExecutionExpirationTime = Timestamp.FromDateTimeOffset(begins + timeout);
        return start;
    }

    /// <summary>The caller's worker may take the first task only when it is of the version that the workflow starts on.</summary>
    private bool IsForCaller(Namespace ns, StartRequest request)
    {
        var pinned = VersioningOverrides.TargetOf(VersioningOverrides.Current(request.Start.VersioningOverride));
        var route = engine.Deployments.RouteOf(new QueueName(ns.Id, request.Start.TaskQueue.Name, TaskQueueType.Workflow));
        return (pinned ?? Routing.Target(route, request.WorkflowId).Version) == WorkerVersion.Of(request.EagerWorker);
    }

    private sealed record Decision(StartResult Result, Task Durable, List<Action> Effects, bool IsNew = false);
}

/// <param name="Started">False when an open run is used instead.</param>
/// <param name="Repeated">The same request started this run before.</param>
internal sealed record StartResult(WorkflowRun Run, bool Started, bool Repeated = false)
{
    /// <summary>The first workflow task, when the caller's worker takes it at once.</summary>
    public WorkflowTaskStart? EagerTask { get; init; }

    /// <summary>Set when the request was attached to a run that was open already.</summary>
    public string? AttachedRequestId { get; init; }
}
