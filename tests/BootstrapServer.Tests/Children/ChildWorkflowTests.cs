using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;
using ParentClosePolicy = Temporalio.Workflows.ParentClosePolicy;

namespace PlatformOps.BootstrapServer.Tests.Children;

public class ChildWorkflowTests(SharedServer server)
{
    [Fact]
    public Task Hands_the_result_of_a_child_to_its_parent() => WithParentAsync("await", ParentClosePolicy.Terminate, async (parent, child) =>
    {
        await child.SignalAsync(w => w.FinishAsync("done"));
        Assert.Equal("child said done: ", await parent.GetResultAsync());
        Assert.Equal(
            [EventType.WorkflowExecutionStarted, EventType.StartChildWorkflowExecutionInitiated, EventType.ChildWorkflowExecutionStarted, EventType.ChildWorkflowExecutionCompleted, EventType.WorkflowExecutionCompleted],
            await parent.TypesAsync());
        var started = (await child.EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal(parent.Id, started.ParentWorkflowExecution.WorkflowId);
        Assert.Equal(parent.Id, started.RootWorkflowExecution.WorkflowId);
    });

    [Fact]
    public Task Hands_the_failure_of_a_child_to_its_parent() => WithParentAsync("await", ParentClosePolicy.Terminate, async (parent, child) =>
    {
        await child.SignalAsync(w => w.FinishAsync("fail"));
        var failed = await Failures.OfAsync<ChildWorkflowFailureException>(parent);
        Assert.Equal("told to", failed.InnerException!.Message);
        Assert.Equal(child.Id, failed.WorkflowId);
    });

    [Fact]
    public Task Tells_the_parent_of_a_child_that_was_terminated() => WithParentAsync("await", ParentClosePolicy.Terminate, async (parent, child) =>
    {
        await child.TerminateAsync("away with it");
        Assert.IsType<TerminatedFailureException>((await Failures.OfAsync<ChildWorkflowFailureException>(parent)).InnerException);
    });

    [Fact]
    public Task Cancels_a_child_with_its_parent() => WithParentAsync("await", ParentClosePolicy.Terminate, async (parent, child) =>
    {
        await parent.CancelAsync();
        await Failures.OfAsync<CanceledFailureException>(parent);
        await StatusAsync(child, WorkflowExecutionStatus.Canceled);
        Assert.Contains(EventType.RequestCancelExternalWorkflowExecutionInitiated, await parent.TypesAsync());
    });

    [Theory]
    [InlineData(ParentClosePolicy.Terminate, WorkflowExecutionStatus.Terminated)]
    [InlineData(ParentClosePolicy.RequestCancel, WorkflowExecutionStatus.Canceled)]
    public Task Closes_a_child_with_its_parent_as_the_policy_says(ParentClosePolicy policy, WorkflowExecutionStatus expected) =>
        WithParentAsync("leave", policy, async (parent, child) =>
        {
            Assert.Equal("left", await parent.GetResultAsync());
            await StatusAsync(child, expected);
        });

    [Fact]
    public Task Lets_an_abandoned_child_go_on() => WithParentAsync("leave", ParentClosePolicy.Abandon, async (parent, child) =>
    {
        Assert.Equal("left", await parent.GetResultAsync());
        await child.SignalAsync(w => w.FinishAsync("done"));
        Assert.Equal("done: ", await child.GetResultAsync<string>());
    });

    [Fact]
    public Task Terminates_a_child_with_a_terminated_parent() => WithParentAsync("await", ParentClosePolicy.Terminate, async (parent, child) =>
    {
        await parent.TerminateAsync();
        await StatusAsync(child, WorkflowExecutionStatus.Terminated);
    });

    [Fact]
    public async Task Tells_the_parent_that_the_id_of_its_child_is_taken()
    {
        await server.WithWorkerAsync(Register, async queue =>
        {
            var taken = await server.Client.StartWorkflowAsync((ObedientWorkflow w) => w.RunAsync(), new(id: "child-" + queue, taskQueue: queue));
            var parent = await server.Client.StartWorkflowAsync((ParentWorkflow w) => w.RunAsync(taken.Id, "await", ParentClosePolicy.Terminate), new(id: "parent-" + queue, taskQueue: queue));
            await Assert.ThrowsAsync<WorkflowFailedException>(() => parent.GetResultAsync());
            var refused = (await parent.EventsAsync()).Single(e => e.EventType == EventType.StartChildWorkflowExecutionFailed);
            Assert.Equal(StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists, refused.StartChildWorkflowExecutionFailedEventAttributes.Cause);
            await taken.TerminateAsync();
        });
    }

    private Task WithParentAsync(string how, ParentClosePolicy policy, Func<WorkflowHandle<ParentWorkflow, string>, WorkflowHandle<ObedientWorkflow>, Task> test) =>
        server.WithWorkerAsync(Register, async queue =>
        {
            var parent = await server.Client.StartWorkflowAsync((ParentWorkflow w) => w.RunAsync("child-" + queue, how, policy), new(id: "parent-" + queue, taskQueue: queue));
            await Wait.UntilAsync(async () => (await parent.EventsAsync()).Has(EventType.ChildWorkflowExecutionStarted));
            await test(parent, server.Client.GetWorkflowHandle<ObedientWorkflow>("child-" + queue));
        });

    private static void Register(TemporalWorkerOptions o) => o.AddWorkflow<ParentWorkflow>().AddWorkflow<ObedientWorkflow>();

    private static Task StatusAsync(WorkflowHandle handle, WorkflowExecutionStatus expected) =>
        Wait.UntilAsync(async () => (await handle.DescribeAsync()).Status == expected);

    [Workflow]
    public class ParentWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string id, string how, ParentClosePolicy policy)
        {
            var child = await Workflow.StartChildWorkflowAsync((ObedientWorkflow w) => w.RunAsync(), new() { Id = id, ParentClosePolicy = policy });
            return how == "leave" ? "left" : "child said " + await child.GetResultAsync();
        }
    }

    [Workflow]
    public class ObedientWorkflow
    {
        private string? end;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => end is not null);
            return end == "fail" ? throw new ApplicationFailureException("told to", "Told") : $"{end}: ";
        }

        [WorkflowSignal]
        public Task FinishAsync(string how)
        {
            end = how;
            return Task.CompletedTask;
        }
    }
}
