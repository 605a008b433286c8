using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Starting;

public class AttributesTests(SharedServer server)
{
    private static readonly SearchAttributeKey<string> Keyword = SearchAttributeKey.CreateKeyword("TestKeyword");
    private static readonly SearchAttributeKey<long> Number = SearchAttributeKey.CreateLong("TestInt");
    private static readonly SearchAttributeKey<bool> Flag = SearchAttributeKey.CreateBool("TestBool");
    private static readonly SearchAttributeKey<DateTimeOffset> When = SearchAttributeKey.CreateDateTimeOffset("TestDatetime");
    private static readonly SearchAttributeKey<IReadOnlyCollection<string>> List = SearchAttributeKey.CreateKeywordList("TestKeywordList");

    [Fact]
    public async Task Keeps_search_attributes_and_memo_of_the_start_and_what_the_workflow_makes_of_them()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<MarkingWorkflow>(), async queue =>
        {
            var at = new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);
            var handle = await server.Client.StartWorkflowAsync((MarkingWorkflow w) => w.RunAsync(), new(id: "marks-" + queue, taskQueue: queue)
            {
                TypedSearchAttributes = new SearchAttributeCollection.Builder()
                    .Set(Keyword, "start").Set(Number, 1).Set(Flag, true).Set(When, at).Set(List, ["a", "b"]).ToSearchAttributeCollection(),
                Memo = new Dictionary<string, object> { ["kept"] = "yes", ["dropped"] = "soon" },
                StaticSummary = "what it is",
                StaticDetails = "and why",
            });
            await handle.GetResultAsync();

            var described = await handle.DescribeAsync();
            Assert.Equal("changed", described.TypedSearchAttributes.Get(Keyword));
            Assert.False(described.TypedSearchAttributes.ContainsKey(Number));
            Assert.True(described.TypedSearchAttributes.Get(Flag));
            Assert.Equal(at, described.TypedSearchAttributes.Get(When));
            Assert.Equal(["a", "b"], described.TypedSearchAttributes.Get(List));
            Assert.Equal(["added", "kept"], described.Memo.Keys.Order());
            Assert.Equal("yes", await described.Memo["kept"].ToValueAsync<string>());
            Assert.Equal("what it is", await described.GetStaticSummaryAsync());
            Assert.Equal("and why", await described.GetStaticDetailsAsync());
            await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TestKeyword = 'changed' AND WorkflowId = '{handle.Id}'")).Count == 1);
        });
    }

    [Fact]
    public async Task Refuses_a_search_attribute_that_does_not_exist()
    {
        var attributes = new SearchAttributeCollection.Builder().Set(SearchAttributeKey.CreateKeyword("Unheard"), "x").ToSearchAttributeCollection();
        var refused = await Assert.ThrowsAsync<RpcException>(() => server.Client.StartWorkflowAsync(
            (MarkingWorkflow w) => w.RunAsync(), new(id: "unheard-" + Guid.NewGuid(), taskQueue: "nobody") { TypedSearchAttributes = attributes }));
        Assert.Equal(RpcException.StatusCode.InvalidArgument, refused.Code);
        Assert.Contains("Unheard", refused.Message, StringComparison.Ordinal);
    }

    [Workflow]
    public class MarkingWorkflow
    {
        [WorkflowRun]
        public Task RunAsync()
        {
            Workflow.UpsertTypedSearchAttributes(Keyword.ValueSet("changed"), Number.ValueUnset());
            Workflow.UpsertMemo(MemoUpdate.ValueSet("added", 3), MemoUpdate.ValueUnset("dropped"));
            return Task.CompletedTask;
        }
    }
}
