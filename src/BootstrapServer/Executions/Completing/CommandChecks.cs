using Google.Protobuf;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;

namespace PlatformOps.BootstrapServer.Executions.Completing;

/// <summary>
/// Checks all commands and messages of a workflow task before any of them is acted on, so that a task either happens as a
/// whole or fails without a trace of its commands.
/// </summary>
internal sealed class CommandChecks(WorkflowRun run, IReadOnlyList<Message> messages)
{
    private readonly HashSet<string> newTimers = [];
    private readonly HashSet<string> endedTimers = [];
    private readonly HashSet<string> newActivities = [];
    private readonly HashSet<string> newChildren = [];
    private int bufferedLeft = run.Events.BufferedCount;
    private int activities = run.Activities.Count;
    private int children = run.Children.Count;
    private int signals = run.ExternalSignals.Count;
    private int cancels = run.ExternalCancels.Count;

    /// <summary>The first problem, or null.</summary>
    public CommandProblem? Find(IReadOnlyList<Command> commands)
    {
        for (var i = 0; i < commands.Count; i++)
        {
            if (Closes(commands[i].CommandType) && i != commands.Count - 1)
                return new CommandProblem(WorkflowTaskFailedCause.UnhandledCommand, $"invalid command sequence: {commands[i].CommandType} must be the last command");
            if (Check(commands[i]) is { } problem)
                return problem;
        }
        foreach (var message in messages)
        {
            if (run.Updates.Problem(message) is { } problem)
                return new CommandProblem(WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage, problem);
        }
        return null;
    }

    public static bool Closes(CommandType type) => type is CommandType.CompleteWorkflowExecution or CommandType.FailWorkflowExecution
        or CommandType.CancelWorkflowExecution or CommandType.ContinueAsNewWorkflowExecution;

    /// <summary>The namespace that a command is for, or null when there is none of that name.</summary>
    public static Namespace? Target(WorkflowRun run, string name) => name.Length == 0 ? run.Namespace : run.Engine.Namespaces.Find(name);

    private CommandProblem? Check(Command command) => command.CommandType switch
    {
        CommandType.ScheduleActivityTask => Activity(command.ScheduleActivityTaskCommandAttributes),
        CommandType.RequestCancelActivityTask => CancelActivity(command.RequestCancelActivityTaskCommandAttributes),
        CommandType.StartTimer => Timer(command.StartTimerCommandAttributes),
        CommandType.CancelTimer => CancelTimer(command.CancelTimerCommandAttributes),
        CommandType.RecordMarker => Marker(command.RecordMarkerCommandAttributes),
        CommandType.StartChildWorkflowExecution => Child(command.StartChildWorkflowExecutionCommandAttributes),
        CommandType.SignalExternalWorkflowExecution => Signal(command.SignalExternalWorkflowExecutionCommandAttributes),
        CommandType.RequestCancelExternalWorkflowExecution => Cancel(command.RequestCancelExternalWorkflowExecutionCommandAttributes),
        CommandType.UpsertWorkflowSearchAttributes => SearchAttributes(command.UpsertWorkflowSearchAttributesCommandAttributes),
        CommandType.ModifyWorkflowProperties => Memo(command.ModifyWorkflowPropertiesCommandAttributes),
        CommandType.ProtocolMessage => MessageExists(command.ProtocolMessageCommandAttributes),
        CommandType.CompleteWorkflowExecution => Close() ?? Size(
            command.CompleteWorkflowExecutionCommandAttributes?.Result, WorkflowTaskFailedCause.BadCompleteWorkflowExecutionAttributes, "CompleteWorkflowExecutionCommandAttributes.Result"),
        CommandType.FailWorkflowExecution => Close() ?? Fail(command.FailWorkflowExecutionCommandAttributes),
        CommandType.CancelWorkflowExecution => Close(),
        CommandType.ContinueAsNewWorkflowExecution => Close() ?? ContinueAsNew(command.ContinueAsNewWorkflowExecutionCommandAttributes),
        CommandType.ScheduleNexusOperation => new CommandProblem(
            WorkflowTaskFailedCause.BadScheduleNexusOperationAttributes,
            $"endpoint \"{command.ScheduleNexusOperationCommandAttributes?.Endpoint}\" not found: this server does not implement Nexus, and command {command.CommandType} needs it"),
        CommandType.RequestCancelNexusOperation => new CommandProblem(
            WorkflowTaskFailedCause.BadRequestCancelNexusOperationAttributes,
            $"operation not found: this server does not implement Nexus, and command {command.CommandType} needs it"),
        // Not UnhandledCommand: that would be tried again at once and without end, and no attempt can do better.
        _ => new CommandProblem(WorkflowTaskFailedCause.FeatureDisabled, $"This server does not implement command {command.CommandType}."),
    };

