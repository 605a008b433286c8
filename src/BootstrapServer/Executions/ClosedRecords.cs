using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What lists show of closed runs, as the store keeps it.</summary>
internal static class ClosedRecords
{
    public static ClosedRun Of(long key, ExecutionRecord record) =>
        new(key, new RunName(record.NamespaceId, record.WorkflowId, record.RunId), record.Place(), StateSerializer.Write(record));

    /// <summary>Makes it of the run itself, where an older release did not keep it.</summary>
    public static ClosedRun Of(StoredRun run) => Of(
        run.Key,
        VisibilityFeed.Describe(run.Name, WorkflowExecutionStartedEventAttributes.Parser.ParseFrom(run.Start), StateSerializer.Read<RunState>(run.State)));

    public static ExecutionRecord Read(ClosedRun stored) => StateSerializer.Read<ExecutionRecord>(stored.Record);
}
