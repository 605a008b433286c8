using Google.Protobuf;
using PlatformOps.BootstrapServer.Executions.Completing;
using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The search attribute by which workflows are found whose workflow tasks keep failing. It says what the first of them failed with, and goes when one completes.</summary>
internal static class ReportedProblems
{
    public const string Name = "TemporalReportedProblems";

    /// <summary>The real server's default: so many failures and timeouts in a row count as a problem (<c>system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute</c>). One at a sticky worker is not counted.</summary>
    private const int Enough = 5;

    /// <summary>A task ended unsuccessfully.</summary>
    public static void Note(WorkflowRun run, bool counts)
    {
        if (counts)
            run.State.WorkflowTaskProblems++;
        if (run.State.WorkflowTaskProblems < Enough || run.State.LastProblem is not { } problem)
            return;
        var value = new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain"), ["type"] = ByteString.CopyFromUtf8("KeywordList") },
            Data = ByteString.CopyFrom(StateSerializer.Write(problem)),
        };
        if (run.State.SearchAttributes?.IndexedFields.GetValueOrDefault(Name)?.Equals(value) != true)
            Attributes.Merge(run, new SearchAttributes { IndexedFields = { [Name] = value } });
    }

    /// <summary>A task completed.</summary>
    public static void Clear(WorkflowRun run)
    {
        run.State.WorkflowTaskProblems = 0;
        if (run.State.SearchAttributes?.IndexedFields.ContainsKey(Name) != true)
            return;
        run.State.LastProblem = null;
        run.State.SearchAttributes = Without(run.State.SearchAttributes);
        run.VisibleChange = true;
    }

    /// <summary>The attributes that a run hands on to its successor, which has not failed yet.</summary>
    public static SearchAttributes? Without(SearchAttributes? attributes)
    {
        if (attributes?.IndexedFields.ContainsKey(Name) != true)
            return attributes;
        var rest = attributes.Clone();
        rest.IndexedFields.Remove(Name);
        return rest;
    }

    public static IReadOnlyList<string> Failed(Temporalio.Api.Enums.V1.WorkflowTaskFailedCause cause) => ["category=WorkflowTaskFailed", $"cause=WorkflowTaskFailedCause{cause}"];

    public static IReadOnlyList<string> TimedOut(Temporalio.Api.Enums.V1.TimeoutType type) => ["category=WorkflowTaskTimedOut", $"cause=WorkflowTaskTimedOutCause{type}"];
}
