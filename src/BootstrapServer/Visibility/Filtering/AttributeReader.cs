using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>Reads one attribute, of the system or custom, from a record.</summary>
internal sealed record AttributeReader(string Name, IndexedValueType Type)
{
    private static readonly IReadOnlyDictionary<string, Func<ExecutionRecord, object?>> System = new Dictionary<string, Func<ExecutionRecord, object?>>
    {
        ["WorkflowId"] = r => r.WorkflowId,
        ["RunId"] = r => r.RunId,
        ["WorkflowType"] = r => r.WorkflowType,
        ["StartTime"] = r => r.StartTime,
        ["ExecutionTime"] = r => r.ExecutionTime,
        ["CloseTime"] = r => r.CloseTime,
        ["ExecutionStatus"] = r => r.Status.ToString(),
        ["TaskQueue"] = r => r.TaskQueue,
        ["HistoryLength"] = r => r.CloseTime is null ? null : r.HistoryLength,
        ["HistorySizeBytes"] = r => r.CloseTime is null ? null : r.HistorySizeBytes,
        ["StateTransitionCount"] = r => r.CloseTime is null ? null : r.StateTransitionCount,
        ["ExecutionDuration"] = r => r.CloseTime is { } closed ? (closed - r.ExecutionTime).Ticks * TimeSpan.NanosecondsPerTick : null,
        ["ParentWorkflowId"] = r => r.ParentWorkflowId,
        ["ParentRunId"] = r => r.ParentRunId,
        ["RootWorkflowId"] = r => r.RootWorkflowId ?? r.WorkflowId,
        ["BuildIds"] = r => r.BuildIds,
        ["TemporalWorkerDeployment"] = r => r.Version?.Deployment,
        ["TemporalWorkerDeploymentVersion"] = r => r.Version?.Version,
        ["TemporalWorkflowVersioningBehavior"] = r => r.Version?.Behavior,
        ["TemporalUsedWorkerDeploymentVersions"] = r => r.Version?.Used,
        ["RootRunId"] = r => r.RootRunId ?? r.RunId,
    };

    private readonly Func<ExecutionRecord, object?>? system = System.GetValueOrDefault(Name);

    /// <summary>The value, or null when the record has none.</summary>
    public object? Read(ExecutionRecord record)
    {
        if (system is not null)
            return system(record);
        return record.SearchAttributes is { } custom && custom.IndexedFields.TryGetValue(Name, out var payload)
            ? AttributeValues.Decode(payload, Type)
            : null;
    }
}
