using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.TaskQueues;

/// <summary>Activities and children have their workflow's priority and fairness key, and for what they say themselves their own.</summary>
public class PriorityInheritanceTests(SharedServer server)
{
    [Fact]
    public async Task Activities_and_children_inherit_what_they_leave_open()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<ParentWorkflow>().AddWorkflow<TellingWorkflow>().AddAllActivities(typeof(Telling), null), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (ParentWorkflow w) => w.RunAsync(), new("priorities-" + queue, queue) { Priority = new Priority(2, "tenant", 3) });
            Assert.Equal(["2/tenant/3", "4/tenant/3", "2/tenant/3", "2/other/3"], await handle.GetResultAsync());
            var child = (await server.Client.GetWorkflowHandle(handle.Id + "-1").RawAsync()).WorkflowExecutionInfo.Priority;
            Assert.Equal((2, "other", 3f), (child.PriorityKey, child.FairnessKey, child.FairnessWeight));
        });
    }

    private static string Text(Priority? priority) => $"{priority?.PriorityKey}/{priority?.FairnessKey}/{priority?.FairnessWeight}";

    public static class Telling
    {
        [Activity]
        public static string Tell() => Text(ActivityExecutionContext.Current.Info.Priority);
    }

    [Workflow]
    public class TellingWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Task.FromResult(Text(Workflow.Info.Priority));
    }

    [Workflow]
    public class ParentWorkflow
    {
        [WorkflowRun]
        public async Task<IReadOnlyList<string>> RunAsync()
        {
            var id = Workflow.Info.WorkflowId;
            return
            [
                await Workflow.ExecuteActivityAsync(() => Telling.Tell(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) }),
                await Workflow.ExecuteActivityAsync(() => Telling.Tell(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), Priority = new Priority(4) }),
                await Workflow.ExecuteChildWorkflowAsync((TellingWorkflow w) => w.RunAsync(), new() { Id = id + "-0" }),
                await Workflow.ExecuteChildWorkflowAsync((TellingWorkflow w) => w.RunAsync(), new() { Id = id + "-1", Priority = new Priority(fairnessKey: "other") }),
            ];
        }
    }
}
