using Google.Protobuf;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Tests.Messages;

/// <summary>How queries travel with workflow tasks, seen from a worker.</summary>
public class QueryDeliveryTests(SharedServer server)
{
    [Fact]
    public async Task A_query_that_a_workflow_task_answered_does_not_come_with_the_next()
    {
        var queue = "query-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync("Any", [], new(id: queue, taskQueue: queue));
        var task = await server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } });
        var asked = handle.QueryAsync<string>("any", []);
        while (task.Queries.Count == 0)
        {
            Assert.False(asked.IsFaulted);
            task = await NextAsync(task, []);
        }
        var (id, _) = Assert.Single(task.Queries);
        var answer = new WorkflowQueryResult
        {
            ResultType = QueryResultType.Answered,
            Answer = new Payloads { Payloads_ = { new Payload { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFromUtf8("\"yes\"") } } },
        };
        Assert.Empty((await NextAsync(task, new() { [id] = answer })).Queries);
        Assert.Equal("yes", await asked);
        await handle.TerminateAsync();

        async Task<PollWorkflowTaskQueueResponse> NextAsync(PollWorkflowTaskQueueResponse of, Dictionary<string, WorkflowQueryResult> answers)
        {
            // Arrives while the task is at the worker, so that another one has to follow.
            await handle.SignalAsync("any", []);
            var done = new RespondWorkflowTaskCompletedRequest { Namespace = "default", TaskToken = of.TaskToken, ReturnNewWorkflowTask = true, QueryResults = { answers } };
            return (await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(done)).WorkflowTask;
        }
    }
}
