using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Converters;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>One journey of each kind: everything that its client was promised is checked at its end.</summary>
internal sealed class Journeys(ITemporalClient client, TemporalWorkerOptions worker)
{
    private const string Namespace = "storm";
    private const int Notes = 3;

    public const int Kinds = 9;

    public Task RunAsync(int number) => (number % Kinds) switch
    {
        0 => TalkAsync($"talk-{number}"),
        1 => CancelAsync($"cancel-{number}"),
        2 => HopAsync($"hop-{number}"),
        3 => CompleteElsewhereAsync($"ask-{number}"),
        4 => SendAsync($"send-{number}"),
        5 => CronAsync($"cron-{number}"),
        6 => ScheduleAsync($"schedule-{number}"),
        7 => DeleteAsync($"delete-{number}"),
        _ => ResetAsync($"reset-{number}"),
    };

    private async Task TalkAsync(string id)
    {
        var runId = await StartAsync(id, nameof(StormWorkflow), [Notes]);
        for (var n = 0; n < Notes; n++)
            await PatientCalls.AskAsync(() => client.WorkflowService.SignalWorkflowExecutionAsync(Signal(id, "Note", $"{n}", $"{id}-note-{n}")));
        var handle = client.GetWorkflowHandle<StormWorkflow, string>(id);
        Assert.Equal("heard it", await PatientCalls.AskAsync(() => handle.ExecuteUpdateAsync(w => w.HearAsync("it"), new($"{id}-update"))));
        var result = await PatientCalls.AskAsync(() => handle.GetResultAsync());
        Assert.Equal($"{string.Join(",", Enumerable.Range(0, Notes))} it retried", result);
        var events = await SoundAsync(id, runId);
        Assert.Equal(Notes, events.Count(e => e.EventType == EventType.WorkflowExecutionSignaled));
        Assert.Single(events, e => e.EventType == EventType.WorkflowExecutionUpdateCompleted);
        Assert.Single(events, e => e.EventType == EventType.ChildWorkflowExecutionCompleted);
        // The same start again finds the same run, though it ended.
        Assert.Equal(runId, await StartAsync(id, nameof(StormWorkflow), [Notes]));
    }

    private async Task CancelAsync(string id)
    {
        var runId = await StartAsync(id, nameof(CarefulWorkflow), []);
        var request = new RequestCancelWorkflowExecutionRequest { Namespace = Namespace, WorkflowExecution = new() { WorkflowId = id }, RequestId = id + "-cancel" };
        await PatientCalls.AskAsync(() => client.WorkflowService.RequestCancelWorkflowExecutionAsync(request));
        // Cancelled before its first task it has nothing to catch.
        var description = await ClosedAsync(id);
        Assert.Contains(description.Status, new[] { WorkflowExecutionStatus.Completed, WorkflowExecutionStatus.Canceled });
        Assert.Single(await SoundAsync(id, runId), e => e.EventType == EventType.WorkflowExecutionCancelRequested);
    }

    private async Task HopAsync(string id)
    {
        var runId = await StartAsync(id, nameof(HoppingWorkflow), [3]);
        Assert.Equal("arrived", await PatientCalls.AskAsync(() => client.GetWorkflowHandle<HoppingWorkflow, string>(id, runId).GetResultAsync()));
        Assert.Equal(4, (await PatientCalls.AskAsync(() => client.CountWorkflowsAsync($"WorkflowId = '{id}'"))).Count);
        await SoundAsync(id, runId);
    }

    private async Task CompleteElsewhereAsync(string id)
    {
        var runId = await StartAsync(id, nameof(AskingWorkflow), []);
        var request = new RespondActivityTaskCompletedByIdRequest { Namespace = Namespace, WorkflowId = id, ActivityId = "asked", Result = Payloads("told") };
        await Wait.UntilAsync(async () => (await PatientCalls.AskAsync(() => client.GetWorkflowHandle(id).RawAsync())).PendingActivities is [{ State: PendingActivityState.Started }]);
        await PatientCalls.UntilDoneAsync(() => client.WorkflowService.RespondActivityTaskCompletedByIdAsync(request));
        Assert.Equal("told", await PatientCalls.AskAsync(() => client.GetWorkflowHandle<AskingWorkflow, string>(id).GetResultAsync()));
        await SoundAsync(id, runId);
    }

    private async Task SendAsync(string id)
    {
        var target = await StartAsync(id + "-target", nameof(WaitingWorkflow), []);
        var sender = await StartAsync(id, nameof(SendingWorkflow), [id + "-target"]);
        Assert.Equal("done: sent", await PatientCalls.AskAsync(() => client.GetWorkflowHandle<WaitingWorkflow, string>(id + "-target").GetResultAsync()));
        await PatientCalls.AskAsync(() => client.GetWorkflowHandle(id).GetResultAsync());
        await SoundAsync(id + "-target", target);
        await SoundAsync(id, sender);
    }

