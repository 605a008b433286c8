using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

public class ScheduleTests(SharedServer server)
{
    private static readonly ScheduleSpec Never = new() { Calendars = [new() { Year = [new(2099)] }] };

    [Fact]
    public Task Acts_when_its_time_comes_and_tells_what_it_did() => WithQueueAsync(async queue =>
    {
        var spec = new ScheduleSpec { Intervals = [new(TimeSpan.FromSeconds(1))] };
        var handle = await CreateAsync(queue, spec, new() { Overlap = ScheduleOverlapPolicy.AllowAll });
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions >= 2);
        await handle.PauseAsync("enough");
        var described = await handle.DescribeAsync();
        Assert.Equal(("enough", true), (described.Schedule.State.Note, described.Schedule.State.Paused));
        var first = Assert.IsType<ScheduleActionExecutionStartWorkflow>(described.Info.RecentActions.First().Action);
        var started = await server.Client.GetWorkflowHandle(first.WorkflowId).DescribeAsync();
        Assert.StartsWith("of-" + queue, first.WorkflowId, StringComparison.Ordinal);
        Assert.Equal(handle.Id, started.TypedSearchAttributes.Get(Temporalio.Common.SearchAttributeKey.CreateKeyword("TemporalScheduledById")));
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalScheduledById = '{handle.Id}' AND ExecutionStatus = 'Running'")).Count >= 2);
        await EndAllAsync(queue);
    });

    [Fact]
    public Task Acts_at_once_when_triggered_and_hands_on_the_last_result() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never);
        await handle.TriggerAsync();
        var first = await RunningAsync(handle);
        Assert.Single((await handle.DescribeAsync()).Info.RunningActions);
        await server.Client.GetWorkflowHandle<WaitingWorkflow>(first).SignalAsync(w => w.FinishAsync("done"));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.RunningActions.Count == 0);
        await handle.TriggerAsync();
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 2);
        var second = await RunningAsync(handle);
        var started = (await server.Client.GetWorkflowHandle(second).EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal("\"done: \"", started.LastCompletionResult.Payloads_[0].Data.ToStringUtf8());
    });

    [Fact]
    public Task Keeps_a_trigger_until_the_running_workflow_ends_when_it_buffers() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never, new() { Overlap = ScheduleOverlapPolicy.BufferOne });
        var from = new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await handle.TriggerAsync();
        await handle.BackfillAsync([new(from, from.AddDays(1), ScheduleOverlapPolicy.BufferOne)]);
        Assert.Equal(1, (await handle.DescribeAsync()).Info.NumActions);
        var first = await RunningAsync(handle);
        await server.Client.GetWorkflowHandle<WaitingWorkflow>(first).SignalAsync(w => w.FinishAsync("done"));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 2);
        Assert.NotEqual(first, await RunningAsync(handle));
    });

    [Fact]
    public Task Ends_the_running_workflow_first_when_the_policy_says_so() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never);
        await handle.TriggerAsync();
        var first = server.Client.GetWorkflowHandle(await RunningAsync(handle));
        var from = new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await handle.BackfillAsync([new(from, from.AddDays(1), ScheduleOverlapPolicy.TerminateOther)]);
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 2);
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await first.DescribeAsync()).Status);
    });

    [Fact]
    public Task Fills_in_what_was_missed() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, new() { Intervals = [new(TimeSpan.FromDays(1))] });
        var from = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await handle.BackfillAsync([new(from, from.AddDays(4), ScheduleOverlapPolicy.AllowAll)]);
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalScheduledById = '{handle.Id}'")).Count == 5);
        var one = await server.Client.GetWorkflowHandle($"of-{queue}-2026-01-03T00:00:00Z").DescribeAsync();
        Assert.Equal(
            new DateTimeOffset(2026, 1, 3, 0, 0, 0, TimeSpan.Zero),
            one.TypedSearchAttributes.Get(Temporalio.Common.SearchAttributeKey.CreateDateTimeOffset("TemporalScheduledStartTime")));
    });

    [Fact]
    public Task Pauses_when_a_workflow_fails_if_asked_to() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never, new() { PauseOnFailure = true });
        await handle.TriggerAsync();
        await server.Client.GetWorkflowHandle<WaitingWorkflow>(await RunningAsync(handle)).SignalAsync(w => w.FinishAsync("fail"));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Schedule.State.Paused);
        await handle.UnpauseAsync("fixed");
        Assert.Equal((false, "fixed"), ((await handle.DescribeAsync()).Schedule.State.Paused, (await handle.DescribeAsync()).Schedule.State.Note));
    });

    [Fact]
    public Task Stops_after_as_many_actions_as_it_may_take() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(
            queue, new() { Intervals = [new(TimeSpan.FromSeconds(1))] }, new() { Overlap = ScheduleOverlapPolicy.AllowAll }, new() { LimitedActions = true, RemainingActions = 2 });
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Schedule.State.RemainingActions == 0);
        Assert.Equal(2, (await handle.DescribeAsync()).Info.NumActions);
    });

    [Fact]
    public Task Changes_as_its_owner_updates_it_and_is_gone_when_deleted() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never);
        Assert.Equal(10, (await Described(s => s with { Spec = new() { Intervals = [new(TimeSpan.FromDays(7))] }, State = new() { Note = "weekly" } })).Info.NextActionTimes.Count);
        Assert.Equal("weekly", (await handle.DescribeAsync()).Schedule.State.Note);
        Assert.Equal(TimeSpan.FromDays(7), Assert.Single((await handle.DescribeAsync()).Schedule.Spec.Intervals).Every);
        await Assert.ThrowsAsync<ScheduleAlreadyRunningException>(() => CreateAsync(queue, Never));
        await handle.DeleteAsync();
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => handle.DescribeAsync());

        async Task<ScheduleDescription> Described(Func<Schedule, Schedule> change)
        {
            await handle.UpdateAsync(input => new ScheduleUpdate(change(input.Description.Schedule)));
            return await handle.DescribeAsync();
        }
    });

    [Fact]
    public Task Lists_schedules_by_filter() => WithQueueAsync(async queue =>
    {
        var handle = await CreateAsync(queue, Never);
        await Wait.UntilAsync(async () => await CountAsync($"ScheduleId = '{handle.Id}' AND TemporalSchedulePaused = false") == 1);
        await handle.PauseAsync();
        await Wait.UntilAsync(async () => await CountAsync($"ScheduleId = '{handle.Id}' AND TemporalSchedulePaused = true") == 1);
        Assert.Equal(0, await CountAsync($"ScheduleId = '{handle.Id}' AND TemporalSchedulePaused = false"));

        async Task<int> CountAsync(string query)
        {
            var found = 0;
            await foreach (var schedule in server.Client.ListSchedulesAsync(new() { Query = query }))
            {
                Assert.Equal(handle.Id, schedule.Id);
                found++;
            }
            return found;
        }
    });

    private Task WithQueueAsync(Func<string, Task> test) => server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
    {
        try
        {
            await test(queue);
        }
        finally
        {
            if (!await Wait.FailsAsync(() => server.Client.GetScheduleHandle("schedule-" + queue).DeleteAsync()))
                await EndAllAsync(queue);
        }
    });

    private Task<ScheduleHandle> CreateAsync(string queue, ScheduleSpec spec, SchedulePolicy? policy = null, ScheduleState? state = null) => server.Client.CreateScheduleAsync(
        "schedule-" + queue,
        new(ScheduleActionStartWorkflow.Create((WaitingWorkflow w) => w.RunAsync(), new(id: "of-" + queue, taskQueue: queue)), spec)
        {
            Policy = policy ?? new(),
            State = state ?? new(),
        });

    private static async Task<string> RunningAsync(ScheduleHandle handle)
    {
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.RunningActions.Count == 1);
        return Assert.IsType<ScheduleActionExecutionStartWorkflow>((await handle.DescribeAsync()).Info.RunningActions.Single()).WorkflowId;
    }

    private async Task EndAllAsync(string queue)
    {
        await foreach (var run in server.Client.ListWorkflowsAsync($"TaskQueue = '{queue}' AND ExecutionStatus = 'Running'"))
            await Wait.FailsAsync(() => server.Client.GetWorkflowHandle(run.Id, run.RunId).TerminateAsync());
    }
}
