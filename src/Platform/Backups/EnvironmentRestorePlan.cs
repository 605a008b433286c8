using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups;

/// <summary>How a step of the restore of an environment is done.</summary>
public enum EnvironmentStepKind
{
    /// <summary>By the runbook that restores such a store.</summary>
    Restore,

    /// <summary>By provisioning components.</summary>
    Provision,

    /// <summary>By keeping what was restored still until people have seen it.</summary>
    Fence,
}

/// <summary>One step of the restore of an environment.</summary>
/// <param name="Name">What <c>retryStep</c> and <c>skipStep</c> take.</param>
/// <param name="Does">What is done, as sentences.</param>
/// <param name="Store">The store that is restored; null: none.</param>
/// <param name="Components">What is provisioned; empty: nothing.</param>
/// <param name="PlanHash">Of the store's own plan, which is approved with this one; null: it cannot be made yet.</param>
public sealed record EnvironmentRestoreStep(string Name, EnvironmentStepKind Kind, string Does, StoreKind? Store = null, IReadOnlyList<string>? Components = null, string? PlanHash = null);

/// <summary>What the restore of an environment would do, as people approve it: once, for all steps that can be planned now.</summary>
public sealed record EnvironmentRestorePlan
{
    /// <summary>Runs schedules, of every namespace.</summary>
    private const string TemporalWorker = "temporal-worker";

    public required string Environment { get; init; }

    /// <summary>The moment that is restored; null: the newest.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>In this order.</summary>
    public required IReadOnlyList<EnvironmentRestoreStep> Steps { get; init; }

    /// <summary>What people approve. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(new JsonObject
    {
        ["environment"] = Environment,
        ["target"] = Target?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        ["steps"] = new JsonArray([.. Steps.Select(step => (JsonNode)$"{step.Name} {step.Kind} {string.Join(',', step.Components ?? [])} {step.PlanHash ?? "later"}")]),
    });

    /// <summary>Whether a component is part of Temporal itself.</summary>
    public static bool IsTemporal(string component) => component == "temporal" || component.StartsWith("temporal-", StringComparison.Ordinal);

    /// <summary>The steps of a site of which nothing but its cluster is left: who holds the secrets of others first, then what the platform keeps, then what runs on it, then what brings everything else.</summary>
    /// <param name="stores">By name.</param>
    /// <param name="components">Names of all that are enabled.</param>
    /// <param name="still">Whether Temporal is kept still: its schedules are paused before its own workers, which act on them, are there.</param>
    public static IReadOnlyList<EnvironmentRestoreStep> InOrder(IReadOnlyDictionary<string, StoreKind> stores, IReadOnlyCollection<string> components, bool still)
    {
        string[] temporal = [.. components.Where(IsTemporal).Where(name => !still || name != TemporalWorker).Order(StringComparer.Ordinal)];
        return
        [
            .. Of(StoreKind.Vault, "RestoreVault"),
            .. Of(StoreKind.Postgresql, "RestoreDatabase"),
            .. Of(StoreKind.Elasticsearch, "RestoreSearch"),
            .. temporal.Length > 0 ? [new("temporal", EnvironmentStepKind.Provision, $"Temporal is provisioned ({string.Join(", ", temporal)}). Its workflows are those of the restored database: keep its workers stopped until somebody has seen what they would do.", null, temporal)] : Array.Empty<EnvironmentRestoreStep>(),
            .. still && temporal.Length > 0 ? [new("temporal-fence", EnvironmentStepKind.Fence, "Every schedule of Temporal is paused, nobody may work on its runs yet, and some of them are read whole.")] : Array.Empty<EnvironmentRestoreStep>(),
            .. still && components.Contains(TemporalWorker) ? [new(TemporalWorker, EnvironmentStepKind.Provision, "Temporal's own workers are provisioned: what is paused stays paused.", null, [TemporalWorker])] : Array.Empty<EnvironmentRestoreStep>(),
            .. components.Contains("argo-cd") ? [new("argo-cd", EnvironmentStepKind.Provision, "Argo CD is provisioned, and brings what it is told to.", null, ["argo-cd"])] : Array.Empty<EnvironmentRestoreStep>(),
        ];

        IEnumerable<EnvironmentRestoreStep> Of(StoreKind store, string runbook) =>
            stores.Where(known => known.Value == store).OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => new EnvironmentRestoreStep(known.Key, EnvironmentStepKind.Restore, $"{known.Key} is restored by {runbook}.", store));
    }
}