    private async Task CronAsync(string id)
    {
        var runId = await StartAsync(id, nameof(EchoWorkflow), ["x"], cron: "@every 1s");
        await Wait.UntilAsync(async () => (await PatientCalls.AskAsync(() => client.CountWorkflowsAsync($"WorkflowId = '{id}' AND ExecutionStatus = 'Completed'"))).Count > 1);
        await PatientCalls.UntilDoneAsync(() => client.WorkflowService.TerminateWorkflowExecutionAsync(new() { Namespace = Namespace, WorkflowExecution = new() { WorkflowId = id } }));
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await ClosedAsync(id)).Status);
        await SoundAsync(id, runId);
    }

    private async Task ScheduleAsync(string id)
    {
        const int actions = 3;
        var schedule = new Schedule(
            ScheduleActionStartWorkflow.Create((EchoWorkflow w) => w.RunAsync("x"), new(id, worker.TaskQueue!)), new() { Intervals = [new(TimeSpan.FromSeconds(1))] })
        {
            State = new() { LimitedActions = true, RemainingActions = actions },
            Policy = new() { Overlap = ScheduleOverlapPolicy.BufferAll },
        };
        try
        {
            await PatientCalls.AskAsync(() => client.CreateScheduleAsync(id, schedule));
        }
        catch (Temporalio.Exceptions.ScheduleAlreadyRunningException)
        {
            // A try before this one had its effect, and no answer.
        }
        var handle = client.GetScheduleHandle(id);
        await Wait.UntilAsync(async () => (await PatientCalls.AskAsync(() => handle.DescribeAsync())).Info is { NumActions: actions, RunningActions.Count: 0 });
        var started = new List<Temporalio.Client.WorkflowExecution>();
        await PatientCalls.AskAsync(async () => started = await client.ListWorkflowsAsync($"TemporalScheduledById = '{id}'").ToListAsync());
        Assert.Equal(actions, started.Select(w => w.Id).Distinct().Count());
        Assert.Equal(actions, started.Count);
        Assert.All(started, w => Assert.Equal(WorkflowExecutionStatus.Completed, w.Status));
        await PatientCalls.UntilDoneAsync(() => client.WorkflowService.DeleteScheduleAsync(new() { Namespace = Namespace, ScheduleId = id }));
    }

    private async Task DeleteAsync(string id)
    {
        var parent = await StartAsync(id, nameof(WaitingWorkflow), []);
        await PatientCalls.UntilDoneAsync(() => client.WorkflowService.DeleteWorkflowExecutionAsync(new() { Namespace = Namespace, WorkflowExecution = new() { WorkflowId = id, RunId = parent } }));
        Assert.Equal(0, (await PatientCalls.AskAsync(() => client.CountWorkflowsAsync($"WorkflowId = '{id}'"))).Count);
        Assert.NotEqual(parent, await StartAsync(id, nameof(EchoWorkflow), ["again"], requestId: id + "-again"));
        Assert.Equal("again", await PatientCalls.AskAsync(() => client.GetWorkflowHandle<EchoWorkflow, string>(id).GetResultAsync()));
    }

    private async Task ResetAsync(string id)
    {
        var first = await StartAsync(id, nameof(EchoWorkflow), ["x"]);
        await ClosedAsync(id);
        var request = new ResetWorkflowExecutionRequest
        {
            Namespace = Namespace,
            WorkflowExecution = new() { WorkflowId = id, RunId = first },
            Reason = "storm",
            WorkflowTaskFinishEventId = 4,
            RequestId = id + "-reset",
        };
        var second = (await PatientCalls.AskAsync(() => client.WorkflowService.ResetWorkflowExecutionAsync(request))).RunId;
        Assert.NotEqual(first, second);
        Assert.Equal("x", await PatientCalls.AskAsync(() => client.GetWorkflowHandle<EchoWorkflow, string>(id, second).GetResultAsync()));
        Assert.Equal(2, (await PatientCalls.AskAsync(() => client.CountWorkflowsAsync($"WorkflowId = '{id}'"))).Count);
        await SoundAsync(id, first);
        await SoundAsync(id, second);
    }

    private async Task<WorkflowExecutionDescription> ClosedAsync(string id)
    {
        WorkflowExecutionDescription? found = null;
        await Wait.UntilAsync(async () => (found = await PatientCalls.AskAsync(() => client.GetWorkflowHandle(id).DescribeAsync())).CloseTime is not null);
        return found!;
    }

    private async Task<IReadOnlyList<Temporalio.Api.History.V1.HistoryEvent>> SoundAsync(string id, string runId)
    {
        var history = await PatientCalls.AskAsync(() => client.GetWorkflowHandle(id, runId).FetchHistoryAsync());
        HistoryChecks.Sound([.. history.Events]);
        if (history.Events.Any(e => e.EventType == EventType.WorkflowTaskCompleted))
            await Replay.OneAsync(history, worker);
        return [.. history.Events];
    }

    private async Task<string> StartAsync(string id, string type, object[] arguments, string? cron = null, string? requestId = null)
    {
        var request = new StartWorkflowExecutionRequest
        {
            Namespace = Namespace,
            WorkflowId = id,
            WorkflowType = new() { Name = type },
            TaskQueue = new() { Name = worker.TaskQueue },
            Input = Payloads(arguments),
            RequestId = requestId ?? id + "-start",
            CronSchedule = cron ?? "",
            // What a killed server forgot that a worker had is soon given to a worker again.
            WorkflowTaskTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(2)),
        };
        return (await PatientCalls.AskAsync(() => client.WorkflowService.StartWorkflowExecutionAsync(request))).RunId;
    }

    private static SignalWorkflowExecutionRequest Signal(string id, string name, string note, string requestId) => new()
    {
        Namespace = Namespace,
        WorkflowExecution = new() { WorkflowId = id },
        SignalName = name,
        Input = Payloads(note),
        RequestId = requestId,
    };

    private static Payloads Payloads(params object[] values) => new() { Payloads_ = { values.Select(DataConverter.Default.PayloadConverter.ToPayload) } };
}
