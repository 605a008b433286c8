using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Messages;

public class QueryTests(SharedServer server)
{
    [Fact]
    public async Task Answers_with_what_was_signalled_before_and_after_the_end()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue);
            await handle.SignalAsync(w => w.NoteAsync("a"));
            Assert.Equal(["a"], await handle.QueryAsync(w => w.Notes()));
            await handle.SignalAsync(w => w.FinishAsync("done"));
            await handle.GetResultAsync();
            Assert.Equal(["a"], await handle.QueryAsync(w => w.Notes()));
        });
    }

    [Fact]
    public async Task Rejects_queries_of_closed_runs_when_the_caller_wants_open_ones()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue);
            await handle.SignalAsync(w => w.FinishAsync("done"));
            await handle.GetResultAsync();
            var rejected = await Assert.ThrowsAsync<WorkflowQueryRejectedException>(
                () => handle.QueryAsync(w => w.Notes(), new() { RejectCondition = QueryRejectCondition.NotOpen }));
            Assert.Equal(WorkflowExecutionStatus.Completed, rejected.WorkflowStatus);
            Assert.Empty(await handle.QueryAsync(w => w.Notes(), new() { RejectCondition = QueryRejectCondition.NotCompletedCleanly }));
        });
    }

    [Fact]
    public async Task Hands_the_failure_of_a_query_to_its_caller()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<BusyWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((BusyWorkflow w) => w.RunAsync(), new(id: "failing-query-" + queue, taskQueue: queue));
            var failed = await Assert.ThrowsAsync<WorkflowQueryFailedException>(() => handle.QueryAsync(w => w.Broken()));
            Assert.Contains("no answer", failed.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<WorkflowQueryFailedException>(() => handle.QueryAsync<string>("Unheard", []));
        });
    }

    [Fact]
    public async Task Answers_while_workflow_tasks_keep_coming()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<BusyWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((BusyWorkflow w) => w.RunAsync(), new(id: "busy-query-" + queue, taskQueue: queue));
            var last = 0;
            for (var i = 0; i < 20; i++)
            {
                await handle.SignalAsync(w => w.CountAsync());
                var seen = await handle.QueryAsync(w => w.Counted());
                Assert.Equal(last + 1, seen);
                last = seen;
            }
        });
    }

    [Fact]
    public async Task Says_that_nobody_polls_when_nobody_answers()
    {
        var handle = await server.Client.StartWorkflowAsync(
            (WaitingWorkflow w) => w.RunAsync(), new(id: "unpolled-" + Guid.NewGuid(), taskQueue: "nobody-" + Guid.NewGuid()));
        await Assert.ThrowsAnyAsync<Exception>(() => handle.QueryAsync(
            w => w.Notes(), new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(1) } }));
        await handle.TerminateAsync();
    }

    private Task<WorkflowHandle<WaitingWorkflow, string>> StartAsync(string queue) =>
        server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "query-" + queue, taskQueue: queue));

    [Workflow]
    public class BusyWorkflow
    {
        private int counted;

        [WorkflowRun]
        public async Task RunAsync()
        {
            while (true)
                await Workflow.DelayAsync(TimeSpan.FromMilliseconds(5));
        }

        [WorkflowSignal]
        public Task CountAsync()
        {
            counted++;
            return Task.CompletedTask;
        }

        [WorkflowQuery]
        public int Counted() => counted;

        [WorkflowQuery]
        public string Broken() => throw new ApplicationFailureException("no answer");
    }
}
