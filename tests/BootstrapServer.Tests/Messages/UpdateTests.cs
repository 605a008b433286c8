using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Messages;

public class UpdateTests(SharedServer server)
{
    [Fact]
    public Task Completes_updates_and_returns_their_results() => WithLedgerAsync(async handle =>
    {
        Assert.Equal(2, await handle.ExecuteUpdateAsync(w => w.AddAsync(2)));
        Assert.Equal(5, await handle.ExecuteUpdateAsync(w => w.AddAsync(3)));
        await handle.SignalAsync(w => w.CloseAsync());
        Assert.Equal(5, await handle.GetResultAsync());
        var events = await handle.EventsAsync();
        Assert.Equal(2, events.Count(e => e.EventType == EventType.WorkflowExecutionUpdateAccepted));
        Assert.Equal(2, events.Count(e => e.EventType == EventType.WorkflowExecutionUpdateCompleted));
    });

    [Fact]
    public Task Leaves_no_trace_of_an_update_that_its_validator_rejects() => WithLedgerAsync(async handle =>
    {
        await handle.ExecuteUpdateAsync(w => w.AddAsync(1));
        var before = (await handle.EventsAsync()).Count;
        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(w => w.AddAsync(-1)));
        Assert.Contains("negative", rejected.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal(before, (await handle.EventsAsync()).Count);
        await handle.SignalAsync(w => w.CloseAsync());
        Assert.Equal(1, await handle.GetResultAsync());
    });

