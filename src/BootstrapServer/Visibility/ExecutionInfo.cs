using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>A record as lists and descriptions show it.</summary>
internal static class ExecutionInfo
{
    public static WorkflowExecutionInfo Of(ExecutionRecord record, SearchAttributeRegistry registry) => new()
    {
        Execution = new WorkflowExecution { WorkflowId = record.WorkflowId, RunId = record.RunId },
        Type = new WorkflowType { Name = record.WorkflowType },
        TaskQueue = record.TaskQueue,
        Status = record.Status,
        StartTime = record.StartTime.ToTimestamp(),
        ExecutionTime = record.ExecutionTime.ToTimestamp(),
        CloseTime = record.CloseTime?.ToTimestamp(),
        ExecutionDuration = record.CloseTime is { } closed ? Duration.FromTimeSpan(closed - record.ExecutionTime) : null,
        HistoryLength = record.HistoryLength,
        HistorySizeBytes = record.HistorySizeBytes,
        StateTransitionCount = record.StateTransitionCount,
        Memo = record.Memo ?? new Memo(),
        SearchAttributes = Typed(record.NamespaceId, (record.SearchAttributes?.IndexedFields ?? []).Concat(VersionAttributes.Shown(record)), registry),
        ParentExecution = record.ParentWorkflowId is null ? null : new WorkflowExecution { WorkflowId = record.ParentWorkflowId, RunId = record.ParentRunId },
        ParentNamespaceId = record.ParentWorkflowId is null ? "" : record.NamespaceId,
        RootExecution = new WorkflowExecution { WorkflowId = record.RootWorkflowId ?? record.WorkflowId, RunId = record.RootRunId ?? record.RunId },
        FirstRunId = record.FirstRunId,
    };

    /// <summary>The values, each with the type that SDKs decode it by; values that were taken away are left out.</summary>
    public static SearchAttributes Typed(string namespaceId, SearchAttributes? values, SearchAttributeRegistry registry) => Typed(namespaceId, values?.IndexedFields ?? [], registry);

    private static SearchAttributes Typed(string namespaceId, IEnumerable<KeyValuePair<string, Payload>> values, SearchAttributeRegistry registry)
    {
        var typed = new SearchAttributes();
        foreach (var (name, payload) in values)
        {
            if (payload.Data.IsEmpty || payload.Data.Span.SequenceEqual("null"u8) || payload.Data.Span.SequenceEqual("[]"u8))
                continue;
            var shown = payload.Clone();
            if (registry.TypeOf(namespaceId, name) is { } type)
                shown.Metadata["type"] = ByteString.CopyFromUtf8(type.ToString());
            typed.IndexedFields[name] = shown;
        }
        return typed;
    }
}
