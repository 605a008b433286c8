using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;
using Stage = Temporalio.Api.Enums.V1.UpdateWorkflowExecutionLifecycleStage;

namespace PlatformOps.BootstrapServer.Tests.Messages;

/// <summary>What callers that wait for a stage of an update are told, by polling too.</summary>
public class UpdateStageTests(SharedServer server)
{
    [Fact]
    public Task Polls_answer_with_the_stage_that_is_reached_and_wait_for_the_one_that_is_wanted() => WithDoorAsync(async handle =>
    {
        await handle.StartUpdateAsync(w => w.EnterAsync("ada"), new(WorkflowUpdateStage.Accepted) { Id = "ada" });
        var now = await PollAsync(handle, "ada", Stage.Unspecified);
        Assert.Equal((Stage.Accepted, null), (now.Stage, now.Outcome));
        Assert.Equal(Stage.Accepted, (await PollAsync(handle, "ada", Stage.Accepted)).Stage);
        var completed = PollAsync(handle, "ada", Stage.Completed);
        Assert.False(completed.IsCompleted);
        await handle.SignalAsync(w => w.OpenAsync());
        Assert.Equal("\"ada is in\"", (await completed).Outcome.Success.Payloads_[0].Data.ToStringUtf8());
        Assert.Equal(handle.ResultRunId, (await completed).UpdateRef.WorkflowExecution.RunId);
        Assert.Equal(Stage.Completed, (await PollAsync(handle, "ada", Stage.Unspecified)).Stage);
    });

    [Fact]
    public Task Polls_for_an_update_that_nobody_asked_for_find_nothing() => WithDoorAsync(handle =>
        Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => PollAsync(handle, "nobody", Stage.Unspecified)));

    [Fact]
    public Task Nobody_waits_for_admission_alone() => WithDoorAsync(handle =>
        Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => UpdateAsync(handle, "early", Stage.Admitted)));

    [Fact]
    public Task A_caller_whose_time_is_up_is_told_how_far_the_update_is() => WithDoorAsync(async handle =>
    {
        await UpdateAsync(handle, "patient", Stage.Accepted);
        var answer = await Wait.ForAnswerAsync(() => UpdateAsync(handle, "patient", Stage.Completed, TimeSpan.FromSeconds(2)));
        Assert.Equal((Stage.Accepted, null), (answer.Stage, answer.Outcome));
    });

    [Fact]
    public async Task An_update_with_start_names_both_failures()
    {
        var queue = "nobody-" + Guid.NewGuid();
        var request = new ExecuteMultiOperationRequest
        {
            Namespace = "default",
            Operations =
            {
                new ExecuteMultiOperationRequest.Types.Operation { StartWorkflow = Start("both-" + queue, queue) },
                new ExecuteMultiOperationRequest.Types.Operation { UpdateWorkflow = Update("another-" + queue) },
            },
        };
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => server.Client.WorkflowService.ExecuteMultiOperationAsync(request));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => server.Client.GetWorkflowHandle("both-" + queue).DescribeAsync());

        request.Operations[1].UpdateWorkflow = Update("both-" + queue);
        request.Operations[0].StartWorkflow.CronSchedule = "@daily";
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => server.Client.WorkflowService.ExecuteMultiOperationAsync(request));
        request.Operations.RemoveAt(1);
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => server.Client.WorkflowService.ExecuteMultiOperationAsync(request));
    }

    private static StartWorkflowExecutionRequest Start(string id, string queue) => new()
    {
        Namespace = "default",
        WorkflowId = id,
        WorkflowType = new() { Name = "Any" },
        TaskQueue = new() { Name = queue },
        RequestId = Guid.NewGuid().ToString(),
        WorkflowIdConflictPolicy = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy.UseExisting,
    };

    private static UpdateWorkflowExecutionRequest Update(string id) => new()
    {
        Namespace = "default",
        WorkflowExecution = new() { WorkflowId = id },
        WaitPolicy = new() { LifecycleStage = Stage.Completed },
        Request = new() { Meta = new() { UpdateId = "u" }, Input = new() { Name = "any" } },
    };

    private Task<UpdateWorkflowExecutionResponse> UpdateAsync(WorkflowHandle handle, string id, Stage stage, TimeSpan? timeout = null) =>
        server.Client.WorkflowService.UpdateWorkflowExecutionAsync(
            new()
            {
                Namespace = "default",
                WorkflowExecution = new() { WorkflowId = handle.Id },
                WaitPolicy = new() { LifecycleStage = stage },
                Request = new()
                {
                    Meta = new() { UpdateId = id },
                    Input = new() { Name = "Enter", Args = new Payloads { Payloads_ = { Temporalio.Converters.DataConverter.Default.PayloadConverter.ToPayload(id) } } },
                },
            },
            new() { Timeout = timeout });

    private Task<PollWorkflowExecutionUpdateResponse> PollAsync(WorkflowHandle handle, string id, Stage stage) =>
        server.Client.WorkflowService.PollWorkflowExecutionUpdateAsync(new()
        {
            Namespace = "default",
            UpdateRef = new() { WorkflowExecution = new() { WorkflowId = handle.Id }, UpdateId = id },
            WaitPolicy = new() { LifecycleStage = stage },
        });

    private Task WithDoorAsync(Func<WorkflowHandle<DoorWorkflow>, Task> test) => server.WithWorkerAsync(o => o.AddWorkflow<DoorWorkflow>(), async queue =>
    {
        var handle = await server.Client.StartWorkflowAsync((DoorWorkflow w) => w.RunAsync(), new(id: "door-" + queue, taskQueue: queue));
        await test(handle);
        await handle.TerminateAsync();
    });

    [Workflow]
    public class DoorWorkflow
    {
        private bool open;

        [WorkflowRun]
        public Task RunAsync() => Workflow.WaitConditionAsync(() => false);

        [WorkflowUpdate]
        public async Task<string> EnterAsync(string who)
        {
            await Workflow.WaitConditionAsync(() => open);
            return $"{who} is in";
        }

        [WorkflowSignal]
        public Task OpenAsync()
        {
            open = true;
            return Task.CompletedTask;
        }
    }
}
