using System.Text.Json.Serialization;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Batches;

/// <summary>What one batch operation is to do. Written once.</summary>
internal sealed class StoredBatch
{
    public string NamespaceId { get; set; } = "";

    public string JobId { get; set; } = "";

    public DateTimeOffset StartTime { get; set; }

    /// <summary>The request, serialised.</summary>
    public byte[] Encoded { get; set; } = [];

    /// <summary>The operation, its reason and its selection, as its caller sent them.</summary>
    [JsonIgnore]
    public StartBatchOperationRequest Request => field ??= StartBatchOperationRequest.Parser.ParseFrom(Encoded);
}

/// <summary>How far a batch operation is. Written after each execution: what is counted here is never done again.</summary>
internal sealed class BatchProgress
{
    public BatchOperationState State { get; set; } = BatchOperationState.Running;

    public DateTimeOffset? CloseTime { get; set; }

    public int Total { get; set; }

    /// <summary>Executions that the operation was applied to, or that no longer needed it.</summary>
    public int Complete { get; set; }

    /// <summary>Executions that refused it.</summary>
    public int Failed { get; set; }
}

/// <summary>One piece of the executions that a batch operation was started for, in their order.</summary>
internal sealed class BatchTargets
{
    public List<BatchTarget> Executions { get; set; } = [];
}

/// <summary>One execution that a batch operation applies to.</summary>
/// <param name="RunId">Empty for the latest run.</param>
internal readonly record struct BatchTarget(string WorkflowId, string RunId);
