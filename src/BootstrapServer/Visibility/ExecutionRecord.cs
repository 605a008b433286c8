using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>What list, count and scan know about one run. A new one replaces the old whenever the run changes visibly.</summary>
internal sealed record ExecutionRecord
{
    public required string NamespaceId { get; init; }

    public required string WorkflowId { get; init; }

    public required string RunId { get; init; }

    public required string WorkflowType { get; init; }

    public required string TaskQueue { get; init; }

    public required WorkflowExecutionStatus Status { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    /// <summary>When the first workflow task was due: the start time plus start delay, cron or retry interval.</summary>
    public required DateTimeOffset ExecutionTime { get; init; }

    /// <summary>Null while open.</summary>
    public DateTimeOffset? CloseTime { get; init; }

    public long HistoryLength { get; init; }

    public long HistorySizeBytes { get; init; }

    public long StateTransitionCount { get; init; }

    public Memo? Memo { get; init; }

    /// <summary>Custom search attributes and those that the server sets (BuildIds and the like), as encoded payloads.</summary>
    public SearchAttributes? SearchAttributes { get; init; }

    /// <summary>Builds of workers that the run was on, as the real server lists them; null before the first workflow task.</summary>
    public IReadOnlyList<string>? BuildIds { get; init; }

    /// <summary>Null for a run that never met a version of a worker deployment.</summary>
    public VersionAttributes? Version { get; init; }

    public string? ParentWorkflowId { get; init; }

    public string? ParentRunId { get; init; }

    public string? RootWorkflowId { get; init; }

    public string? RootRunId { get; init; }

    /// <summary>The first run of the chain that this run continues.</summary>
    public string FirstRunId { get; init; } = "";

    public ListKey Place() => new((CloseTime ?? DateTimeOffset.MaxValue).UtcTicks, StartTime.UtcTicks, RunId);
}
