using Google.Protobuf;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Provisioning;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>What a Temporal cluster holds: executions with their histories, schedules, and who works on them.</summary>
public sealed class TemporalContents(TemporalCluster cluster)
{
    /// <summary>Of the server itself, and of our own look at it.</summary>
    private const string OwnNamespace = "temporal-system", Others = $"WorkflowId != '{CanaryWorkflow.WorkflowId}'", Running = "ExecutionStatus = 'Running'";

    private const int PageSize = 200;

    /// <summary>Every namespace but the server's own.</summary>
    public async Task<IReadOnlyList<string>> NamespacesAsync(CancellationToken ct) =>
        [.. (await new TemporalNamespaces(cluster).ListAsync(ct)).Select(space => space.Address.Name).Where(name => name != OwnNamespace).Order(StringComparer.Ordinal)];

    /// <summary>How many executions are open, as visibility has it.</summary>
    public async Task<long> CountOpenAsync(string space, CancellationToken ct) => (await cluster.CallAsync(
        $"count the open executions of {space}", (services, rpc) => services.CountWorkflowExecutionsAsync(new() { Namespace = space, Query = $"{Running} AND {Others}" }, rpc), ct)).Count;

    /// <summary>Lists some open and some closed executions, the newest of each, and reads every one of them whole.</summary>
    /// <param name="atMost">Of each kind.</param>
    public async Task<IReadOnlyList<RestoredExecution>> SampleAsync(string space, int atMost, CancellationToken ct)
    {
        var found = new List<RestoredExecution>();
        foreach (var open in new[] { true, false })
        {
            var listed = await cluster.CallAsync(
                $"list executions of {space}",
                (services, rpc) => services.ListWorkflowExecutionsAsync(new() { Namespace = space, PageSize = atMost, Query = $"{(open ? Running : "ExecutionStatus != 'Running'")} AND {Others}" }, rpc), ct);
            foreach (var execution in listed.Executions.Take(atMost))
                found.Add(await ReadAsync(space, execution, ct));
        }

        return found;
    }

    /// <summary>How many executions are open in all namespaces, the server's own among them, and those that carry schedules out.</summary>
    public async Task<long> CountAllOpenAsync(CancellationToken ct)
    {
        var count = 0L;
        foreach (var space in (await new TemporalNamespaces(cluster).ListAsync(ct)).Select(found => found.Address.Name))
        {
            // Without a word about divisions the server leaves those out that have one.
            foreach (var query in new[] { Running, $"{Running} AND TemporalNamespaceDivision IS NOT NULL" })
                count += (await cluster.CallAsync($"count the open executions of {space}", (services, rpc) => services.CountWorkflowExecutionsAsync(new() { Namespace = space, Query = query }, rpc), ct)).Count;
        }

        return count;
    }

    /// <summary>Reads one execution whole.</summary>
    /// <param name="open">Whether it is known as open.</param>
    public Task<RestoredExecution> ReadAsync(string space, string workflowId, string runId, bool open, string taskQueue, CancellationToken ct) => ReadAsync(
        space, new() { Execution = new() { WorkflowId = workflowId, RunId = runId }, Status = open ? WorkflowExecutionStatus.Running : WorkflowExecutionStatus.Unspecified, TaskQueue = taskQueue }, ct);

