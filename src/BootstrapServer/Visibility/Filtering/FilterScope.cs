namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>What a filter says beforehand of the runs that it can accept, so that the others need not be looked at.</summary>
/// <param name="WorkflowId">The only workflow id, when the filter names it.</param>
/// <param name="OnlyOpen">No closed run can be accepted.</param>
internal readonly record struct FilterScope(string? WorkflowId, bool OnlyOpen)
{
    private static readonly string[] OpenStatuses = ["Running", "Paused"];

    public static FilterScope Of(Condition? where) => where switch
    {
        And(var left, var right) => Of(left).Within(Of(right)),
        Comparison({ Name: "WorkflowId" }, "=", string id) => new FilterScope(id, false),
        OneOf({ Name: "WorkflowId" }, [string id]) => new FilterScope(id, false),
        Comparison({ Name: "ExecutionStatus" }, "=", string status) => new FilterScope(null, OpenStatuses.Contains(status)),
        OneOf({ Name: "ExecutionStatus" }, var statuses) => new FilterScope(null, statuses.All(OpenStatuses.Contains)),
        IsNull({ Name: "CloseTime" }) => new FilterScope(null, true),
        _ => default,
    };

    /// <summary>Of two different ids one is enough: the filter accepts neither.</summary>
    private FilterScope Within(FilterScope other) => new(WorkflowId ?? other.WorkflowId, OnlyOpen || other.OnlyOpen);
}
