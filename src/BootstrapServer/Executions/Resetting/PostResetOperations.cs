using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>What a caller wants to happen to the new run before its first workflow task. The real server knows one such thing: other options.</summary>
internal static class PostResetOperations
{
    private const string VersioningOverride = "versioning_override";
    private const string Priority = "priority";

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT for what cannot be done.</exception>
    public static void Check(IEnumerable<PostResetOperation> operations)
    {
        foreach (var operation in operations)
        {
            if (operation.VariantCase != PostResetOperation.VariantOneofCase.UpdateWorkflowOptions)
                throw ServiceError.InvalidArgument($"unsupported post reset operation: {operation.VariantCase}");
            var mask = operation.UpdateWorkflowOptions.UpdateMask ?? new FieldMask();
            if (!FieldMask.IsValid<WorkflowExecutionOptions>(mask))
                throw ServiceError.InvalidArgument($"error applying update_options: invalid paths in {mask}");
            if (mask.Paths.Any(p => p.StartsWith(VersioningOverride + ".", StringComparison.Ordinal)))
                throw ServiceError.InvalidArgument("error applying update_options: versioning_override doesn't support partial updates");
        }
    }

    public static void Apply(WorkflowRun run, IEnumerable<PostResetOperation> operations)
    {
        foreach (var operation in operations)
            Update(run, operation.UpdateWorkflowOptions);
    }

    private static void Update(WorkflowRun run, PostResetOperation.Types.UpdateWorkflowOptions asked)
    {
        var (mask, options) = (asked.UpdateMask ?? new FieldMask(), asked.WorkflowExecutionOptions ?? new WorkflowExecutionOptions());
        var merged = new WorkflowExecutionOptions { Priority = run.State.Priority?.Clone(), VersioningOverride = run.State.Versioning?.Info.VersioningOverride?.Clone() };
        mask.Merge(options, merged, new FieldMask.MergeOptions { ReplaceMessageFields = true });
        var updated = new WorkflowExecutionOptionsUpdatedEventAttributes
        {
            VersioningOverride = merged.VersioningOverride,
            UnsetVersioningOverride = merged.VersioningOverride is null,
            Priority = merged.Priority ?? (mask.Paths.Contains(Priority) ? new Priority() : null),
        };
        Incoming.AddOptions(run, updated, []);
        run.Events.Flush();
    }
}
