using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Has Velero restore the Backup that it made besides one of our sets. What exists stays as it is: Velero does not say before what it would replace, so that nobody could approve it.</summary>
internal sealed class VeleroRestores(KubernetesConnection cluster, TimeProvider time)
{
    /// <summary>Of a restore that stands still somebody has to be told.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(2), Look = TimeSpan.FromSeconds(1);

    private static readonly ServedResource Backups = new(new(VeleroBackups.Group, "Backup"), "backups", true, [], true);

    private readonly WholeObjects objects = new(cluster);

    /// <summary>The Backup of a set, as a restore of it would use it.</summary>
    /// <returns>Null with why there is none.</returns>
    public async Task<(VeleroRestorePlan? Plan, string? Refusal)> FindAsync(BackupSet set, CancellationToken ct)
    {
        if (!await objects.ServesAsync(new(VeleroBackups.Group, "Restore"), ct) || !await objects.ServesAsync(new(VeleroBackups.Group, "Backup"), ct))
            return (null, $"Velero is not installed in {cluster.Region}. Provision the component velero, or restore without it.");
        await foreach (var backup in objects.ListAsync(Backups, ct))
        {
            var metadata = backup["metadata"]!;
            if ((string?)metadata["name"] != VeleroBackups.NameOf(set.Id))
                continue;
            var status = CustomResourceStatus.Judge($"Velero's Backup {metadata["name"]}", backup, [], time.GetUtcNow());
            return status.State == GateState.Passed
                ? (new((string)metadata["namespace"]!, (string)metadata["name"]!, (string?)metadata["uid"] ?? "", (long?)backup["status"]?["progress"]?["itemsBackedUp"], VeleroRestorePlan.Fenced), null)
                : (null, $"{status.Message}. Restore without Velero, or name another set.");
        }

        return (null, $"Velero has no Backup {VeleroBackups.NameOf(set.Id)} of {set.Id} in {cluster.Region} any more, or made none. Restore without Velero, or name another set.");
    }

    /// <summary>Makes the Restore of an operation, or waits for it, and says what became of it. Velero's own log has each object.</summary>
    /// <exception cref="AdapterException">It was removed meanwhile, or stands still.</exception>
    public async Task<RestoredState> RunAsync(string operation, StateRestorePlan plan, Action<string> progress, CancellationToken ct)
    {
        var backup = plan.Velero!;
        var address = new ResourceAddress(cluster.Region, VeleroBackups.Group, "Restore", backup.Namespace, $"platformops-{CanonicalJson.Digest(operation)[..16]}");
        if (await objects.FindAsync(address, ct) is null)
            await CreateAsync(address, operation, plan, ct);
        for (var began = time.GetTimestamp(); ; await Task.Delay(Look, time, ct))
        {
            var live = await objects.FindAsync(address, ct)
                ?? throw new AdapterException(AdapterFailureKind.Missing, $"Velero's Restore {address.Name} was removed while it went on. Look what it has made, then retryStep.");
            var (name, status) = ($"Velero's Restore {address.Name}", live["status"]);
            var verdict = CustomResourceStatus.Judge(name, live, [], time.GetUtcNow());
            var (items, warnings, errors) = (Number(status?["progress"]?["itemsRestored"]), Number(status?["warnings"]), Number(status?["errors"]));
            if (verdict.State == GateState.OnTheWay)
            {
                if (time.GetElapsedTime(began) >= Patience)
                    throw new AdapterException(AdapterFailureKind.Unavailable, $"{verdict.Message}, {Patience.TotalHours:0} hours after it was waited for. Look at Velero's own log.");
                progress($"{verdict.Message}: {items} items.");
                continue;
            }

            var passed = verdict.State == GateState.Passed && errors == 0;
            List<string> warned = warnings == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{name} has {warnings} warnings, such as objects that exist and differ: velero restore describe {address.Name} --details names them.")];
            return new(items, 0, 0, passed ? 0 : Math.Max(1, errors), passed ? [] : [string.Create(CultureInfo.InvariantCulture, $"{verdict.Message}. It has {errors} errors: velero restore describe {address.Name} --details names them."), .. warned], default) { Warned = warned };
        }
    }

    private static int Number(JsonNode? node) => (int?)node ?? 0;

    private async Task CreateAsync(ResourceAddress address, string operation, StateRestorePlan plan, CancellationToken ct)
    {
        try
        {
            await objects.CreateAsync(address, new()
            {
                ["apiVersion"] = VeleroBackups.Group,
                ["kind"] = "Restore",
                ["metadata"] = new JsonObject
                {
                    ["name"] = address.Name,
                    ["namespace"] = address.Namespace,
                    ["labels"] = new JsonObject { [Ownership.ManagedByLabel] = Ownership.ManagedBy },
                    ["annotations"] = new JsonObject { [Ownership.OperationIdAnnotation] = operation },
                },
                ["spec"] = new JsonObject
                {
                    ["backupName"] = plan.Velero!.Backup,
                    ["includedNamespaces"] = new JsonArray([.. plan.Namespaces.DefaultIfEmpty("*").Select(space => (JsonNode)space)]),
                    ["excludedResources"] = new JsonArray([.. plan.Velero.Excluded.Select(kind => (JsonNode)kind)]),
                    ["existingResourcePolicy"] = "none",
                    ["restorePVs"] = false,
                },
            }, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            // An attempt before this one made it.
        }
    }
}
