using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Batches;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Visibility.Filtering;
using Temporalio.Api.Batch.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>One operation on many workflows.</summary>
internal sealed class BatchCalls(Engine engine, BatchDirectory batches, VisibilityIndex index) : IProtocolCalls
{
    private const int LargestPage = 1000;

    /// <summary>What a request may name itself; more are selected by a query. The limit of the real server.</summary>
    private const int MostNamed = 1000;

    public string Service => WorkflowServiceName.Name;

    public async Task<StartBatchOperationResponse> StartBatchOperation(StartBatchOperationRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        BatchRequest.Check(request);
        await batches.StartAsync(
            ns,
            new StoredBatch { NamespaceId = ns.Id, JobId = request.JobId, StartTime = engine.Clock.GetUtcNow(), Encoded = request.ToByteArray() },
            await TargetsAsync(ns, request));
        return new StartBatchOperationResponse();
    }

    public async Task<StopBatchOperationResponse> StopBatchOperation(StopBatchOperationRequest request, ServerCallContext context)
    {
        if (request.Reason.Length == 0)
            throw ServiceError.InvalidArgument("Reason is not set on request.");
        if (!await Find(request.Namespace, request.JobId).StopAsync())
            throw ServiceError.NotFound("workflow execution already completed");
        return new StopBatchOperationResponse();
    }

    public async Task<DescribeBatchOperationResponse> DescribeBatchOperation(DescribeBatchOperationRequest request, ServerCallContext context)
    {
        var batch = Find(request.Namespace, request.JobId);
        var (asked, progress) = (batch.Stored.Request, batch.Progress);
        await engine.Store.Flushed();
        return new DescribeBatchOperationResponse
        {
            JobId = asked.JobId,
            OperationType = BatchRequest.TypeOf(asked),
            State = progress.State,
            StartTime = batch.Stored.StartTime.ToTimestamp(),
            CloseTime = progress.CloseTime?.ToTimestamp(),
            TotalOperationCount = progress.Total,
            CompleteOperationCount = progress.Complete,
            FailureOperationCount = progress.Failed,
            Identity = BatchRequest.IdentityOf(asked),
            Reason = asked.Reason,
            Query = asked.VisibilityQuery,
            Executions = { BatchRequest.Named(asked) },
        };
    }

    public async Task<ListBatchOperationsResponse> ListBatchOperations(ListBatchOperationsRequest request, ServerCallContext context)
    {
        var all = batches.Of(engine.Namespaces.Get(request.Namespace));
        var skip = 0;
        if (!request.NextPageToken.IsEmpty && !int.TryParse(request.NextPageToken.ToStringUtf8(), NumberStyles.None, CultureInfo.InvariantCulture, out skip))
            throw ServiceError.InvalidArgument("Invalid NextPageToken: it does not come from a list call of this server.");
        var size = request.PageSize is > 0 and <= LargestPage ? request.PageSize : LargestPage;
        await engine.Store.Flushed();
        var response = new ListBatchOperationsResponse { OperationInfo = { all.Skip(skip).Take(size).Select(Info) } };
        if (skip + size < all.Count)
            response.NextPageToken = ByteString.CopyFromUtf8((skip + size).ToString(CultureInfo.InvariantCulture));
        return response;
    }

    private static BatchOperationInfo Info(LiveBatch batch)
    {
        var progress = batch.Progress;
        return new BatchOperationInfo
        {
            JobId = batch.Stored.JobId,
            State = progress.State,
            StartTime = batch.Stored.StartTime.ToTimestamp(),
            CloseTime = progress.CloseTime?.ToTimestamp(),
            OperationType = BatchRequest.TypeOf(batch.Stored.Request),
        };
    }

    private async Task<IReadOnlyList<BatchTarget>> TargetsAsync(Namespace ns, StartBatchOperationRequest request)
    {
        if (request.VisibilityQuery.Length == 0)
        {
            List<BatchTarget> named = [.. BatchRequest.Named(request).Select(e => new BatchTarget(e.BusinessId, e.RunId))];
            return named.Count <= MostNamed
                ? named
                : throw ServiceError.InvalidArgument($"batch executions count exceeded: {named.Count} of {MostNamed}; use a visibility query");
        }
        NamespaceFilter.Parse(engine.SearchAttributes, ns, request.VisibilityQuery);
        var filter = NamespaceFilter.Parse(engine.SearchAttributes, ns, BatchRequest.Filter(request));
        await engine.Store.Flushed();
        return [.. index.Matches(ns.Id, filter).Select(r => new BatchTarget(r.WorkflowId, r.RunId))];
    }

    private LiveBatch Find(string namespaceName, string jobId)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        if (jobId.Length == 0)
            throw ServiceError.InvalidArgument("JobId is not set on request.");
        return batches.Get(ns, jobId);
    }
}
