using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Changes the options of a run that operators may change while it runs: its version override and its priority.</summary>
internal static class WorkflowOptions
{
    /// <exception cref="RpcException">The run is closed, or the change makes no sense.</exception>
    public static UpdateWorkflowExecutionOptionsResponse Update(WorkflowRun run, WorkflowExecutionOptions? given, FieldMask mask, string identity)
    {
        run.RequireOpen();
        var now = new WorkflowExecutionOptions { VersioningOverride = run.State.Versioning?.Info.VersioningOverride?.Clone(), Priority = run.State.Priority?.Clone() };
        var asked = given ?? new WorkflowExecutionOptions();
        var wanted = Merge(now.Clone(), asked, mask, FilledIn(run, asked.VersioningOverride));
        var response = new UpdateWorkflowExecutionOptionsResponse { WorkflowExecutionOptions = Shown(wanted) };
        if (wanted.Equals(now))
            return response;
        VersioningOverrides.Check(wanted.VersioningOverride, run.Engine.Deployments.RouteOf(run), run.TaskQueue);
        var updated = new WorkflowExecutionOptionsUpdatedEventAttributes
        {
            VersioningOverride = wanted.VersioningOverride,
            UnsetVersioningOverride = wanted.VersioningOverride is null,
            Priority = wanted.Priority,
            Identity = identity,
        };
        Incoming.AddOptions(run, updated, []);
        response.UpdateTime = Timestamp.FromDateTimeOffset(run.Now);
        return response;
    }

    /// <summary>An override that pins without saying where pins to where the run is pinned already.</summary>
    private static VersioningOverride? FilledIn(WorkflowRun run, VersioningOverride? asked)
    {
        if (asked?.Pinned is not { Behavior: not VersioningOverride.Types.PinnedOverrideBehavior.Unspecified, Version: null })
            return asked is { OverrideCase: VersioningOverride.OverrideOneofCase.None } ? VersioningOverrides.Current(asked) ?? asked : asked;
        if (run.State.Versioning?.Pinned is not { } pinned)
        {
            throw ServiceError.FailedPrecondition(
                $"must specify a specific pinned override version because workflow with id {run.WorkflowId} has behavior {run.State.Versioning?.Behavior ?? VersioningBehavior.Unspecified} and is not yet pinned to any version");
        }
        var filled = asked.Clone();
        filled.Pinned.Version = pinned.ToMessage();
        return filled;
    }

    private static WorkflowExecutionOptions Merge(WorkflowExecutionOptions into, WorkflowExecutionOptions from, FieldMask mask, VersioningOverride? given)
    {
        foreach (var path in mask.Paths.Select(Snake))
        {
            switch (path)
            {
                case "versioning_override":
                    into.VersioningOverride = given;
                    break;
                case "versioning_override.behavior" or "versioning_override.deployment":
                    if (!mask.Paths.Select(Snake).Contains(path.EndsWith("behavior", StringComparison.Ordinal) ? "versioning_override.deployment" : "versioning_override.behavior"))
                        throw Refused("versioning_override fields must be updated together");
                    into.VersioningOverride = given;
                    break;
                case "priority":
                    into.Priority = from.Priority;
                    break;
                case "priority.priority_key":
                    (into.Priority ??= new Priority()).PriorityKey = from.Priority?.PriorityKey ?? 0;
                    break;
                case "priority.fairness_key":
                    (into.Priority ??= new Priority()).FairnessKey = from.Priority?.FairnessKey ?? "";
                    break;
                case "priority.fairness_weight":
                    (into.Priority ??= new Priority()).FairnessWeight = from.Priority?.FairnessWeight ?? 0;
                    break;
                case var part when part.StartsWith("versioning_override.", StringComparison.Ordinal):
                    throw Refused("versioning_override doesn't support partial updates");
                case var time when time.StartsWith("time_skipping_config", StringComparison.Ordinal):
                    throw ServiceError.Unimplemented("UpdateWorkflowExecutionOptions with a time skipping configuration");
                default:
                    throw Refused($"invalid path \"{path}\" for message WorkflowExecutionOptions");
            }
        }
        return into;
    }

    private static RpcException Refused(string why) => ServiceError.InvalidArgument($"error applying update_options: {why}");

    private static WorkflowExecutionOptions Shown(WorkflowExecutionOptions options)
    {
        var shown = options.Clone();
        if (shown.VersioningOverride is { } given)
            shown.VersioningOverride = VersioningOverrides.WithOldFields(given);
        return shown;
    }

    /// <summary>Clients write paths as the protocol names fields, or as JSON does.</summary>
    private static string Snake(string path) => string.Concat(path.Select(c => char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{c}"));
}
