using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Tests.Activities;

/// <summary>Activities that a worker takes with the answer to its workflow task.</summary>
public class EagerActivityTests(SharedServer server)
{
    [Fact]
    public async Task Comes_with_the_answer_to_the_worker_that_asks_for_it_and_to_nobody_else()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync("Any", [], new(id: "eager-" + queue, taskQueue: queue));
        var task = await PollAsync(queue);
        var answer = await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = "default",
            Identity = "worker",
            TaskToken = task.TaskToken,
            Commands = { Schedule("eager", queue, eager: true), Schedule("elsewhere", "other-" + queue, eager: true), Schedule("usual", queue, eager: false) },
        });
        var eager = answer.ActivityTasks.Select(a => a.ActivityId).ToList();
        Assert.Contains("eager", eager);
        Assert.DoesNotContain("usual", eager);
        var polled = await server.Client.WorkflowService.PollActivityTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } });
        Assert.Equal("usual", polled.ActivityId);
        await server.Client.WorkflowService.RespondActivityTaskCompletedAsync(new() { Namespace = "default", TaskToken = answer.ActivityTasks.First(a => a.ActivityId == "eager").TaskToken });
        var events = await handle.EventsAsync();
        Assert.True(events.Has(EventType.ActivityTaskCompleted));
        Assert.Equal("worker", events.Single(e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes.Identity);
        await handle.TerminateAsync();
    }

    private static Command Schedule(string id, string queue, bool eager) => new()
    {
        CommandType = CommandType.ScheduleActivityTask,
        ScheduleActivityTaskCommandAttributes = new()
        {
            ActivityId = id,
            ActivityType = new() { Name = "Any" },
            TaskQueue = new() { Name = queue },
            StartToCloseTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
            RequestEagerExecution = eager,
        },
    };

    private Task<PollWorkflowTaskQueueResponse> PollAsync(string queue) =>
        server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", Identity = "worker", TaskQueue = new() { Name = queue } });
}
