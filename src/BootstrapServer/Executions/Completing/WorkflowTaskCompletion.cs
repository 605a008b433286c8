using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions.Completing;

/// <summary>
/// A worker's answer to a workflow task: checked as a whole, then acted on as one step. What follows (another task, activities
/// that the worker may run at once) is in the result.
/// </summary>
internal sealed class WorkflowTaskCompletion(WorkflowRun run, RespondWorkflowTaskCompletedRequest request)
{
    /// <summary>A worker may keep a workflow task alive by heartbeats, while a local activity runs, for so long.</summary>
    private static readonly TimeSpan LongestHeartbeat = TimeSpan.FromMinutes(30);

    /// <summary>Events since the last workflow task that a speculative task may bring in vain before it is kept anyway.</summary>
    private const int DiscardableEvents = 10;

    private readonly List<ActivityState> eager = [];
    private bool activityEnded;

    /// <summary>Acts on the answer. Runs under the run's lock.</summary>
    /// <exception cref="Grpc.Core.RpcException">The task is not (any more) the one answered.</exception>
    public WorkflowTaskCompletionResult Apply(TaskToken token)
    {
        var task = run.WorkflowTasks.Current;
        if (!run.IsOpen || !run.WorkflowTasks.IsStarted || task.ScheduledEventId != token.ScheduledEventId
            || task.StartedEventId != token.StartedEventId || task.Attempt != token.Attempt)
            throw ServiceError.NotFound("Workflow task not found.");
        if (request.ForceCreateNewWorkflowTask && run.State.Pause is not null)
            throw ServiceError.FailedPrecondition("Workflow is paused and force create new workflow task is not allowed.");

        if (request.VersioningBehavior != VersioningBehavior.Unspecified && WorkerVersion.Of(request.DeploymentOptions) is null)
            throw ServiceError.InvalidArgument("versioning behavior cannot be specified without deployment options being set with versioned mode");

        var heartbeat = request.ForceCreateNewWorkflowTask && request.Commands.Count == 0 && request.Messages.Count == 0;
        if (heartbeat && run.Now > task.OriginalScheduledTime + LongestHeartbeat)
            return HeartbeatsTooLong();
        if (FindProblem() is { } problem)
            return Refuse(problem);

        var original = task.OriginalScheduledTime;
        var completed = run.WorkflowTasks.Complete(request, OnlyRejects());
        SetSticky();
        ApplyCommands(completed?.EventId ?? 0);
        if (!request.ForceCreateNewWorkflowTask && run.IsOpen)
            run.Updates.RejectUnanswered();
        if (Limits.HistoryProblem(run) is { } tooLarge && run.IsOpen)
            run.Closing.Terminate(tooLarge, null, "history-service");

        StartEagerActivities();
        // Before the next task starts: what is answered must not be asked again with it.
        run.Queries.Answer(request.QueryResults);
        var next = ScheduleNext(heartbeat ? original : null);
        if (!run.WorkflowTasks.IsPending)
            run.Queries.ReleaseAll();
        return new WorkflowTaskCompletionResult(next, [.. eager.Select(a => ActivityTaskMessage.Describe(run, a))])
        {
            ForgetAfter = completed is null ? run.State.LastCompletedStartedEventId : 0,
        };
    }

    private CommandProblem? FindProblem() => new CommandChecks(run, request.Messages).Find(request.Commands);

    private void ApplyCommands(long completedEventId)
    {
        var left = request.Messages.ToDictionary(m => m.Id);
        foreach (var command in request.Commands)
        {
            if (command.CommandType == CommandType.ProtocolMessage)
            {
                if (left.Remove(command.ProtocolMessageCommandAttributes.MessageId, out var message))
                    run.Updates.Apply(message);
            }
            else
            {
                Apply(command, completedEventId);
            }
        }
        foreach (var message in request.Messages.Where(m => left.ContainsKey(m.Id)))
            run.Updates.Apply(message);
    }

#pragma warning disable CS0612 // The namespace of a target is deprecated in the protocol, and still how SDKs name one.
    private void Apply(Command command, long completedEventId)
    {
        switch (command.CommandType)
        {
            case CommandType.ScheduleActivityTask:
                ScheduleActivity(command, completedEventId);
                break;
            case CommandType.RequestCancelActivityTask:
                activityEnded |= run.Activities.RequestCancel(command.RequestCancelActivityTaskCommandAttributes.ScheduledEventId, completedEventId, request.Identity);
                break;
            case CommandType.StartTimer:
                run.Timers.Start(command, completedEventId);
                break;
            case CommandType.CancelTimer:
                run.Timers.Cancel(command.CancelTimerCommandAttributes.TimerId, completedEventId, request.Identity);
                break;
            case CommandType.RecordMarker:
                Attributes.RecordMarker(run, command, completedEventId);
                break;
            case CommandType.StartChildWorkflowExecution:
                run.Children.Initiate(command, completedEventId, CommandChecks.Target(run, command.StartChildWorkflowExecutionCommandAttributes.Namespace)!);
                break;
            case CommandType.SignalExternalWorkflowExecution:
                run.ExternalSignals.Initiate(command, completedEventId, CommandChecks.Target(run, command.SignalExternalWorkflowExecutionCommandAttributes.Namespace)!);
                break;
            case CommandType.RequestCancelExternalWorkflowExecution:
                run.ExternalCancels.Initiate(command, completedEventId, CommandChecks.Target(run, command.RequestCancelExternalWorkflowExecutionCommandAttributes.Namespace)!);
                break;
            case CommandType.UpsertWorkflowSearchAttributes:
                Attributes.UpsertSearchAttributes(run, command, completedEventId);
                break;
            case CommandType.ModifyWorkflowProperties:
                Attributes.UpsertMemo(run, command, completedEventId);
                break;
            case CommandType.CompleteWorkflowExecution:
                run.Closing.Complete(command, completedEventId);
                break;
            case CommandType.FailWorkflowExecution:
                run.Closing.Fail(command, completedEventId);
                break;
            case CommandType.CancelWorkflowExecution:
                run.Closing.Cancel(command, completedEventId);
                break;
            case CommandType.ContinueAsNewWorkflowExecution:
                run.Closing.ContinueAsNew(command, completedEventId);
                break;
            default:
                throw new InvalidOperationException($"{command.CommandType} passed the checks, but nothing acts on it.");
        }
    }
#pragma warning restore CS0612

