using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Filter.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>The list calls from before there were filters, as filters.</summary>
internal static class ShortcutQuery
{
    public static string Open(ListOpenWorkflowExecutionsRequest request) => And(
        "ExecutionStatus IN ('Running', 'Paused')",
        Times("StartTime", request.StartTimeFilter),
        Id(request.ExecutionFilter),
        Type(request.TypeFilter));

    public static string Closed(ListClosedWorkflowExecutionsRequest request) => And(
        request.StatusFilter is { } status ? $"ExecutionStatus = '{status.Status}'" : "ExecutionStatus NOT IN ('Running', 'Paused')",
        Times("CloseTime", request.StartTimeFilter),
        Id(request.ExecutionFilter),
        Type(request.TypeFilter));

    private static string And(params string?[] conditions) => string.Join(" AND ", conditions.OfType<string>());

    private static string? Id(WorkflowExecutionFilter? filter) => (filter?.WorkflowId, filter?.RunId) switch
    {
        (null or "", null or "") => null,
        (var id, null or "") => $"WorkflowId = {Quote(id)}",
        (null or "", var run) => $"RunId = {Quote(run)}",
        var (id, run) => $"WorkflowId = {Quote(id)} AND RunId = {Quote(run)}",
    };

    private static string? Type(WorkflowTypeFilter? filter) => filter is null ? null : $"WorkflowType = {Quote(filter.Name)}";

    private static string? Times(string attribute, StartTimeFilter? filter)
    {
        if (filter is null)
            return null;
        if (filter is { EarliestTime: { } earliest, LatestTime: { } latest } && earliest > latest)
            throw ServiceError.InvalidArgument("EarliestTime in StartTimeFilter should not be larger than LatestTime.");
        var from = filter.EarliestTime is null ? null : $"{attribute} >= '{filter.EarliestTime.ToDateTimeOffset():O}'";
        var to = filter.LatestTime is null ? null : $"{attribute} <= '{filter.LatestTime.ToDateTimeOffset():O}'";
        return And(from, to) is { Length: > 0 } both ? both : null;
    }

    private static string Quote(string text) => "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'";
}
