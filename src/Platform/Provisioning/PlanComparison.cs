namespace PlatformOps.Platform.Provisioning;

/// <summary>How the facts at the time of acting compare with those that a plan was made from.</summary>
/// <param name="Differences">What is another than planned, as sentences; empty: the plan may be carried out.</param>
public sealed record PlanComparison(IReadOnlyList<string> Differences)
{
    /// <summary>Compares a component's approved plan with one that was made from the facts of this moment.</summary>
    /// <param name="operationId">The operation that acts: for the message.</param>
    /// <param name="isOwnCreation">Whether an object that exists was created by this operation.</param>
    /// <remarks>An object that is as wanted by now is no difference, whoever made it so: this very operation may have done it and died before it could say so.
    /// From every state in which such an operation can have stopped, each field is either as it was observed or as wanted, so the comparison passes.</remarks>
    public static PlanComparison Compare(PlannedComponent approved, PlannedComponent observed, string operationId, Func<ResourceAddress, bool> isOwnCreation)
    {
        var byAddress = approved.Objects.ToDictionary(planned => planned.Address);
        var differences = observed.Objects
            .Select(seen => Difference(byAddress.GetValueOrDefault(seen.Address), seen, operationId, isOwnCreation))
            .OfType<string>()
            .ToList();
        return new(differences);
    }

    private static string? Difference(PlannedObject? approved, PlannedObject seen, string operationId, Func<ResourceAddress, bool> isOwnCreation)
    {
        if (approved is null)
            return seen.Action == PlannedAction.None ? null : $"{seen.Address} is not in the plan of {operationId}, and would now be: {Words(seen)}";
        if (approved.DesiredFingerprint != seen.DesiredFingerprint)
            return $"{seen.Address} is now wanted otherwise than in the plan of {operationId}";
        if (seen.Action == PlannedAction.None || (seen.Action == approved.Action && seen.ObservedFingerprint == approved.ObservedFingerprint))
            return null;
        if (IsUnderWay(approved, seen, isOwnCreation))
            return null;
        return $"{seen.Address} was planned as: {Words(approved)}; now it is: {Words(seen)}";
    }

    /// <summary>Some systems create or change an object by several calls: what an attempt that died left is completed, as long as nothing else is to be done than was planned.</summary>
    private static bool IsUnderWay(PlannedObject approved, PlannedObject seen, Func<ResourceAddress, bool> isOwnCreation) => seen.Action == PlannedAction.Change && approved.Action switch
    {
        PlannedAction.Create => isOwnCreation(seen.Address),
        PlannedAction.Change => seen.Changes.Count < approved.Changes.Count && seen.Changes.All(approved.Changes.Contains),
        _ => false,
    };

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
