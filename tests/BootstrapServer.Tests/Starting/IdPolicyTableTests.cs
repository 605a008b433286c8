using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;
using Conflict = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy;
using Reuse = Temporalio.Api.Enums.V1.WorkflowIdReusePolicy;

namespace PlatformOps.BootstrapServer.Tests.Starting;

/// <summary>What a start of an id that is or was in use does, for every reuse policy with every conflict policy.</summary>
public class IdPolicyTableTests(SharedServer server)
{
    public enum Found
    {
        Running,
        Completed,
        Terminated,
    }

    public enum Does
    {
        Refuse,
        UseExisting,
        StartNew,
        TerminateAndStartNew,
        Invalid,
    }

    public static TheoryData<Reuse, Conflict, Found, Does> Table()
    {
        var table = new TheoryData<Reuse, Conflict, Found, Does>();
#pragma warning disable CS0612 // Deprecated, and still sent by SDKs.
        const Reuse terminateIfRunning = Reuse.TerminateIfRunning;
#pragma warning restore CS0612
        foreach (var reuse in new[] { Reuse.Unspecified, Reuse.AllowDuplicate, Reuse.AllowDuplicateFailedOnly, Reuse.RejectDuplicate, terminateIfRunning })
        {
            foreach (var conflict in Enum.GetValues<Conflict>())
            {
                var invalid = (reuse == terminateIfRunning && conflict != Conflict.Unspecified) || (reuse == Reuse.RejectDuplicate && conflict == Conflict.TerminateExisting);
                var terminates = reuse == terminateIfRunning || conflict == Conflict.TerminateExisting;
                table.Add(reuse, conflict, Found.Running, invalid ? Does.Invalid : terminates ? Does.TerminateAndStartNew : conflict == Conflict.UseExisting ? Does.UseExisting : Does.Refuse);
                // The conflict policy is about what runs, the reuse policy about what ended.
                table.Add(reuse, conflict, Found.Completed, invalid ? Does.Invalid : reuse is Reuse.RejectDuplicate or Reuse.AllowDuplicateFailedOnly ? Does.Refuse : Does.StartNew);
                table.Add(reuse, conflict, Found.Terminated, invalid ? Does.Invalid : reuse == Reuse.RejectDuplicate ? Does.Refuse : Does.StartNew);
            }
        }
        return table;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Starts_as_the_policies_say(Reuse reuse, Conflict conflict, Found found, Does does)
    {
        var request = new StartWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowId = "table-" + Guid.NewGuid(),
            WorkflowType = new() { Name = "Any" },
            TaskQueue = new() { Name = "nobody-" + Guid.NewGuid() },
            RequestId = Guid.NewGuid().ToString(),
        };
        var first = (await server.Client.WorkflowService.StartWorkflowExecutionAsync(request)).RunId;
        if (found == Found.Terminated)
            await server.Client.GetWorkflowHandle(request.WorkflowId).TerminateAsync();
        else if (found == Found.Completed)
            await CompleteAsync(request.TaskQueue.Name);

        request.RequestId = Guid.NewGuid().ToString();
        request.WorkflowIdReusePolicy = reuse;
        request.WorkflowIdConflictPolicy = conflict;
        if (does is Does.Refuse or Does.Invalid)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => server.Client.WorkflowService.StartWorkflowExecutionAsync(request));
            Assert.Equal(does == Does.Refuse ? RpcException.StatusCode.AlreadyExists : RpcException.StatusCode.InvalidArgument, refused.Code);
            Assert.Equal(first, (await server.Client.GetWorkflowHandle(request.WorkflowId).DescribeAsync()).RunId);
            return;
        }
        var second = await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        Assert.Equal(does == Does.UseExisting, second.RunId == first);
        Assert.Equal(does != Does.UseExisting, second.Started);
        var now = (await server.Client.GetWorkflowHandle(request.WorkflowId, first).DescribeAsync()).Status;
        Assert.Equal(
            does == Does.UseExisting ? WorkflowExecutionStatus.Running : found == Found.Completed ? WorkflowExecutionStatus.Completed : WorkflowExecutionStatus.Terminated, now);
    }

    private async Task CompleteAsync(string queue)
    {
        var task = await server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } });
        await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = "default",
            TaskToken = task.TaskToken,
            Commands = { new Temporalio.Api.Command.V1.Command { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new() } },
        });
    }
}
