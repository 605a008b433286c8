using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Fields that their system decides once, when an object is created: a difference is refused with the reason, before anything is tried.</summary>
public static class FixedFields
{
    private static readonly Dictionary<string, (string Path, string Reason)[]> ByKind = new()
    {
        [$"{ResourceAddress.AwsApiVersion}/DatabaseInstance"] =
        [
            ("spec.engine", "RDS cannot turn one engine into another. Declare a new instance and move the data."),
            ("spec.storageEncrypted", "An instance is encrypted when it is created or never. Restore an encrypted copy of its snapshot under another name."),
            ("spec.kmsKeyId", "The key of an instance cannot be changed. Restore a copy of its snapshot that is encrypted with the other key under another name."),
            ("spec.databaseName", "RDS creates this database together with the instance only."),
            ("spec.masterUsername", "The master user is named when the instance is created."),
            ("spec.masterPasswordSecret", "The master user gets its password when the instance is created. Rotate it instead."),
            ("spec.manageMasterUserPassword", "Who keeps the master password changes by rotating it, not by a plan."),
            ("spec.subnetGroup", "Moving to other subnets interrupts the database: do it by hand."),
            ("spec.replicaOf", "An instance becomes a replica when it is created, and stops being one by promotion, which is a failover's to do."),
        ],
        [$"{ResourceAddress.AwsApiVersion}/Bucket"] =
        [
            ("spec.objectLock", "A lock can be had by a new bucket only and never be taken back or shortened."),
        ],
        [$"{ResourceAddress.AwsApiVersion}/DnsRecord"] =
        [
            ("spec.zone", Renamed), ("spec.name", Renamed), ("spec.type", Renamed), ("spec.setIdentifier", Renamed),
        ],
        [$"{ResourceAddress.PostgresqlApiVersion}/Database"] =
        [
            ("spec.encoding", "A database keeps the encoding that it was created with. Declare a new one and move the data."),
        ],
        [$"{ResourceAddress.PostgresqlApiVersion}/ReplicationSlot"] = [("spec.type", SlotStays), ("spec.plugin", SlotStays), ("spec.database", SlotStays)],
    };

    private const string SlotStays = "A slot stays what it was created as. Declare one of another name; this one is removed when it is no longer declared.";

    private const string Renamed = "That would be another record. Declare it under another metadata.name; this one is removed when it is no longer declared.";

    /// <summary>Null: none of the changes is to a fixed field.</summary>
    public static string? Conflict(JsonObject desired, IReadOnlyList<FieldChange> changes) => In(desired, changes).Select(found => $"{found.Reason} Otherwise set it back.").FirstOrDefault();

    /// <summary>The changes that cannot be made, each with the reason.</summary>
    public static IEnumerable<(FieldChange Change, string Reason)> In(JsonObject desired, IReadOnlyList<FieldChange> changes)
    {
        var kind = $"{(string?)desired["apiVersion"]}/{(string?)desired["kind"]}";
        return changes.Select(change => (Change: change, Reason: Reason(kind, change))).Where(found => found.Reason is not null).Select(found => (found.Change, found.Reason!));
    }

    private static string? Reason(string kind, FieldChange change)
    {
        if (ByKind.GetValueOrDefault(kind)?.FirstOrDefault(field => change.Path == field.Path || OwnedFields.IsBelow(change.Path, field.Path)) is { Path: not null } field && !Extends(change))
            return Say(change, field.Reason);
        if (change.Path == "spec.allocatedStorage" && Number(change.To) < Number(change.From))
            return Say(change, "Storage can grow and never shrink.");
        return kind == $"{ResourceAddress.AwsApiVersion}/DatabaseInstance" && change.Path == "spec.engineVersion" && IsOlder(change.To, change.From)
            ? Say(change, "RDS takes no version of an engine back. Restore a snapshot of before under another name.")
            : null;
    }

    private static string Say(FieldChange change, string reason) =>
        $"{change.Path} is {change.From ?? "absent"} and cannot become {change.To ?? "absent"}. {reason}";

    /// <summary>A lock that exists may be made longer.</summary>
    private static bool Extends(FieldChange change) => change.Path == "spec.objectLock.days" && Number(change.To) > Number(change.From);

    /// <summary>What has other parts than numbers, or more of them than the other one, cannot be told.</summary>
    private static bool IsOlder(string? one, string? than) => Version.TryParse(one, out var left) && Version.TryParse(than, out var right) && left < right;

    private static long? Number(string? text) => long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
}
