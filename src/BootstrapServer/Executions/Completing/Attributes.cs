using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Completing;

/// <summary>Commands that only note something: markers, search attributes, memo.</summary>
internal static class Attributes
{
    public static void RecordMarker(WorkflowRun run, Command command, long completedEventId)
    {
        var asked = command.RecordMarkerCommandAttributes;
        var marker = new MarkerRecordedEventAttributes
        {
            MarkerName = asked.MarkerName,
            WorkflowTaskCompletedEventId = completedEventId,
            Header = asked.Header,
            Failure = asked.Failure,
        };
        marker.Details.Add(asked.Details);
        run.Events.Add(EventType.MarkerRecorded, new HistoryEvent { UserMetadata = command.UserMetadata, MarkerRecordedEventAttributes = marker });
    }

    public static void UpsertSearchAttributes(WorkflowRun run, Command command, long completedEventId)
    {
        var upserted = command.UpsertWorkflowSearchAttributesCommandAttributes.SearchAttributes;
        Merge(run, upserted);
        run.Events.Add(EventType.UpsertWorkflowSearchAttributes, new HistoryEvent
        {
            UpsertWorkflowSearchAttributesEventAttributes = new UpsertWorkflowSearchAttributesEventAttributes
            {
                WorkflowTaskCompletedEventId = completedEventId,
                SearchAttributes = upserted,
            },
        });
    }

    public static void UpsertMemo(WorkflowRun run, Command command, long completedEventId)
    {
        var upserted = command.ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo;
        Merge(run, upserted);
        run.Events.Add(EventType.WorkflowPropertiesModified, new HistoryEvent
        {
            WorkflowPropertiesModifiedEventAttributes = new WorkflowPropertiesModifiedEventAttributes
            {
                WorkflowTaskCompletedEventId = completedEventId,
                UpsertedMemo = upserted,
            },
        });
    }

    public static void Merge(WorkflowRun run, SearchAttributes upserted)
    {
        var merged = run.State.SearchAttributes?.Clone() ?? new SearchAttributes();
        foreach (var (name, value) in upserted.IndexedFields)
            Put(merged.IndexedFields, name, value);
        run.State.SearchAttributes = merged;
        run.VisibleChange = true;
    }

    public static void Merge(WorkflowRun run, Memo upserted)
    {
        var merged = run.State.Memo?.Clone() ?? new Memo();
        foreach (var (name, value) in upserted.Fields)
            Put(merged.Fields, name, value);
        run.State.Memo = merged;
        run.VisibleChange = true;
    }

    /// <summary>A payload that says nothing (null, or an empty list) takes the value away.</summary>
    private static void Put(IDictionary<string, Payload> fields, string name, Payload value)
    {
        var encoding = value.Metadata.TryGetValue("encoding", out var found) ? found.ToStringUtf8() : "";
        if (encoding == "binary/null" || value.Data.IsEmpty || (encoding.StartsWith("json/", StringComparison.Ordinal) && value.Data.ToStringUtf8() is "null" or "[]"))
            fields.Remove(name);
        else
            fields[name] = value;
    }
}
