using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Operators;

/// <summary>What <c>temporal operator search-attribute</c> and <c>temporal operator cluster</c> ask for.</summary>
public class OperatorTests(SharedServer server)
{
    private OperatorService Calls => server.Client.OperatorService;

    [Fact]
    public async Task A_custom_search_attribute_belongs_to_its_namespace()
    {
        var (one, other) = (await NamespaceAsync(), await NamespaceAsync());
        await Calls.AddSearchAttributesAsync(new() { Namespace = one, SearchAttributes = { ["Owner"] = IndexedValueType.Keyword } });
        await Calls.AddSearchAttributesAsync(new() { Namespace = one, SearchAttributes = { ["Owner"] = IndexedValueType.Keyword } });
        await Calls.AddSearchAttributesAsync(new() { Namespace = other, SearchAttributes = { ["Owner"] = IndexedValueType.Int } });
        Assert.Equal(IndexedValueType.Keyword, Assert.Single((await Calls.ListSearchAttributesAsync(new() { Namespace = one })).CustomAttributes).Value);
        Assert.Equal(IndexedValueType.Int, Assert.Single((await Calls.ListSearchAttributesAsync(new() { Namespace = other })).CustomAttributes).Value);
        var (first, second) = (await ClientAsync(one), await ClientAsync(other));
        var attributes = new SearchAttributeCollection.Builder().Set(SearchAttributeKey.CreateKeyword("Owner"), "me").ToSearchAttributeCollection();
        await Wait.UntilAsync(async () => !await Wait.FailsAsync(() => StartAsync(first)));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => StartAsync(second));
        await Wait.UntilAsync(async () => (await first.CountWorkflowsAsync("Owner = 'me'")).Count == 1);
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => second.CountWorkflowsAsync("Owner = 'me'"));

        await Calls.RemoveSearchAttributesAsync(new() { Namespace = one, SearchAttributes = { "Owner", "NeverThere" } });
        Assert.Empty((await Calls.ListSearchAttributesAsync(new() { Namespace = one })).CustomAttributes);
        Assert.Single((await Calls.ListSearchAttributesAsync(new() { Namespace = other })).CustomAttributes);
        await Wait.UntilAsync(() => Wait.FailsAsync(() => first.CountWorkflowsAsync("Owner = 'me'")));

        Task StartAsync(ITemporalClient client) => client.StartWorkflowAsync(
            (WaitingWorkflow w) => w.RunAsync(), new("owned", "nobody") { TypedSearchAttributes = attributes, IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting });
    }

    [Fact]
    public async Task The_servers_own_search_attributes_are_listed_and_stay_as_they_are()
    {
        var listed = await Calls.ListSearchAttributesAsync(new() { Namespace = "default" });
        Assert.Equal(IndexedValueType.Datetime, listed.SystemAttributes["CloseTime"]);
        Assert.Equal(IndexedValueType.KeywordList, listed.SystemAttributes["BuildIds"]);
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.AddSearchAttributesAsync(new() { Namespace = "default", SearchAttributes = { ["WorkflowId"] = IndexedValueType.Keyword } }));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.RemoveSearchAttributesAsync(new() { Namespace = "default", SearchAttributes = { "WorkflowId" } }));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.AddSearchAttributesAsync(new() { Namespace = "default" }));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.ListSearchAttributesAsync(new()));
        var keys = (await server.Client.WorkflowService.GetSearchAttributesAsync(new())).Keys;
        Assert.Equal(IndexedValueType.Keyword, keys["WorkflowType"]);
    }

    [Fact]
    public async Task There_is_one_cluster_that_knows_schedules_and_archives_nothing()
    {
        var cluster = Assert.Single((await Calls.ListClustersAsync(new())).Clusters);
        var info = await server.Client.WorkflowService.GetClusterInfoAsync(new());
        Assert.Equal((info.ClusterName, info.ClusterId, info.HistoryShardCount), (cluster.ClusterName, cluster.ClusterId, cluster.HistoryShardCount));
        Assert.Equal(cluster.ClusterName, (await server.Client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = "default" })).ReplicationConfig.ActiveClusterName);
        Assert.True((await server.Client.WorkflowService.GetSystemInfoAsync(new())).Capabilities.SupportsSchedules);
        Assert.True(await server.Client.Connection.CheckHealthAsync());
        var error = await Assert.ThrowsAsync<RpcException>(() => server.Client.WorkflowService.ListArchivedWorkflowExecutionsAsync(new() { Namespace = "default" }));
        Assert.Equal(RpcException.StatusCode.InvalidArgument, error.Code);
        Assert.Contains("not configured for visibility archival", error.Message);
    }

    private async Task<string> NamespaceAsync()
    {
        var name = "operated-" + Guid.NewGuid();
        await server.Client.WorkflowService.RegisterNamespaceAsync(new() { Namespace = name, WorkflowExecutionRetentionPeriod = Duration.FromTimeSpan(TimeSpan.FromDays(1)) });
        return name;
    }

    private async Task<ITemporalClient> ClientAsync(string name) => await TemporalClient.ConnectAsync(new(server.Address) { Namespace = name });
}
