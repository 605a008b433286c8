using System.Text.Json.Serialization;

namespace PlatformOps.Platform.Provisioning;

/// <summary>What would change, as data. Identical input gives identical bytes and the identical <see cref="Hash"/>.</summary>
public sealed record ProvisioningPlan
{
    public required string Platform { get; init; }

    public required string Environment { get; init; }

    public required string SpecificationDigest { get; init; }

    public required string CatalogDigest { get; init; }

    /// <summary>In dependency order: a component stands after everything that it depends on.</summary>
    public required IReadOnlyList<PlannedComponent> Components { get; init; }

    /// <summary>What could not be seen and may be overlooked, a sentence each; null: nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Notes { get; init; }

    /// <summary>SHA-256 over the canonical JSON of everything else here. Approvals are bound to it.</summary>
    public required string Hash { get; init; }
}

/// <summary>The part of a plan that concerns one component in one region.</summary>
public sealed record PlannedComponent
{
    /// <summary><c>component@region</c>: the name of the step.</summary>
    [JsonIgnore]
    public string Step => $"{Component}@{Region}";

    public required string Component { get; init; }

    public required string Region { get; init; }

    /// <summary>The steps (<c>component@region</c>) that must be healthy first, sorted.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }

    /// <summary>The environment does not have it (any more): what is left of it goes, or is kept, and nothing is waited for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Retired { get; init; }

    /// <summary>In the order in which they are applied.</summary>
    public required IReadOnlyList<PlannedObject> Objects { get; init; }
}

/// <summary>What happens to one object.</summary>
public sealed record PlannedObject
{
    public required ResourceAddress Address { get; init; }

    public required PlannedAction Action { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Reason { get; init; }

    /// <summary>Field by field for <see cref="PlannedAction.Change"/> and <see cref="PlannedAction.Conflict"/>; values of Secrets are never shown.</summary>
    public required IReadOnlyList<FieldChange> Changes { get; init; }

    /// <summary>Hash of the observed fields that the plan relies on (those which we declare, and the ownership labels); null when the
    /// object was absent. Acting re-observes and refuses when it differs.</summary>
    public string? ObservedFingerprint { get; init; }

    /// <summary>Hash of what we want, so that acting can tell that it already happened.</summary>
    public string? DesiredFingerprint { get; init; }
}

public enum PlannedAction
{
    /// <summary>The object is as wanted.</summary>
    None,

    /// <summary>The object does not exist.</summary>
    Create,

    /// <summary>The object is ours and differs.</summary>
    Change,

    /// <summary>The object, or a field that must change, belongs to somebody else: nothing of its component is done.</summary>
    Conflict,

    /// <summary>The object is ours, and no longer wanted.</summary>
    Prune,
}

/// <summary>One field that differs.</summary>
/// <param name="Path">For example <c>spec.template.spec.containers[name=temporal-frontend].image</c>.</param>
/// <param name="From">As observed; null when absent.</param>
/// <param name="To">As wanted; null when it is to go.</param>
/// <param name="ChangedBy">The field managers besides us that own it; only in plans to revert.</param>
public sealed record FieldChange(
    string Path, string? From, string? To, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? ChangedBy = null);
