using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Determinism;

public class ContinueAsNewTests(SharedServer server)
{
    private static readonly SearchAttributeKey<string> Keyword = SearchAttributeKey.CreateKeyword("TestKeyword");

    [Fact]
    public async Task Continues_with_new_input_and_carries_memo_and_search_attributes()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<RelayWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((RelayWorkflow w) => w.RunAsync(2), new(id: "relay-" + queue, taskQueue: queue)
            {
                Memo = new Dictionary<string, object> { ["kept"] = "memo" },
                TypedSearchAttributes = new SearchAttributeCollection.Builder().Set(Keyword, "before").ToSearchAttributeCollection(),
            });
            Assert.Equal("arrived", await handle.GetResultAsync());
            var latest = await server.Client.GetWorkflowHandle(handle.Id).DescribeAsync();
            Assert.NotEqual(handle.ResultRunId, latest.RunId);
            Assert.Equal("memo", await latest.Memo["kept"].ToValueAsync<string>());
            Assert.Equal("after", latest.TypedSearchAttributes.Get(Keyword));
            var started = (await server.Client.GetWorkflowHandle(handle.Id).EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
            Assert.Equal((handle.ResultRunId, ContinueAsNewInitiator.Workflow), (started.FirstExecutionRunId, started.Initiator));
            Assert.Equal(WorkflowExecutionStatus.ContinuedAsNew, (await server.Client.GetWorkflowHandle(handle.Id, handle.ResultRunId).DescribeAsync()).Status);
        });
    }

    [Fact]
    public async Task Loses_no_signal_between_the_runs()
    {
        const int signals = 200;
        await server.WithWorkerAsync(o => o.AddWorkflow<SwallowingWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((SwallowingWorkflow w) => w.RunAsync(0, signals), new(id: "swallow-" + queue, taskQueue: queue));
            var latest = server.Client.GetWorkflowHandle<SwallowingWorkflow>(handle.Id);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
            {
                for (var i = 0; i < signals / 4; i++)
                    await latest.SignalAsync(w => w.CountAsync());
            }));
            Assert.Equal(signals, await handle.GetResultAsync());
        });
    }

    [Workflow]
    public class RelayWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(int left)
        {
            Workflow.UpsertTypedSearchAttributes(Keyword.ValueSet("after"));
            return left > 0
                ? throw Workflow.CreateContinueAsNewException((RelayWorkflow w) => w.RunAsync(left - 1))
                : Task.FromResult("arrived");
        }
    }

    [Workflow]
    public class SwallowingWorkflow
    {
        private int count;

        [WorkflowRun]
        public async Task<int> RunAsync(int before, int until)
        {
            count += before;
            await Workflow.WaitConditionAsync(() => count > before);
            await Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished);
            return count >= until ? count : throw Workflow.CreateContinueAsNewException((SwallowingWorkflow w) => w.RunAsync(count, until));
        }

        [WorkflowSignal]
        public Task CountAsync()
        {
            count++;
            return Task.CompletedTask;
        }
    }
}
