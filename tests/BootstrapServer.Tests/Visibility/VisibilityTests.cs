using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Visibility;

public class VisibilityTests(SharedServer server)
{
    private static readonly SearchAttributeKey<string> Keyword = SearchAttributeKey.CreateKeyword("TestKeyword");
    private static readonly SearchAttributeKey<long> Number = SearchAttributeKey.CreateLong("TestInt");

    [Fact]
    public async Task Lists_counts_and_pages_what_a_filter_selects()
    {
        var mark = Guid.NewGuid().ToString();
        for (var i = 0; i < 5; i++)
        {
            var attributes = new SearchAttributeCollection.Builder().Set(Keyword, mark).Set(Number, i).ToSearchAttributeCollection();
            var handle = await server.Client.StartWorkflowAsync(
                (IdleWorkflow w) => w.RunAsync(), new($"list-{i}-{mark}", "nobody-" + mark) { TypedSearchAttributes = attributes });
            if (i > 2)
                await handle.TerminateAsync("enough");
        }
        var query = $"TestKeyword = '{mark}'";
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync(query + " AND ExecutionStatus = 'Terminated'")).Count == 2);

        Assert.Equal(5, (await server.Client.CountWorkflowsAsync(query)).Count);
        Assert.Equal(3, (await server.Client.CountWorkflowsAsync(query + " AND CloseTime IS NULL AND TestInt BETWEEN 0 AND 9")).Count);
        var groups = (await server.Client.CountWorkflowsAsync(query + " GROUP BY ExecutionStatus")).Groups;
        Assert.Equal(["Running 3", "Terminated 2"], groups.Select(g => $"{g.GroupValues.Single()} {g.Count}"));

        var listed = new List<WorkflowExecution>();
        byte[]? token = null;
        do
        {
            var page = await server.Client.ListWorkflowsPaginatedAsync(query, token, new() { PageSize = 2 });
            Assert.InRange(page.Workflows.Count, 1, 2);
            listed.AddRange(page.Workflows);
            token = page.NextPageToken is { Length: > 0 } next ? next : null;
        }
        while (token is not null);
        Assert.Equal([2, 1, 0, 4, 3], listed.Select(w => w.TypedSearchAttributes.Get(Number)));
    }

    [Fact]
    public async Task Refuses_a_filter_with_the_reason()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => server.Client.CountWorkflowsAsync("Nothing = 1"));
        Assert.Equal(RpcException.StatusCode.InvalidArgument, error.Code);
        Assert.Contains("'Nothing' is not a valid search attribute", error.Message);
    }

    [Fact]
    public async Task A_search_attribute_exists_from_its_addition_to_its_removal()
    {
        var name = "Added" + Guid.NewGuid().ToString("N");
        var operators = server.Client.OperatorService;
        await operators.AddSearchAttributesAsync(new() { Namespace = "default", SearchAttributes = { [name] = Temporalio.Api.Enums.V1.IndexedValueType.Keyword } });
        await Wait.UntilAsync(async () => (await operators.ListSearchAttributesAsync(new() { Namespace = "default" })).CustomAttributes.ContainsKey(name));
        await operators.RemoveSearchAttributesAsync(new() { Namespace = "default", SearchAttributes = { name } });
        await Wait.UntilAsync(async () => !(await operators.ListSearchAttributesAsync(new() { Namespace = "default" })).CustomAttributes.ContainsKey(name));
    }

    [Fact]
    public async Task A_deleted_run_is_gone()
    {
        var id = "delete-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((IdleWorkflow w) => w.RunAsync(), new(id, "nobody-" + id));
        await server.Client.WorkflowService.DeleteWorkflowExecutionAsync(new() { Namespace = "default", WorkflowExecution = new() { WorkflowId = id } });
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"WorkflowId = '{id}'")).Count == 0);
        var error = await Assert.ThrowsAsync<RpcException>(() => handle.DescribeAsync());
        Assert.Equal(RpcException.StatusCode.NotFound, error.Code);
    }

    [Fact]
    public async Task A_deleted_namespace_takes_its_runs_with_it()
    {
        var name = "gone-" + Guid.NewGuid();
        await server.Client.WorkflowService.RegisterNamespaceAsync(new()
        {
            Namespace = name,
            WorkflowExecutionRetentionPeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(1)),
        });
        var inside = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = name });
        await inside.StartWorkflowAsync((IdleWorkflow w) => w.RunAsync(), new("inside", "nobody"));
        await inside.OperatorService.DeleteNamespaceAsync(new() { Namespace = name });
        await Wait.UntilAsync(async () => await Wait.FailsAsync(() => inside.WorkflowService.DescribeNamespaceAsync(new() { Namespace = name })));
    }

    [Workflow]
    public class IdleWorkflow
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.WaitConditionAsync(() => false);
    }
}