    private CommandProblem? Close() =>
        bufferedLeft > 0 ? new CommandProblem(WorkflowTaskFailedCause.UnhandledCommand, "") : null;

    private CommandProblem? Activity(ScheduleActivityTaskCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadScheduleActivityAttributes;
        if (asked is null)
            return new CommandProblem(cause, "ScheduleActivityTaskCommandAttributes is not set on command.");
        if (asked.ActivityId.Length == 0)
            return new CommandProblem(cause, "ActivityId is not set on command.");
        if (asked.ActivityType is not { Name.Length: > 0 })
            return new CommandProblem(cause, $"ActivityType is not set on command. ActivityId={asked.ActivityId}");
        if (asked.ActivityId.Length > Limits.MaxIdLength)
            return new CommandProblem(cause, "ActivityId exceeds length limit.");
        if (ActivityTimeouts.Problem(asked) is { } timeouts)
            return new CommandProblem(cause, $"{timeouts} ActivityId={asked.ActivityId} ActivityType={asked.ActivityType.Name}");
        if (RetryBackoff.Problem(asked.RetryPolicy) is { } retry)
            return new CommandProblem(cause, $"{retry} ActivityId={asked.ActivityId}");
        if (Size(asked.Input, cause, "ScheduleActivityTaskCommandAttributes.Input") is { } size)
            return size;
        if (run.Activities.IsPending(asked.ActivityId) || !newActivities.Add(asked.ActivityId))
            return new CommandProblem(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, $"ScheduleActivityTask: activity with id {asked.ActivityId} exists already.");
        return ++activities > run.Engine.Limits.PendingActivities
            ? new CommandProblem(WorkflowTaskFailedCause.PendingActivitiesLimitExceeded, $"the number of pending activities, {activities - 1}, has reached the per-workflow limit of {run.Engine.Limits.PendingActivities}")
            : null;
    }

    private CommandProblem? CancelActivity(RequestCancelActivityTaskCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadRequestCancelActivityAttributes;
        if (asked is null || asked.ScheduledEventId <= 0)
            return new CommandProblem(cause, "ScheduledEventId is not set on command.");
        // An activity that ended while the task ran is unknown here, but its end waits in the buffer.
        return run.Activities.Find(asked.ScheduledEventId) is null && !run.Events.ActivityEndIsBuffered(asked.ScheduledEventId)
            ? new CommandProblem(cause, $"no pending activity was scheduled by event {asked.ScheduledEventId}")
            : null;
    }

    private CommandProblem? Timer(StartTimerCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadStartTimerAttributes;
        if (asked is null || asked.TimerId.Length == 0)
            return new CommandProblem(cause, "TimerId is not set on command.");
        if (asked.TimerId.Length > Limits.MaxIdLength)
            return new CommandProblem(cause, "TimerId exceeds length limit.");
        if (asked.StartToFireTimeout is null || asked.StartToFireTimeout.ToTimeSpan() < TimeSpan.Zero)
            return new CommandProblem(cause, $"A valid StartToFireTimeout is not set on command. TimerId={asked.TimerId}");
        var exists = run.Timers.IsPending(asked.TimerId) && !endedTimers.Contains(asked.TimerId);
        return exists || !newTimers.Add(asked.TimerId)
            ? new CommandProblem(WorkflowTaskFailedCause.StartTimerDuplicateId, $"a timer with id {asked.TimerId} exists already")
            : null;
    }

