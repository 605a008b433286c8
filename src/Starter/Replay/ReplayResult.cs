using System.Text.Json.Serialization;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Replay;

/// <summary>An execution that is to be replayed.</summary>
/// <param name="Namespace">Null: not known, as of a history in a file.</param>
/// <param name="WorkflowId">Its workflow id.</param>
/// <param name="RunId">Null: the latest run.</param>
internal sealed record Execution(string? Namespace, string WorkflowId, string? RunId)
{
    public override string ToString() => $"{WorkflowId}{(RunId is null ? "" : $" (run {RunId})")}{(Namespace is null ? "" : $" of {Namespace}")}";
}

/// <summary>What became of an execution.</summary>
internal enum ReplayVerdict
{
    /// <summary>The workers' code decides as it did.</summary>
    Replays,

    /// <summary>It decides otherwise, or fails: a worker would not go on with it.</summary>
    DoesNotReplay,

    /// <summary>No worker has decided anything yet.</summary>
    NotBegun,

    /// <summary>Its workflow type is none of the product's.</summary>
    NotOurs,

    /// <summary>Its history could not be had or read: nothing is known of it.</summary>
    Unread,
}

/// <param name="Execution">Which one.</param>
/// <param name="WorkflowType">Null: not known.</param>
/// <param name="Events">How many its history has; 0 when it was not read.</param>
/// <param name="Reason">Why, when it does not replay or was not read.</param>
/// <param name="ExitCode">What that means for the command.</param>
internal sealed record ReplayResult(
    Execution Execution, string? WorkflowType, ReplayVerdict Verdict, int Events = 0, string? Reason = null, [property: JsonIgnore] ExitCode ExitCode = ExitCode.Success)
{
    public override string ToString() => $"{(WorkflowType is null ? "" : $"{WorkflowType} ")}{Execution}";
}

/// <summary>What became of all of them.</summary>
/// <param name="named">Whether somebody named each of them, and wants to know about it.</param>
internal sealed class ReplayReport(IReadOnlyList<ReplayResult> results, bool named)
{
    /// <summary>How many types of workflows that are not ours are named.</summary>
    private const int Named = 3;

    /// <summary>Those of one verdict.</summary>
    public IReadOnlyList<ReplayResult> Of(ReplayVerdict verdict) => [.. results.Where(result => result.Verdict == verdict)];

    /// <summary>
    /// One that does not replay counts more than one that could not be read. A list in which nothing is ours is no failure: what is listed is whatever a cluster has, and where somebody else's workflows are there is nothing that we could find wrong.
    /// </summary>
    public ExitCode ExitCode =>
        Of(ReplayVerdict.DoesNotReplay).Concat(Of(ReplayVerdict.Unread)).FirstOrDefault() is { } wrong ? wrong.ExitCode
        : named && Of(ReplayVerdict.NotOurs).Count > 0 ? ExitCode.NotFound : ExitCode.Success;

    /// <summary>All of it in one line, what is wrong first.</summary>
    public string Summary
    {
        get
        {
            if (results.Count == 0)
                return "There are no executions: nothing was replayed.";
            var (replay, wrong, idle, foreign, unread) = (Of(ReplayVerdict.Replays), Of(ReplayVerdict.DoesNotReplay), Of(ReplayVerdict.NotBegun), Of(ReplayVerdict.NotOurs), Of(ReplayVerdict.Unread));
            if (foreign.Count == results.Count)
                return $"{(foreign.Count == 1 ? "The execution is not" : $"None of {foreign.Count} executions is")} of a workflow of PlatformOps ({Types(foreign)}): nothing was replayed.";
            List<string> parts = [];
            if (wrong is [var first, ..])
                parts.Add($"{wrong.Count} of our executions {(wrong.Count == 1 ? "does" : "do")} not replay, {(wrong.Count == 1 ? "" : "the first is ")}{first}: {first.Reason}");
            if (unread is [var lost, ..])
                parts.Add($"{Count(unread.Count, "execution", "executions")} could not be read, {(unread.Count == 1 ? "" : "the first is ")}{lost}: {lost.Reason}");
            if (replay.Count > 0)
                parts.Add($"{replay.Count} of our executions replayed");
            if (idle.Count > 0)
                parts.Add($"{idle.Count} of ours had not begun, with nothing to replay");
            if (foreign.Count > 0)
                parts.Add($"{foreign.Count} of other workflows {(foreign.Count == 1 ? "was" : "were")} not looked at ({Types(foreign)})");
            return string.Join(parts.Count > 1 && (wrong.Count > 0 || unread.Count > 0) ? "; " : ", ", parts);
        }
    }

    /// <summary>The types of workflows that are not ours, with their numbers; the most frequent first.</summary>
    public static IReadOnlyList<(string Type, int Count)> TypesOf(IEnumerable<ReplayResult> foreign) =>
        [.. foreign.GroupBy(result => result.WorkflowType!, (type, all) => (type, all.Count())).OrderByDescending(pair => pair.Item2).ThenBy(pair => pair.type, StringComparer.Ordinal)];

    private static string Types(IReadOnlyList<ReplayResult> foreign)
    {
        var types = TypesOf(foreign);
        return string.Join(", ", types.Take(Named).Select(pair => $"{pair.Type} {pair.Count}")) + (types.Count > Named ? $" and {types.Count - Named} more types" : "");
    }

    private static string Count(int count, string one, string many) => $"{count} {(count == 1 ? one : many)}";
}
