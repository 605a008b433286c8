using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds checked items of <c>backups</c>.</summary>
internal static class BackupReader
{
    /// <summary>The kinds of stores as the catalog writes them.</summary>
    public static IReadOnlyDictionary<string, StoreKind> Stores { get; } = new Dictionary<string, StoreKind>
    {
        ["postgresql"] = StoreKind.Postgresql,
        ["elasticsearch"] = StoreKind.Elasticsearch,
        ["kubernetes-state"] = StoreKind.KubernetesState,
        ["vault"] = StoreKind.Vault,
    };

    /// <summary>The kinds of sets as the catalog writes them.</summary>
    public static IReadOnlyDictionary<string, BackupMethod> Methods { get; } = new Dictionary<string, BackupMethod>
    {
        ["full"] = BackupMethod.Full,
        ["differential"] = BackupMethod.Differential,
        ["incremental"] = BackupMethod.Incremental,
    };

    public static BackupDefinition Read(JsonObject tree) => new()
    {
        Name = (string)tree["name"]!,
        Store = Stores[(string)tree["store"]!],
        Schedules = [.. tree["schedules"]!.AsArray().Select(schedule => new BackupSchedule(Methods[(string)schedule!["method"]!], Duration(schedule["every"]), Duration(schedule["at"])))],
        Continuous = (bool)tree["continuous"]!,
        Retention = Duration(tree["retention"]),
        MinimumSets = (int)(long)tree["minimumSets"]!,
        Rpo = Duration(tree["rpo"]),
        Rto = Duration(tree["rto"]),
        VerifyEvery = Duration(tree["verifyEvery"]),
        Grace = Duration(tree["grace"]),
        Rows = new((int)(long)tree["rowTolerance"]!, (tree["rowTolerances"] as JsonObject ?? []).ToDictionary(table => table.Key, table => (int)(long)table.Value!)),
    };

    /// <summary>Names are unique, and what is promised can be kept by what is scheduled.</summary>
    public static void Check(ReadDefinition component, ComponentCatalog catalog)
    {
        var all = catalog.Components.SelectMany(other => other.Backups.Select(backup => (Owner: other.Name, Backup: backup))).ToList();
        foreach (var (backup, index) in component.Definition.Backups.Select((backup, index) => (backup, index)))
        {
            var path = $"{component.Definition.Name}.backups[{index}]";
            if (all.Find(other => !ReferenceEquals(other.Backup, backup) && other.Backup.Name == backup.Name) is { Owner: { } named })
                component.Reader.Report($"{path}.name", $"{named} has a store of that name too; names are unique in the catalog");
            if (!backup.Schedules.Any(schedule => schedule.Method == BackupMethod.Full))
                component.Reader.Report($"{path}.schedules", "has no full set, and all others depend on one: add {method: full, every: ...}");
            else if (backup.Schedules.Where(schedule => schedule.Method == BackupMethod.Full).Min(schedule => schedule.Every) > backup.Retention)
                component.Reader.Report($"{path}.retention", "is shorter than the time between two full sets; make full ones more often, or keep them longer");
            if (backup.Store != StoreKind.Postgresql && backup.Schedules.FirstOrDefault(schedule => schedule.Method != BackupMethod.Full) is not null)
                component.Reader.Report($"{path}.schedules", "only postgresql has differential and incremental sets; the others decide themselves what to copy: use full");
            if (backup.Continuous && backup.Store != StoreKind.Postgresql)
                component.Reader.Report($"{path}.continuous", "only postgresql has a log that is kept continuously; remove it");
            if (!backup.Continuous && backup.Schedules.Select(schedule => schedule.Every).DefaultIfEmpty(TimeSpan.MaxValue).Min() > backup.Rpo)
                component.Reader.Report($"{path}.rpo", $"{Units.Format(backup.Rpo)} cannot be kept: sets are made less often, and nothing is kept between them; make them more often, or promise less");
            if (backup.Schedules.FirstOrDefault(schedule => schedule.At >= schedule.Every) is not null)
                component.Reader.Report($"{path}.schedules", "at is to be shorter than every: it counts from the beginning of each interval");
            if (backup.Store != StoreKind.Postgresql && (backup.Rows.Tables.Count > 0 || backup.Rows.Percent != RowTolerance.DefaultPercent))
                component.Reader.Report($"{path}.rowTolerance", "only postgresql has tables; the documents of indices are counted exactly; remove it");
            if (backup.VerifyEvery > backup.Retention)
                component.Reader.Report($"{path}.verifyEvery", "is longer than the retention: sets would go without ever having been proved");
        }
    }

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration((string)node!, out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");
}