    private CommandProblem? CancelTimer(CancelTimerCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadCancelTimerAttributes;
        if (asked is null || asked.TimerId.Length == 0)
            return new CommandProblem(cause, "TimerId is not set on command.");
        if (newTimers.Remove(asked.TimerId))
            return null;
        if (run.Timers.IsPending(asked.TimerId) && endedTimers.Add(asked.TimerId))
            return null;
        if (run.Events.TimerFiredIsBuffered(asked.TimerId) && endedTimers.Add(asked.TimerId))
        {
            bufferedLeft--;
            return null;
        }
        return new CommandProblem(cause, $"no timer with id {asked.TimerId} is pending");
    }

    private CommandProblem? Marker(RecordMarkerCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadRecordMarkerAttributes;
        if (asked is null || asked.MarkerName.Length == 0)
            return new CommandProblem(cause, "MarkerName is not set on command.");
        return Size(asked, cause, $"RecordMarkerCommandAttributes.Details of {asked.MarkerName}");
    }

    private CommandProblem? Child(StartChildWorkflowExecutionCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadStartChildExecutionAttributes;
        if (asked is null || asked.WorkflowId.Length == 0)
            return new CommandProblem(cause, "Required field WorkflowId is not set on command.");
        if (asked.WorkflowType is not { Name.Length: > 0 })
            return new CommandProblem(cause, $"Required field WorkflowType is not set on command. WorkflowId={asked.WorkflowId}");
        if (asked.WorkflowId.Length > Limits.MaxIdLength)
            return new CommandProblem(cause, "WorkflowId exceeds length limit.");
        if (RetryBackoff.Problem(asked.RetryPolicy) is { } retry)
            return new CommandProblem(cause, $"{retry} WorkflowId={asked.WorkflowId}");
        if (asked.CronSchedule.Length > 0 && CronProblem(asked.CronSchedule) is { } cron)
            return new CommandProblem(cause, cron);
#pragma warning disable CS0612 // Deprecated, and still how SDKs start a child in another namespace.
        if (Target(run, asked.Namespace) is null)
            return new CommandProblem(cause, $"Unable to start child workflow: namespace {asked.Namespace} not found.");
#pragma warning restore CS0612
        if (Size(asked.Input, cause, "StartChildWorkflowExecutionCommandAttributes.Input") is { } size)
            return size;
        newChildren.Add(asked.WorkflowId);
        return ++children > run.Engine.Limits.PendingChildren
            ? new CommandProblem(WorkflowTaskFailedCause.PendingChildWorkflowsLimitExceeded, $"the number of pending child workflow executions, {children - 1}, has reached the per-workflow limit of {run.Engine.Limits.PendingChildren}")
            : null;
    }

    private CommandProblem? Signal(SignalExternalWorkflowExecutionCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadSignalWorkflowExecutionAttributes;
        if (asked?.Execution is null || asked.Execution.WorkflowId.Length == 0)
            return new CommandProblem(cause, "WorkflowId is not set on SignalExternalWorkflowExecution command.");
        if (asked.SignalName.Length == 0)
            return new CommandProblem(cause, $"SignalName is not set on command. WorkflowId={asked.Execution.WorkflowId}");
        if (asked.Execution.RunId.Length > 0 && !Guid.TryParse(asked.Execution.RunId, out _))
            return new CommandProblem(cause, $"Invalid RunId set on command. WorkflowId={asked.Execution.WorkflowId} RunId={asked.Execution.RunId}");
        if (Size(asked.Input, cause, "SignalExternalWorkflowExecutionCommandAttributes.Input") is { } size)
            return size;
#pragma warning disable CS0612
        if (Target(run, asked.Namespace) is null)
            return new CommandProblem(cause, $"Unable to signal: namespace {asked.Namespace} not found.");
#pragma warning restore CS0612
        return ++signals > run.Engine.Limits.PendingSignals
            ? new CommandProblem(WorkflowTaskFailedCause.PendingSignalsLimitExceeded, $"the number of pending signals to external workflows, {signals - 1}, has reached the per-workflow limit of {run.Engine.Limits.PendingSignals}")
            : null;
    }

