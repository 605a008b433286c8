using Google.Protobuf;
using PlatformOps.BootstrapServer.Executions.Completing;
using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Executions.Pausing;

/// <summary>The search attribute by which paused workflows, and workflows with paused activities, are found.</summary>
internal static class PauseInfo
{
    public const string Name = "TemporalPauseInfo";

    /// <summary>Brings the attribute in line with what is paused now.</summary>
    public static void Show(WorkflowRun run)
    {
        List<string> entries = [];
        if (run.State.Pause is { } pause)
        {
            entries.Add($"Workflow:{run.WorkflowId}");
            if (pause.Reason.Length > 0)
                entries.Add($"Reason:{pause.Reason}");
        }
        entries.AddRange(run.Activities.All.Where(a => a.Pause is not null).Select(a => a.Type).Distinct().Select(type => $"property:activityType={type}"));
        var value = new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain"), ["type"] = ByteString.CopyFromUtf8("KeywordList") },
            Data = ByteString.CopyFrom(StateSerializer.Write<IReadOnlyList<string>>(entries)),
        };
        Attributes.Merge(run, new SearchAttributes { IndexedFields = { [Name] = value } });
        run.Touch();
    }

    /// <summary>The attributes that a run hands on to its successor, which is not paused.</summary>
    public static SearchAttributes? Without(SearchAttributes? attributes)
    {
        if (attributes?.IndexedFields.ContainsKey(Name) != true)
            return attributes;
        var rest = attributes.Clone();
        rest.IndexedFields.Remove(Name);
        return rest;
    }
}
