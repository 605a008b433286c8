using Grpc.Core;
using Grpc.Net.Client;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;
using RpcException = Temporalio.Exceptions.RpcException;

namespace PlatformOps.BootstrapServer.Tests.Limits;

/// <summary>What happens where a run has, or would have, too much of something.</summary>
public class LimitTests(SmallServer server) : IClassFixture<SmallServer>
{
    private static readonly string Large = new('x', 2000);

    [Fact]
    public Task Refuses_inputs_signals_and_memos_that_are_too_large() => WithWorkerAsync(async queue =>
    {
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => StartAsync(queue, Large));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => server.Client.StartWorkflowAsync(
            (LimitedWorkflow w) => w.RunAsync("wait"), new(id: "memo-" + queue, taskQueue: queue) { Memo = new Dictionary<string, object> { ["large"] = Large } }));
        var handle = await StartAsync(queue, "wait");
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => handle.SignalAsync(w => w.NoteAsync(Large)));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => handle.ExecuteUpdateAsync(w => w.WaitAsync(Large)));
        await handle.TerminateAsync();
    });

    [Theory]
    [InlineData("activities", WorkflowTaskFailedCause.PendingActivitiesLimitExceeded)]
    [InlineData("children", WorkflowTaskFailedCause.PendingChildWorkflowsLimitExceeded)]
    [InlineData("signals", WorkflowTaskFailedCause.PendingSignalsLimitExceeded)]
    public Task Fails_the_workflow_task_that_asks_for_one_too_many(string of, WorkflowTaskFailedCause cause) => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, of);
        await Wait.UntilAsync(async () => (await handle.EventsAsync()).Any(e => e.WorkflowTaskFailedEventAttributes?.Cause == cause));
        Assert.False((await handle.EventsAsync()).Has(EventType.ActivityTaskScheduled));
        await handle.TerminateAsync();
    });

    [Fact]
    public Task Fails_an_activity_whose_result_is_too_large_for_good() => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, "large result");
        var failed = await Failures.OfAsync<ActivityFailureException>(handle);
        Assert.Equal(RetryState.NonRetryableFailure, failed.RetryState);
    });

    [Fact]
    public Task Ends_a_run_that_would_hand_an_activity_too_much_and_says_which_command_it_was() => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, "large input");
        var ended = await Failures.OfAsync<TerminatedFailureException>(handle);
        Assert.Equal("BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input exceeds size limit.", ended.Message);
    });

    [Fact]
    public Task Takes_no_more_signals_than_a_run_may_have() => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, "wait");
        for (var i = 0; i < 6; i++)
            await handle.SignalAsync(w => w.NoteAsync("x"));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => handle.SignalAsync(w => w.NoteAsync("one more")));
        await handle.TerminateAsync();
    });

    [Fact]
    public Task Takes_no_more_updates_than_may_run_at_once_and_in_all() => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, "wait");
        var first = await handle.StartUpdateAsync(w => w.WaitAsync("a"), new(WorkflowUpdateStage.Accepted));
        var second = await handle.StartUpdateAsync(w => w.WaitAsync("b"), new(WorkflowUpdateStage.Accepted));
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOfUpdateAsync(handle));
        await handle.SignalAsync(w => w.NoteAsync("go"));
        await first.GetResultAsync();
        await second.GetResultAsync();
        await handle.ExecuteUpdateAsync(w => w.WaitAsync("d"));
        await handle.ExecuteUpdateAsync(w => w.WaitAsync("e"));
        Assert.Equal(StatusCode.FailedPrecondition, await StatusOfUpdateAsync(handle));
        await handle.TerminateAsync();
    });

    [Fact]
    public Task Suggests_to_continue_as_new_and_terminates_a_run_with_too_long_a_history() => WithWorkerAsync(async queue =>
    {
        var handle = await StartAsync(queue, "suggested");
        Assert.InRange(int.Parse(await handle.GetResultAsync(), System.Globalization.CultureInfo.InvariantCulture), 19, 26);
        var endless = await StartAsync(queue, "endless");
        await Failures.OfAsync<TerminatedFailureException>(endless);
        var last = (await endless.EventsAsync())[^1];
        Assert.InRange(last.EventId, 40, 46);
        Assert.Equal("Workflow history count exceeds limit.", last.WorkflowExecutionTerminatedEventAttributes.Reason);
    });

    /// <summary>Not with the SDK's client: it asks again and again.</summary>
    private async Task<StatusCode> StatusOfUpdateAsync(WorkflowHandle handle)
    {
        using var channel = GrpcChannel.ForAddress($"http://{server.Address}");
        return await RawCalls.StatusOfAsync(() => channel.CallAsync<UpdateWorkflowExecutionResponse>(RawCalls.WorkflowService, "UpdateWorkflowExecution", new UpdateWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowExecution = new() { WorkflowId = handle.Id },
            Request = new() { Input = new() { Name = "Wait" } },
        }));
    }

    private Task<WorkflowHandle<LimitedWorkflow, string>> StartAsync(string queue, string how) =>
        server.Client.StartWorkflowAsync((LimitedWorkflow w) => w.RunAsync(how), new(id: "limited-" + Guid.NewGuid(), taskQueue: queue));

    private async Task WithWorkerAsync(Func<string, Task> test)
    {
        // The worker would refuse by itself what is too large: the server is to be seen refusing it.
        var options = new TemporalWorkerOptions("queue-" + Guid.NewGuid()) { DisablePayloadErrorLimit = true }.AddWorkflow<LimitedWorkflow>().AddAllActivities(typeof(LimitedActivities), null);
        using var worker = new TemporalWorker(server.Client, options);
        await worker.ExecuteAsync(() => test(options.TaskQueue!));
    }

    public static class LimitedActivities
    {
        [Activity]
        public static string Answer(bool large) => large ? Large : "small";
    }

    [Workflow]
    public class LimitedWorkflow
    {
        private static readonly ActivityOptions Activity = new() { StartToCloseTimeout = TimeSpan.FromSeconds(10) };
        private bool go;

        [WorkflowRun]
        public async Task<string> RunAsync(string how)
        {
            var few = Enumerable.Range(0, 4);
            switch (how)
            {
                case "activities":
                    await Workflow.WhenAllAsync(few.Select(_ => Workflow.ExecuteActivityAsync(() => LimitedActivities.Answer(false), Activity)));
                    break;
                case "children":
                    await Workflow.WhenAllAsync(few.Select(_ => Workflow.ExecuteChildWorkflowAsync((LimitedWorkflow w) => w.RunAsync("wait"))));
                    break;
                case "signals":
                    await Workflow.WhenAllAsync(few.Select(n => Workflow.GetExternalWorkflowHandle($"nobody-{n}").SignalAsync("any", [])));
                    break;
                case "large result":
                    return await Workflow.ExecuteActivityAsync(() => LimitedActivities.Answer(true), Activity);
                case "large input":
                    await Workflow.ExecuteActivityAsync("Answer", [Large], Activity);
                    break;
                case "suggested":
                    while (!Workflow.ContinueAsNewSuggested)
                        await Workflow.DelayAsync(1);
                    return $"{Workflow.CurrentHistoryLength}";
                case "endless":
                    while (true)
                        await Workflow.DelayAsync(1);
                default:
                    await Workflow.WaitConditionAsync(() => false);
                    break;
            }
            return how;
        }

        [WorkflowSignal]
        public Task NoteAsync(string what)
        {
            go |= what == "go";
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public async Task<string> WaitAsync(string what)
        {
            await Workflow.WaitConditionAsync(() => go);
            return what;
        }
    }
}