    private CommandProblem? Cancel(RequestCancelExternalWorkflowExecutionCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadRequestCancelExternalWorkflowExecutionAttributes;
        if (asked is null || asked.WorkflowId.Length == 0)
            return new CommandProblem(cause, "WorkflowId is not set on RequestCancelExternalWorkflowExecution command.");
        if (asked.RunId.Length > 0 && !Guid.TryParse(asked.RunId, out _))
            return new CommandProblem(cause, $"Invalid RunId set on command. WorkflowId={asked.WorkflowId} RunId={asked.RunId}");
        if (newChildren.Contains(asked.WorkflowId))
            return new CommandProblem(cause, $"Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId={asked.WorkflowId}");
#pragma warning disable CS0612
        if (Target(run, asked.Namespace) is null)
            return new CommandProblem(cause, $"Unable to request cancellation: namespace {asked.Namespace} not found.");
#pragma warning restore CS0612
        return ++cancels > run.Engine.Limits.PendingCancels
            ? new CommandProblem(WorkflowTaskFailedCause.PendingRequestCancelLimitExceeded, $"the number of pending requests to cancel external workflows, {cancels - 1}, has reached the per-workflow limit of {run.Engine.Limits.PendingCancels}")
            : null;
    }

    private CommandProblem? SearchAttributes(UpsertWorkflowSearchAttributesCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadSearchAttributes;
        if (asked?.SearchAttributes is not { } attributes || attributes.IndexedFields.Count == 0)
            return new CommandProblem(cause, "IndexedFields is not set on UpsertWorkflowSearchAttributesCommandAttributes.");
        return run.Engine.SearchAttributes.Problem(run.Namespace, attributes) is { } problem ? new CommandProblem(cause, problem) : null;
    }

    private CommandProblem? Memo(ModifyWorkflowPropertiesCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadModifyWorkflowPropertiesAttributes;
        if (asked?.UpsertedMemo is null)
            return new CommandProblem(cause, "UpsertedMemo is not set on ModifyWorkflowPropertiesCommandAttributes.");
        return Size(asked.UpsertedMemo, cause, "UpsertedMemo");
    }

    private CommandProblem? MessageExists(ProtocolMessageCommandAttributes? asked) =>
        asked is not null && messages.Any(m => m.Id == asked.MessageId)
            ? null
            : new CommandProblem(WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage, $"ProtocolMessageCommand referenced absent message ID {asked?.MessageId}");

    private CommandProblem? Fail(FailWorkflowExecutionCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadFailWorkflowExecutionAttributes;
        return asked?.Failure is null
            ? new CommandProblem(cause, "Failure is not set on FailWorkflowExecution command.")
            : Size(asked.Failure, cause, "FailWorkflowExecutionCommandAttributes.Failure");
    }

    private CommandProblem? ContinueAsNew(ContinueAsNewWorkflowExecutionCommandAttributes? asked)
    {
        const WorkflowTaskFailedCause cause = WorkflowTaskFailedCause.BadContinueAsNewAttributes;
        if (asked is null)
            return new CommandProblem(cause, "ContinueAsNewWorkflowExecutionCommandAttributes is not set on command.");
        if (RetryBackoff.Problem(asked.RetryPolicy) is { } retry)
            return new CommandProblem(cause, retry);
        if (asked.CronSchedule.Length > 0 && CronProblem(asked.CronSchedule) is { } cron)
            return new CommandProblem(cause, cron);
        return Size(asked.Input, cause, "ContinueAsNewWorkflowExecutionCommandAttributes.Input");
    }

    private static string? CronProblem(string schedule)
    {
        try
        {
            CronSchedule.Parse(schedule);
            return null;
        }
        catch (Grpc.Core.RpcException e)
        {
            return e.Status.Detail;
        }
    }

    private CommandProblem? Size(IMessage? message, WorkflowTaskFailedCause cause, string what) =>
        message is not null && message.CalculateSize() > run.Engine.Limits.BlobBytes
            ? new CommandProblem(cause, $"{what} exceeds size limit.", TerminateRun: true)
            : null;
}
