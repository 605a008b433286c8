namespace PlatformOps.Platform.Provisioning;

/// <summary>One way in which the world is not as declared.</summary>
/// <param name="Component">Whose object it is.</param>
/// <param name="Reason">One sentence for the operator.</param>
/// <param name="Path">The field; null when the whole object is meant.</param>
/// <param name="Declared">The value as specified; null: the field is not declared.</param>
/// <param name="Found">The value as observed; null: it is absent.</param>
/// <param name="ChangedBy">The field managers that own the field besides us: who changed it, as far as the cluster knows.</param>
public sealed record DriftFinding(
    string Component, ResourceAddress Address, DriftKind Kind, string Reason, string? Path = null, string? Declared = null, string? Found = null, IReadOnlyList<string>? ChangedBy = null);

public enum DriftKind
{
    /// <summary>A field of an object of ours has another value than declared.</summary>
    Field,

    /// <summary>A declared object does not exist.</summary>
    Missing,

    /// <summary>An object carries our labels, and nothing declares it. It is reported and never touched.</summary>
    Undeclared,

    /// <summary>Somebody else's object stands where one is declared, or something else keeps ours from being changed. It is reported and never touched.</summary>
    Conflict,
}

/// <summary>Reads what differs out of a plan that was made to revert it.</summary>
public static class Drift
{
    /// <summary>In plan order.</summary>
    public static IReadOnlyList<DriftFinding> In(ProvisioningPlan plan) =>
        [.. plan.Components.SelectMany(component => component.Objects.SelectMany(planned => In(component.Component, planned)))];

    /// <summary>Whether a plan to revert has to name the object.</summary>
    internal static bool Differs(PlannedObject planned) => planned.Action != PlannedAction.None || IsUndeclared(planned);

    private static IEnumerable<DriftFinding> In(string component, PlannedObject planned) => planned.Action switch
    {
        PlannedAction.Change => planned.Changes.Select(change => new DriftFinding(
            component, planned.Address, DriftKind.Field, InWords(change), change.Path, change.To, change.From, change.ChangedBy)),
        PlannedAction.Create => [new(component, planned.Address, DriftKind.Missing, planned.Reason)],
        PlannedAction.Conflict => [new(component, planned.Address, DriftKind.Conflict, planned.Reason)],
        _ when IsUndeclared(planned) => [new(component, planned.Address, DriftKind.Undeclared, planned.Reason)],
        _ => [],
    };

    private static bool IsUndeclared(PlannedObject planned) => planned.DesiredFingerprint is null;

    private static string InWords(FieldChange change) =>
        $"{change.From ?? "(absent)"} instead of {change.To ?? "(not declared)"}{(change.ChangedBy is { Count: > 0 } managers ? $", changed by {string.Join(", ", managers)}" : "")}.";
}
