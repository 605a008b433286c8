using Google.Protobuf;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Visibility.Filtering;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Lists and counts of executions, by filter.</summary>
internal sealed class VisibilityCalls(Engine engine, VisibilityIndex index) : IProtocolCalls
{
    private const int LargestPage = 1000;

    public string Service => WorkflowServiceName.Name;

    public async Task<ListWorkflowExecutionsResponse> ListWorkflowExecutions(ListWorkflowExecutionsRequest request, ServerCallContext context)
    {
        var (executions, next) = await PageAsync(request.Namespace, request.Query, request.NextPageToken, request.PageSize);
        return new ListWorkflowExecutionsResponse { Executions = { executions }, NextPageToken = next };
    }

    public async Task<ScanWorkflowExecutionsResponse> ScanWorkflowExecutions(ScanWorkflowExecutionsRequest request, ServerCallContext context)
    {
        var (executions, next) = await PageAsync(request.Namespace, request.Query, request.NextPageToken, request.PageSize);
        return new ScanWorkflowExecutionsResponse { Executions = { executions }, NextPageToken = next };
    }

    public async Task<CountWorkflowExecutionsResponse> CountWorkflowExecutions(CountWorkflowExecutionsRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        var filter = NamespaceFilter.Parse(engine.SearchAttributes, ns, request.Query);
        if (filter.OrderBy.Count > 0)
            throw ServiceError.InvalidArgument("invalid query: operation is not supported: 'ORDER BY' clause in a count");
        await engine.Store.Flushed();
        var matches = index.Matches(ns.Id, filter);
        if (filter.GroupBy is not { } field)
            return new CountWorkflowExecutionsResponse { Count = matches.LongCount() };
        var groups = matches.GroupBy(field.Read).Select(g => (Value: (string?)g.Key, Count: g.LongCount())).OrderByDescending(g => g.Count).ToList();
        var response = new CountWorkflowExecutionsResponse { Count = groups.Sum(g => g.Count) };
        foreach (var (value, count) in groups)
            response.Groups.Add(new CountWorkflowExecutionsResponse.Types.AggregationGroup { Count = count, GroupValues = { GroupValue(value) } });
        return response;
    }

    public async Task<ListOpenWorkflowExecutionsResponse> ListOpenWorkflowExecutions(ListOpenWorkflowExecutionsRequest request, ServerCallContext context)
    {
        var query = ShortcutQuery.Open(request);
        var (executions, next) = await PageAsync(request.Namespace, query, request.NextPageToken, request.MaximumPageSize);
        return new ListOpenWorkflowExecutionsResponse { Executions = { executions }, NextPageToken = next };
    }

    public async Task<ListClosedWorkflowExecutionsResponse> ListClosedWorkflowExecutions(ListClosedWorkflowExecutionsRequest request, ServerCallContext context)
    {
        var query = ShortcutQuery.Closed(request);
        var (executions, next) = await PageAsync(request.Namespace, query, request.NextPageToken, request.MaximumPageSize);
        return new ListClosedWorkflowExecutionsResponse { Executions = { executions }, NextPageToken = next };
    }

    /// <summary>Nothing is archived: what retention ended is gone.</summary>
    public static Task<ListArchivedWorkflowExecutionsResponse> ListArchivedWorkflowExecutions(ListArchivedWorkflowExecutionsRequest request, ServerCallContext context) =>
        throw ServiceError.InvalidArgument("Cluster is not configured for visibility archival.");

    public Task<GetSearchAttributesResponse> GetSearchAttributes(GetSearchAttributesRequest request, ServerCallContext context)
    {
        var response = new GetSearchAttributesResponse();
        foreach (var (name, type) in engine.SearchAttributes.All)
            response.Keys[name] = type;
        return Task.FromResult(response);
    }

    private async Task<(IEnumerable<WorkflowExecutionInfo> Executions, ByteString Next)> PageAsync(string namespaceName, string query, ByteString token, int size)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        var filter = NamespaceFilter.Parse(engine.SearchAttributes, ns, query);
        if (filter.GroupBy is not null)
            throw ServiceError.InvalidArgument("invalid query: operation is not supported: 'GROUP BY' clause in a list");
        await engine.Store.Flushed();
        var (records, next) = index.Page(ns.Id, filter, ListToken.Decode(token), size is > 0 and <= LargestPage ? size : LargestPage);
        return (records.Select(r => ExecutionInfo.Of(r, engine.SearchAttributes)), next?.Encode() ?? ByteString.Empty);
    }

    private static Payload GroupValue(string? value)
    {
        var payload = value is null ? new Payload { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("binary/null") } } : JsonPayload.Single(value);
        payload.Metadata["type"] = ByteString.CopyFromUtf8(nameof(IndexedValueType.Keyword));
        return payload;
    }
}