    /// <summary>Who has lately asked a task queue for work.</summary>
    public async Task<IReadOnlyList<string>> PollersAsync(string space, string taskQueue, CancellationToken ct)
    {
        var pollers = new List<string>();
        foreach (var kind in new[] { TaskQueueType.Workflow, TaskQueueType.Activity })
        {
            var queue = await cluster.CallAsync(
                $"describe the task queue {taskQueue} of {space}",
                (services, rpc) => services.DescribeTaskQueueAsync(new() { Namespace = space, TaskQueue = new() { Name = taskQueue }, TaskQueueType = kind }, rpc), ct);
            pollers.AddRange(queue.Pollers.Select(poller => poller.Identity));
        }

        return [.. pollers.Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Every schedule of a namespace, and whether it is paused.</summary>
    /// <remarks>A server answers what a schedule is by asking the workflow that carries it out, and so its own workers: without them, a schedule of the database is only listed.</remarks>
    public async Task<IReadOnlyList<HeldSchedule>> SchedulesAsync(string space, CancellationToken ct)
    {
        var (found, token) = (new List<HeldSchedule>(), ByteString.Empty);
        // One that waits in vain would be waited for by each of hundreds.
        var answers = true;
        do
        {
            var request = new ListSchedulesRequest { Namespace = space, MaximumPageSize = PageSize, NextPageToken = token };
            var page = await cluster.CallAsync($"list the schedules of {space}", (services, rpc) => services.ListSchedulesAsync(request, rpc), ct);
            // The list is of visibility, which may be of another moment: whether one is paused the schedule itself says.
            foreach (var entry in page.Schedules)
            {
                try
                {
                    var described = answers
                        ? await cluster.CallAsync(
                            $"describe the schedule {entry.ScheduleId} of {space}", (services, rpc) => services.DescribeScheduleAsync(new() { Namespace = space, ScheduleId = entry.ScheduleId }, rpc), ct)
                        : null;
                    found.Add(described is null ? Listed(entry) : new(entry.ScheduleId, described.Schedule.State?.Paused == true, described.Schedule.State?.Notes ?? "", Described: true));
                }
                catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Rejected)
                {
                    answers = false;
                    found.Add(Listed(entry));
                }
            }

            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        return found;

        static HeldSchedule Listed(ScheduleListEntry entry) => new(entry.ScheduleId, entry.Info?.Paused == true, entry.Info?.Notes ?? "", Described: false);
    }

    /// <summary>Pauses a schedule. A server takes that without workers of its own: it stands in the schedule's history, and is done before these start anything.</summary>
    /// <param name="note">Why, for whoever finds it paused.</param>
    public Task PauseAsync(string space, string id, string note, CancellationToken ct) => cluster.CallAsync(
        $"pause the schedule {id} of {space}",
        (services, rpc) => services.PatchScheduleAsync(new() { Namespace = space, ScheduleId = id, Patch = new() { Pause = note }, Identity = Ownership.FieldManager, RequestId = Guid.NewGuid().ToString("N") }, rpc), ct);

    private async Task<RestoredExecution> ReadAsync(string space, WorkflowExecutionInfo listed, CancellationToken ct)
    {
        var execution = listed.Execution;
        var (read, unbroken, token) = (0L, true, ByteString.Empty);
        HistoryEvent? last = null;
        try
        {
            do
            {
                var request = new GetWorkflowExecutionHistoryRequest { Namespace = space, Execution = execution, NextPageToken = token };
                var page = await cluster.CallAsync($"read the history of {execution.WorkflowId} of {space}", (services, rpc) => services.GetWorkflowExecutionHistoryAsync(request, rpc), ct);
                foreach (var item in page.History?.Events ?? [])
                {
                    unbroken &= item.EventId == ++read && (read > 1 || item.EventType == EventType.WorkflowExecutionStarted);
                    last = item;
                }

                token = page.NextPageToken;
            }
            while (!token.IsEmpty);
            var described = (await cluster.CallAsync(
                $"describe {execution.WorkflowId} of {space}", (services, rpc) => services.DescribeWorkflowExecutionAsync(new() { Namespace = space, Execution = execution }, rpc), ct)).WorkflowExecutionInfo;
            return Seen(new(described.Status is WorkflowExecutionStatus.Running or WorkflowExecutionStatus.Paused, described.HistoryLength));
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            return Seen(null);
        }

        RestoredExecution Seen(DescribedExecution? described) => new(
            space, execution.WorkflowId, execution.RunId, listed.Status == WorkflowExecutionStatus.Running, read, unbroken && read > 0, last is not null && Ends(last.EventType), described, listed.TaskQueue);
    }

    internal static bool Ends(EventType type) => type is EventType.WorkflowExecutionCompleted or EventType.WorkflowExecutionFailed or EventType.WorkflowExecutionTimedOut or EventType.WorkflowExecutionCanceled
        or EventType.WorkflowExecutionTerminated or EventType.WorkflowExecutionContinuedAsNew;
}

/// <summary>A schedule of a Temporal.</summary>
/// <param name="Note">What people, or a runbook, wrote when they paused it last; empty: nothing.</param>
/// <param name="Described">False: the server did not answer what it is, and the rest is what visibility lists.</param>
public sealed record HeldSchedule(string Id, bool Paused, string Note, bool Described);