    private void ScheduleActivity(Command command, long completedEventId)
    {
        var atOnce = command.ScheduleActivityTaskCommandAttributes.RequestEagerExecution && run.State.Pause is null && !IsLeftBehind;
        var activity = run.Activities.Schedule(command, completedEventId, dispatch: !atOnce);
        if (atOnce)
            eager.Add(activity);
    }

    private bool IsLeftBehind => RunVersions.IsLeftBehind(run, WorkerVersion.Of(request.DeploymentOptions));

    private void StartEagerActivities()
    {
        // One that a later command of the same answer cancelled is gone already.
        eager.RemoveAll(a => !run.IsOpen || run.Activities.Find(a.ScheduledEventId) is null);
        foreach (var activity in eager)
            run.Activities.Start(activity.ScheduledEventId, Guid.NewGuid().ToString(), request.Identity, WorkerVersion.Of(request.DeploymentOptions));
    }

    private void SetSticky()
    {
        if (IsLeftBehind)
            return; // the worker has the workflow cached, and gets none of its tasks any more
        if (request.StickyAttributes?.WorkerTaskQueue is { Name.Length: > 0 } queue)
        {
            run.State.StickyQueue = queue.Name;
            run.State.StickyTimeout = request.StickyAttributes.ScheduleToStartTimeout?.ToTimeSpan() ?? TimeSpan.FromSeconds(5);
        }
        else
        {
            run.WorkflowTasks.ClearSticky();
        }
    }

    /// <summary>Schedules the next task when there is reason for one; it is in the result when the worker gets it at once.</summary>
    private WorkflowTaskStart? ScheduleNext(DateTimeOffset? original)
    {
        if (!run.IsOpen || run.State.Pause is not null)
            return null;
        var atOnce = request.ReturnNewWorkflowTask && !IsLeftBehind;
        if (request.ForceCreateNewWorkflowTask || activityEnded || run.Events.HasBuffered || run.State.Versioning is { InTransition: true })
            run.WorkflowTasks.Schedule(dispatch: !atOnce, original: original);
        else if (run.Updates.AnyToSend)
            run.WorkflowTasks.Schedule(speculative: true, dispatch: !atOnce);
        else
            return null;
        return atOnce ? StartAtOnce() : null;
    }

    private WorkflowTaskStart StartAtOnce()
    {
        run.WorkflowTasks.Start("request-from-RespondWorkflowTaskCompleted", request.Identity, fromStickyQueue: true);
        return WorkflowTaskStart.Of(run, sticky: true, heartbeat: request.ForceCreateNewWorkflowTask);
    }

    private WorkflowTaskCompletionResult Refuse(CommandProblem problem)
    {
        var refused = ServiceError.InvalidArgument(problem.Message);
        run.Updates.AbortSent();
        if (run.WorkflowTasks.IsTransient && problem.Cause != WorkflowTaskFailedCause.UnhandledCommand)
            throw refused; // it keeps failing: the task times out, and its timeout grows
        run.WorkflowTasks.Fail(problem.Cause, new Failure { Message = problem.Message, Source = "Server", ServerFailureInfo = new ServerFailureInfo() }, request.Identity);
        if (problem.TerminateRun)
            run.Closing.Terminate(problem.Message, null, "history-service");
        else
            run.WorkflowTasks.ScheduleIfNone();
        return new WorkflowTaskCompletionResult(null, []) { Error = refused };
    }

    private WorkflowTaskCompletionResult HeartbeatsTooLong()
    {
        run.WorkflowTasks.TimeOut();
        return new WorkflowTaskCompletionResult(null, []) { Error = ServiceError.NotFound("workflow task heartbeat timeout") };
    }

    /// <summary>True when all that a speculative task brought was rejected updates, and nothing else makes it worth keeping.</summary>
    private bool OnlyRejects()
    {
        if (request.Commands.Count > 0 || request.ForceCreateNewWorkflowTask || request.Messages.Any(m => m.Body?.Holds<Rejection>() != true))
            return false;
        var eventsBrought = run.Events.NextEventId - (run.State.LastCompletedStartedEventId + 2);
        var mayBeBroughtAgain = request.Capabilities?.DiscardSpeculativeWorkflowTaskWithEvents == true;
        return eventsBrought <= (mayBeBroughtAgain ? DiscardableEvents : 0);
    }
}

/// <summary>What follows from a completed workflow task.</summary>
/// <param name="Next">The next task, already started for the same worker; null when there is none or it goes through its queue.</param>
/// <param name="Activities">Activities that the worker runs at once.</param>
internal sealed record WorkflowTaskCompletionResult(WorkflowTaskStart? Next, IReadOnlyList<PollActivityTaskQueueResponse> Activities)
{
    /// <summary>
    /// Not 0 when the task leaves no trace: the worker forgets the events that it saw after this one, since their ids will be
    /// given to others.
    /// </summary>
    public long ForgetAfter { get; init; }

    /// <summary>The task failed, and that is committed; the worker hears why.</summary>
    public Exception? Error { get; init; }
}
