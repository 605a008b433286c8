using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using WorkflowIdConflictPolicy = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy;

namespace PlatformOps.BootstrapServer.Tests.Starting;

public class IdPolicyTests(SharedServer server)
{
    [Theory]
    [InlineData(WorkflowIdConflictPolicy.Unspecified)]
    [InlineData(WorkflowIdConflictPolicy.Fail)]
    public async Task Refuses_a_second_start_while_the_first_runs(WorkflowIdConflictPolicy policy)
    {
        var options = Options();
        var first = await StartAsync(options);
        options.IdConflictPolicy = policy;
        var refused = await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => StartAsync(options));
        Assert.Equal((first.Id, first.ResultRunId), (refused.WorkflowId, refused.RunId));
    }

    [Fact]
    public async Task Uses_the_run_that_exists_when_the_policy_says_so()
    {
        var options = Options();
        var first = await StartAsync(options);
        options.IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting;
        Assert.Equal(first.ResultRunId, (await StartAsync(options)).ResultRunId);
    }

    [Fact]
    public async Task Terminates_the_run_that_exists_when_the_policy_says_so()
    {
        var options = Options();
        var first = await StartAsync(options);
        options.IdConflictPolicy = WorkflowIdConflictPolicy.TerminateExisting;
        var second = await StartAsync(options);
        Assert.NotEqual(first.ResultRunId, second.ResultRunId);
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await server.Client.GetWorkflowHandle(first.Id, first.ResultRunId).DescribeAsync()).Status);
        Assert.Equal(WorkflowExecutionStatus.Running, (await second.DescribeAsync()).Status);
    }

    [Theory]
    [InlineData("done", WorkflowIdReusePolicy.AllowDuplicate, true)]
    [InlineData("done", WorkflowIdReusePolicy.AllowDuplicateFailedOnly, false)]
    [InlineData("done", WorkflowIdReusePolicy.RejectDuplicate, false)]
    [InlineData("fail", WorkflowIdReusePolicy.AllowDuplicate, true)]
    [InlineData("fail", WorkflowIdReusePolicy.AllowDuplicateFailedOnly, true)]
    [InlineData("fail", WorkflowIdReusePolicy.RejectDuplicate, false)]
    public async Task Uses_the_id_of_a_closed_run_again_as_the_policy_says(string end, WorkflowIdReusePolicy policy, bool allowed)
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var options = new WorkflowOptions(id: "reuse-" + Guid.NewGuid(), taskQueue: queue);
            var first = await StartAsync(options);
            await first.SignalAsync(w => w.FinishAsync(end));
            await Wait.UntilAsync(async () => (await first.DescribeAsync()).Status != WorkflowExecutionStatus.Running);
            options.IdReusePolicy = policy;
            if (!allowed)
            {
                await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => StartAsync(options));
                return;
            }
            var second = await StartAsync(options);
            Assert.NotEqual(first.ResultRunId, second.ResultRunId);
            await second.TerminateAsync();
        });
    }

    [Fact]
    public async Task Answers_a_repeated_request_with_the_run_that_it_started()
    {
        var request = new Temporalio.Api.WorkflowService.V1.StartWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowId = "request-" + Guid.NewGuid(),
            WorkflowType = new() { Name = "Any" },
            TaskQueue = new() { Name = "nobody-" + Guid.NewGuid() },
            RequestId = Guid.NewGuid().ToString(),
        };
        var first = await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        Assert.Equal(first.RunId, (await server.Client.WorkflowService.StartWorkflowExecutionAsync(request)).RunId);
        request.RequestId = Guid.NewGuid().ToString();
        await Failures.RefusedAsync(RpcException.StatusCode.AlreadyExists, () => server.Client.WorkflowService.StartWorkflowExecutionAsync(request));
    }

    private static WorkflowOptions Options() => new(id: "policy-" + Guid.NewGuid(), taskQueue: "nobody-" + Guid.NewGuid());

    private Task<WorkflowHandle<WaitingWorkflow, string>> StartAsync(WorkflowOptions options) =>
        server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), options);
}