    [Fact]
    public Task Hands_the_failure_of_an_accepted_update_to_its_caller() => WithLedgerAsync(async handle =>
    {
        var failed = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(w => w.BreakAsync()));
        Assert.Equal("broken", failed.InnerException!.Message);
        Assert.Contains(EventType.WorkflowExecutionUpdateCompleted, await handle.TypesAsync());
    });

    [Fact]
    public Task Tells_acceptance_from_completion() => WithLedgerAsync(async handle =>
    {
        var update = await handle.StartUpdateAsync(w => w.AddWhenOpenAsync(7), new(WorkflowUpdateStage.Accepted));
        Assert.DoesNotContain(EventType.WorkflowExecutionUpdateCompleted, await handle.TypesAsync());
        var result = update.GetResultAsync();
        await handle.SignalAsync(w => w.OpenAsync());
        Assert.Equal(7, await result);
    });

    [Fact]
    public Task Answers_an_update_id_that_it_knows_with_the_same_outcome() => WithLedgerAsync(async handle =>
    {
        var options = new WorkflowUpdateOptions("same-id");
        Assert.Equal(4, await handle.ExecuteUpdateAsync(w => w.AddAsync(4), options));
        Assert.Equal(4, await handle.ExecuteUpdateAsync(w => w.AddAsync(4), options));
        Assert.Equal(4, await handle.GetUpdateHandle<int>("same-id").GetResultAsync());
        await handle.SignalAsync(w => w.CloseAsync());
        Assert.Equal(4, await handle.GetResultAsync());
        Assert.Equal(4, await handle.GetUpdateHandle<int>("same-id").GetResultAsync());
    });

    [Fact]
    public Task Ends_an_accepted_update_when_the_workflow_ends_first() => WithLedgerAsync(async handle =>
    {
        var update = await handle.StartUpdateAsync(w => w.AddWhenOpenAsync(7), new(WorkflowUpdateStage.Accepted));
        await handle.SignalAsync(w => w.CloseAsync());
        var failed = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => update.GetResultAsync());
        Assert.Contains("completed before", failed.InnerException!.Message, StringComparison.Ordinal);
    });

    [Fact]
    public Task Refuses_updates_of_closed_and_unknown_workflows() => WithLedgerAsync(async handle =>
    {
        await handle.SignalAsync(w => w.CloseAsync());
        await handle.GetResultAsync();
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => handle.ExecuteUpdateAsync(w => w.AddAsync(1)));
        await Failures.RefusedAsync(
            RpcException.StatusCode.NotFound, () => server.Client.GetWorkflowHandle<LedgerWorkflow>("missing-" + Guid.NewGuid()).ExecuteUpdateAsync(w => w.AddAsync(1)));
    });

    [Fact]
    public Task Completes_many_updates_at_once() => WithLedgerAsync(async handle =>
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => handle.ExecuteUpdateAsync(w => w.AddAsync(1))));
        await handle.SignalAsync(w => w.CloseAsync());
        Assert.Equal(8, await handle.GetResultAsync());
    });

    [Fact]
    public async Task Starts_a_workflow_with_an_update_and_only_updates_one_that_runs()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LedgerWorkflow>(), async queue =>
        {
            WithStartWorkflowOperation<WorkflowHandle<LedgerWorkflow, int>> Start() => WithStartWorkflowOperation.Create(
                (LedgerWorkflow w) => w.RunAsync(),
                new(id: "update-start-" + queue, taskQueue: queue) { IdConflictPolicy = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy.UseExisting });
            var (first, second) = (Start(), Start());
            Assert.Equal(3, await server.Client.ExecuteUpdateWithStartWorkflowAsync((LedgerWorkflow w) => w.AddAsync(3), new(first)));
            Assert.Equal(5, await server.Client.ExecuteUpdateWithStartWorkflowAsync((LedgerWorkflow w) => w.AddAsync(2), new(second)));
            var (one, two) = (await first.GetHandleAsync(), await second.GetHandleAsync());
            Assert.Equal(one.ResultRunId, two.ResultRunId);
            var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(
                () => server.Client.ExecuteUpdateWithStartWorkflowAsync((LedgerWorkflow w) => w.AddAsync(-2), new(Start())));
            Assert.Contains("negative", rejected.InnerException!.Message, StringComparison.Ordinal);
            await one.SignalAsync(w => w.CloseAsync());
            Assert.Equal(5, await one.GetResultAsync());
        });
    }

    [Fact]
    public async Task Refuses_an_update_with_start_whose_start_a_policy_forbids()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LedgerWorkflow>(), async queue =>
        {
            var options = new WorkflowOptions(id: "update-start-" + queue, taskQueue: queue) { IdConflictPolicy = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy.Fail };
            await server.Client.StartWorkflowAsync((LedgerWorkflow w) => w.RunAsync(), options);
            await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => server.Client.ExecuteUpdateWithStartWorkflowAsync(
                (LedgerWorkflow w) => w.AddAsync(1), new(WithStartWorkflowOperation.Create((LedgerWorkflow w) => w.RunAsync(), options))));
        });
    }

    private Task WithLedgerAsync(Func<WorkflowHandle<LedgerWorkflow, int>, Task> test) => server.WithWorkerAsync(
        o => o.AddWorkflow<LedgerWorkflow>(),
        async queue => await test(await server.Client.StartWorkflowAsync((LedgerWorkflow w) => w.RunAsync(), new(id: "update-" + queue, taskQueue: queue))));

    [Workflow]
    public class LedgerWorkflow
    {
        private int total;
        private bool open;
        private bool closed;

        [WorkflowRun]
        public async Task<int> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => closed);
            return total;
        }

        [WorkflowUpdate]
        public Task<int> AddAsync(int amount) => Task.FromResult(total += amount);

        [WorkflowUpdateValidator(nameof(AddAsync))]
        public void ValidateAdd(int amount)
        {
            if (amount < 0)
                throw new ApplicationFailureException("negative");
        }

        [WorkflowUpdate]
        public async Task<int> AddWhenOpenAsync(int amount)
        {
            await Workflow.WaitConditionAsync(() => open);
            return total += amount;
        }

        [WorkflowUpdate]
        public async Task BreakAsync()
        {
            await Workflow.DelayAsync(TimeSpan.FromMilliseconds(1));
            throw new ApplicationFailureException("broken");
        }

        [WorkflowSignal]
        public Task OpenAsync()
        {
            open = true;
            return Task.CompletedTask;
        }

        [WorkflowSignal]
        public Task CloseAsync()
        {
            closed = true;
            return Task.CompletedTask;
        }
    }
}
