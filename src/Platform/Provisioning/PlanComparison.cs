namespace PlatformOps.Platform.Provisioning;

/// <summary>How the facts at the time of acting compare with those that a plan was made from.</summary>
/// <param name="Differences">What is another than planned, as sentences; empty: the plan may be carried out.</param>
public sealed record PlanComparison(IReadOnlyList<string> Differences)
{
    /// <summary>Compares a component's approved plan with one that was made from the facts of this moment.</summary>
    /// <param name="operationId">The operation that acts: for the message.</param>
    /// <remarks>An object that is as wanted by now is no difference, whoever made it so: this very operation may have done it and died before it could say so.
    /// From every state in which such an operation can have stopped, each object is either as it was observed or as wanted, so the comparison passes.</remarks>
    public static PlanComparison Compare(PlannedComponent approved, PlannedComponent observed, string operationId)
    {
        var byAddress = approved.Objects.ToDictionary(planned => planned.Address);
        var differences = observed.Objects
            .Select(seen => Difference(byAddress.GetValueOrDefault(seen.Address), seen, operationId))
            .OfType<string>()
            .ToList();
        return new(differences);
    }

    private static string? Difference(PlannedObject? approved, PlannedObject seen, string operationId)
    {
        if (approved is null)
            return seen.Action == PlannedAction.None ? null : $"{seen.Address} is not in the plan of {operationId}, and would now be: {Words(seen)}";
        if (approved.DesiredFingerprint != seen.DesiredFingerprint)
            return $"{seen.Address} is now wanted otherwise than in the plan of {operationId}";
        if (seen.Action == PlannedAction.None || (seen.Action == approved.Action && seen.ObservedFingerprint == approved.ObservedFingerprint))
            return null;
        return $"{seen.Address} was planned as: {Words(approved)}; now it is: {Words(seen)}";
    }

    private static string Words(PlannedObject planned) => planned.Changes.Count == 0
        ? $"{Verb(planned.Action)} ({planned.Reason})"
        : $"{Verb(planned.Action)} {string.Join(", ", planned.Changes.Select(change => $"{change.Path} {change.From ?? "(absent)"} -> {change.To ?? "(removed)"}"))}";

    private static string Verb(PlannedAction action) => action switch
    {
        PlannedAction.Create => "create",
        PlannedAction.Change => "change",
        PlannedAction.Prune => "remove",
        PlannedAction.Conflict => "conflict",
        _ => "nothing to do",
    };
}
