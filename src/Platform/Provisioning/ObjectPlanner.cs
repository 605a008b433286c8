using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Decides about one object, with the reason.</summary>
internal static class ObjectPlanner
{
    /// <param name="wanted">The fingerprint of what is declared.</param>
    public static PlannedObject Plan(DesiredObject desired, string wanted, JsonObject? live, EnvironmentSpecification environment, ComponentDefinition component, PlanPurpose purpose)
    {
        var address = desired.Address;
        if (address.ApiVersion == ObjectKind.ExternalApiVersion)
            return new() { Address = address, Action = PlannedAction.None, Reason = "It is verified against its service, and never changed by us.", Changes = [], DesiredFingerprint = wanted };
        if (live is null)
            return new() { Address = address, Action = PlannedAction.Create, Reason = "It does not exist.", Changes = [], DesiredFingerprint = wanted };

        var planned = new PlannedObject
        {
            Address = address,
            Action = PlannedAction.None,
            Reason = "As wanted.",
            Changes = [],
            ObservedFingerprint = Fingerprint.OfObserved(desired.Manifest, live),
            DesiredFingerprint = wanted,
        };
        if (!ObjectOwnership.IsOurs(live, environment, component.Name))
            return planned with
            {
                Action = PlannedAction.Conflict,
                Reason = $"It exists and belongs to {ObjectOwnership.InWords(live)}. Rename or remove it there, or hand it over by setting our labels on it.",
            };
        if (live["metadata"]?["deletionTimestamp"] is not null)
            return planned with { Action = PlannedAction.Conflict, Reason = "It is being deleted. Wait until it is gone, then plan again." };
        if (ImmutableConflict(desired, live, component) is { } reason)
            return planned with { Action = PlannedAction.Conflict, Reason = reason };

        var changes = FieldDiff.Compare(desired.Manifest, live);
        if (changes.Count == 0)
            return planned with { Reason = WithRest("As wanted.", desired, live) };
        if (FixedFields.Conflict(desired.Manifest, changes) is { } @fixed)
            return planned with { Action = PlannedAction.Conflict, Reason = @fixed, Changes = changes };
        var owners = new OwnedFields(live);
        if (purpose == PlanPurpose.Revert)
            changes = [.. changes.Select(change => change with { ChangedBy = owners.OthersOf(change.Path) })];
        var foreign = purpose == PlanPurpose.Revert ? [] : changes.Select(change => (change.Path, Others: owners.OthersOf(change.Path))).Where(pair => pair.Others.Count > 0).ToList();
        return foreign.Count > 0
            ? planned with
            {
                Action = PlannedAction.Conflict,
                Reason = $"{string.Join("; ", foreign.Select(pair => $"{pair.Path} is owned by {string.Join(", ", pair.Others)}"))}. Let its owner give the field up, or specify its value.",
                Changes = changes,
            }
            : planned with { Action = PlannedAction.Change, Reason = WithRest(changes.Count == 1 ? "1 field differs." : $"{changes.Count} fields differ.", desired, live, Downtime(desired, changes)), Changes = changes };
    }

    public static PlannedObject PlanUndeclared(ResourceAddress address, JsonObject live, GuardRails guardRails, PlanPurpose purpose)
    {
        var kept = WhyKept(address, guardRails, purpose);
        return Leaving(address, live, "It is ours and no longer declared", kept);
    }

    /// <summary>About an object of a component that the environment does not have any more.</summary>
    /// <param name="store">Why nothing of the component goes; null: nothing speaks against it.</param>
    public static PlannedObject PlanRetired(ObservedObject item, string component, string? store, EnvironmentSpecification environment, PlanPurpose purpose) => Leaving(
        item.Address, item.Manifest, $"It is ours, and {environment.Name} does not have {component} any more in {item.Address.Region}",
        WhyKept(item.Address, environment.GuardRails, purpose) ?? store);

    /// <summary>The reason, with what is left as it is although it is not declared so.</summary>
    private static string WithRest(string reason, DesiredObject desired, JsonObject live, string? downtime = null) =>
        string.Join(' ', new[] { reason, downtime, desired.Yields, SearchAttributesLeft(desired, live) }.OfType<string>());

    /// <summary>Who approves is to know that clients will notice (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html).</summary>
    private static string? Downtime(DesiredObject desired, IReadOnlyList<FieldChange> changes)
    {
        if (desired.Address is not { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" } || !changes.Any(change => change.Path is "spec.instanceClass" or "spec.engineVersion"))
            return null;
        var standby = (bool?)desired.Manifest["spec"]?["multiAz"] == true && changes.All(change => change.Path != "spec.engineVersion");
        return $"RDS begins at once, not in the maintenance window, and {(standby ? "fails over to the standby: clients wait for about a minute or two" : "restarts the instance: clients wait for minutes")}.";
    }

    /// <summary>A namespace keeps what it has: what is no longer declared is at least said.</summary>
    private static string? SearchAttributesLeft(DesiredObject desired, JsonObject live)
    {
        if (desired.Address.ApiVersion != ResourceAddress.TemporalApiVersion || live["spec"]?["searchAttributes"] is not JsonObject there)
            return null;
        var declared = desired.Manifest["spec"]?["searchAttributes"] as JsonObject ?? [];
        var left = there.Select(attribute => attribute.Key).Where(name => !declared.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        return left.Count == 0 ? null : $"Search attributes that are not declared stay, since executions may carry values of them: {string.Join(", ", left)}.";
    }

    /// <summary>Null: it may go.</summary>
    private static string? WhyKept(ResourceAddress address, GuardRails guardRails, PlanPurpose purpose) =>
        purpose == PlanPurpose.Revert ? "reverting removes nothing"
        : DataHolders.Contains(address) ? $"a {address.Kind} is never removed by a plan"
        : guardRails.MayDestroy ? null
        : "the guard rails of this environment do not allow removal (mayDestroy: false)";

    private static PlannedObject Leaving(ResourceAddress address, JsonObject live, string why, string? kept) => new()
    {
        Address = address,
        Action = kept is null ? PlannedAction.Prune : PlannedAction.None,
        Reason = kept is null ? $"{why}." : $"{why}, but kept: {kept}.",
        Changes = [],
        ObservedFingerprint = Fingerprint.OfUndeclared(live),
    };

    private static string? ImmutableConflict(DesiredObject desired, JsonObject live, ComponentDefinition component)
    {
        foreach (var parameter in component.Parameters.Where(parameter => parameter.Immutable))
        {
            var annotation = Ownership.ImmutablePrefix + parameter.Name;
            var there = (string?)live["metadata"]?["annotations"]?[annotation];
            var wanted = (string?)desired.Manifest["metadata"]?["annotations"]?[annotation];
            if (there is not null && wanted is not null && there != wanted)
                return $"{parameter.Name} is {there} and cannot become {wanted}: it can be set once and never changed. {parameter.ImmutableReason} Set it back to {there}.";
        }

        return null;
    }
}
