using Google.Protobuf;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Starting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>The workflow that a scheduled action starts.</summary>
internal static class ScheduledStart
{
    /// <summary>Set on every workflow that a schedule starts; how the schedule hears of its end.</summary>
    public const string ScheduledById = "TemporalScheduledById";

    private const string ScheduledStartTime = "TemporalScheduledStartTime";

    public static StartRequest Of(StoredSchedule state, BufferedAction action)
    {
        var asked = Request(state.Schedule.Action.StartWorkflow);
        var time = action.Nominal.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        if (!state.Schedule.Policies.KeepOriginalWorkflowId)
            asked.WorkflowId = $"{asked.WorkflowId}-{time}";
        asked.RequestId = action.RequestId;
        asked.Identity = "temporal-scheduler";
        asked.LastCompletionResult = state.LastResult;
        asked.ContinuedFailure = state.LastFailure;
        asked.SearchAttributes = asked.SearchAttributes?.Clone() ?? new SearchAttributes();
        asked.SearchAttributes.IndexedFields[ScheduledById] = Typed(state.ScheduleId, "Keyword");
        asked.SearchAttributes.IndexedFields[ScheduledStartTime] = Typed(time, "Datetime");
        return StartRequest.From(asked);
    }

    /// <summary>The action as a start, for the checks that a start has to pass.</summary>
    public static StartWorkflowExecutionRequest Request(NewWorkflowExecutionInfo action) => new()
    {
        WorkflowId = action.WorkflowId,
        WorkflowType = action.WorkflowType,
        TaskQueue = action.TaskQueue,
        Input = action.Input,
        WorkflowExecutionTimeout = action.WorkflowExecutionTimeout,
        WorkflowRunTimeout = action.WorkflowRunTimeout,
        WorkflowTaskTimeout = action.WorkflowTaskTimeout,
        RetryPolicy = action.RetryPolicy,
        Memo = action.Memo,
        SearchAttributes = action.SearchAttributes,
        Header = action.Header,
        UserMetadata = action.UserMetadata,
        VersioningOverride = action.VersioningOverride,
        Priority = action.Priority,
    };

    private static Payload Typed(string text, string type)
    {
        var payload = JsonPayload.Single(text);
        payload.Metadata["type"] = ByteString.CopyFromUtf8(type);
        return payload;
    }
}
