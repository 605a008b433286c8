using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Matching;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// A workflow task that a worker just took, as it was under the run's lock. The message for the worker is made from it
/// outside the lock, once the start is durable, since history may have to be read.
/// </summary>
internal sealed class WorkflowTaskStart
{
    private readonly WorkflowRun run;
    private readonly PollWorkflowTaskQueueResponse response;
    private readonly long firstEventId;
    private readonly long nextEventId;
    private readonly List<HistoryEvent> outside;

    private WorkflowTaskStart(WorkflowRun run, PollWorkflowTaskQueueResponse response, long firstEventId)
    {
        this.run = run;
        this.response = response;
        this.firstEventId = firstEventId;
        nextEventId = run.Events.NextEventId;
        outside = run.WorkflowTasks.EventsOutsideHistory();
    }

    /// <summary>Takes the task's facts. The task must be started, the lock held.</summary>
    /// <param name="sticky">The worker has the workflow cached: it gets only what is new to it.</param>
    /// <param name="heartbeat">The worker is still busy with updates that it was sent before: they are not sent again.</param>
    public static WorkflowTaskStart Of(WorkflowRun run, bool sticky, bool heartbeat = false)
    {
        var task = run.WorkflowTasks.Current;
        var response = new PollWorkflowTaskQueueResponse
        {
            TaskToken = new TaskToken(run.Name.NamespaceId, run.WorkflowId, run.RunId, task.ScheduledEventId, task.StartedEventId, task.Attempt).Encode(),
            WorkflowExecution = new WorkflowExecution { WorkflowId = run.WorkflowId, RunId = run.RunId },
            WorkflowType = run.Start.WorkflowType,
            PreviousStartedEventId = run.State.LastCompletedStartedEventId,
            StartedEventId = task.StartedEventId,
            Attempt = task.Attempt,
            WorkflowExecutionTaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = run.TaskQueue, Kind = TaskQueueKind.Normal },
            ScheduledTime = Timestamp.FromDateTimeOffset(task.ScheduledTime),
            StartedTime = Timestamp.FromDateTimeOffset(task.StartedTime),
        };
        response.Messages.AddRange(run.Updates.Send(includeSent: !heartbeat, task.StartedEventId));
        foreach (var (id, query) in run.Queries.Attach())
            response.Queries[id] = query;
        return new WorkflowTaskStart(run, response, sticky ? run.State.LastCompletedStartedEventId + 1 : 1);
    }

    /// <summary>A query task: the worker gets the history as it is, and answers with the query's id. It has no started event: by that a worker tells
    /// it from a workflow task, of which it keeps only the latest.</summary>
    public static WorkflowTaskStart OfQuery(DirectQuery direct, bool sticky)
    {
        var run = direct.Run;
        direct.AskedAt = run.State.LastCompletedStartedEventId;
        var response = new PollWorkflowTaskQueueResponse
        {
            TaskToken = new TaskToken(run.Name.NamespaceId, run.WorkflowId, run.RunId, 0, 0, 0, QueryId: direct.Id).Encode(),
            WorkflowExecution = new WorkflowExecution { WorkflowId = run.WorkflowId, RunId = run.RunId },
            WorkflowType = run.Start.WorkflowType,
            PreviousStartedEventId = run.State.LastCompletedStartedEventId,
            Attempt = 1,
            Query = direct.Query,
            WorkflowExecutionTaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = run.TaskQueue, Kind = TaskQueueKind.Normal },
        };
        return new WorkflowTaskStart(run, response, sticky ? run.Events.NextEventId : 1);
    }

    /// <summary>The message for the worker. Call it when the step that started the task is durable.</summary>
    public PollWorkflowTaskQueueResponse ToResponse()
    {
        response.History = new History();
        if (run.RecentEvents(firstEventId, nextEventId) is { } recent)
        {
            response.History.Events.AddRange(recent);
        }
        else
        {
            var (events, next) = run.Engine.Histories.ReadPage(run.Key, firstEventId, nextEventId, HistoryPage.DefaultSize);
            response.History.Events.AddRange(events);
            if (next < nextEventId)
            {
                response.NextPageToken = new HistoryPage(run.RunId, next, nextEventId) { TaskStartedEventId = outside.Count > 0 ? response.StartedEventId : 0 }.Encode();
                return response;
            }
        }
        response.History.Events.AddRange(outside);
        return response;
    }
}
