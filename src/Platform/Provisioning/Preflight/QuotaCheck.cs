using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning.Preflight;

/// <summary>Whether the resource quotas of a region leave room for what is planned, before anything of it is made. What a quota counts that a
/// declaration does not say (numbers of other kinds, scopes, defaults of a LimitRange) is left to the cluster.</summary>
public static class QuotaCheck
{
    private const int ConsumersShown = 3;

    /// <summary>One sentence for every quota that is too small, with the next step; empty when there is room.</summary>
    /// <param name="desired">Everything that is planned for the region.</param>
    /// <param name="live">What is there of it.</param>
    /// <param name="quotas">Every live ResourceQuota of the region, whoever owns it.</param>
    /// <param name="claims">Every live PersistentVolumeClaim of the region, whoever owns it: what a StatefulSet finds again is in use already.</param>
    public static IReadOnlyList<string> Problems(
        IReadOnlyCollection<DesiredObject> desired, IReadOnlyCollection<ObservedObject> live, IReadOnlyCollection<ObservedObject> quotas,
        IReadOnlyCollection<ObservedObject> claims)
    {
        var claimed = claims.ToLookup(claim => claim.Address.Namespace, claim => claim.Address.Name);
        var addresses = desired.Select(item => item.Address).ToHashSet();
        var before = live.Where(item => addresses.Contains(item.Address)).DistinctBy(item => item.Address).ToDictionary(item => item.Address, item => item.Manifest);
        return
        [
            .. Effective(desired, quotas).OrderBy(quota => quota.Address.ToString(), StringComparer.Ordinal).SelectMany(quota =>
            {
                var consumers = desired.Where(item => item.Address.Namespace == quota.Address.Namespace).ToList();
                var there = claimed[quota.Address.Namespace].ToHashSet();
                return quota.Hard.Select(limit => Problem(quota, limit.Key, limit.Value, consumers, before, there)).OfType<string>();
            }),
        ];
    }

    /// <summary>As they will be: the declared ones, and those of others as they are.</summary>
    private static IEnumerable<Quota> Effective(IReadOnlyCollection<DesiredObject> desired, IReadOnlyCollection<ObservedObject> quotas)
    {
        var live = quotas.DistinctBy(item => item.Address).ToDictionary(item => item.Address, item => item.Manifest);
        var declared = desired.Where(item => item.Address is { ApiVersion: "v1", Kind: "ResourceQuota" }).ToDictionary(item => item.Address, item => item.Manifest);
        return live.Keys.Union(declared.Keys).Select(address => new Quota(
            address,
            Amounts(declared.GetValueOrDefault(address)?["spec"]?["hard"] ?? live.GetValueOrDefault(address)?["spec"]?["hard"]),
            Amounts(live.GetValueOrDefault(address)?["status"]?["used"])));
    }

    private static string? Problem(
        Quota quota, string resource, decimal hard, List<DesiredObject> consumers, Dictionary<ResourceAddress, JsonObject> before, HashSet<string> claims)
    {
        var increases = consumers
            .Select(item => (item.Address, Amount: Demand.Of(item.Manifest, resource, claims) - (before.TryGetValue(item.Address, out var there) ? Demand.Of(there, resource, claims) : 0)))
            .ToList();
        var increase = increases.Sum(item => item.Amount);
        var used = quota.Used.GetValueOrDefault(resource);
        if (increase <= 0 || used + increase <= hard)
            return null;
        var largest = increases.Where(item => item.Amount > 0).OrderByDescending(item => item.Amount).ToList();
        var more = largest.Count > ConsumersShown ? $" and {largest.Count - ConsumersShown} others" : "";
        return $"{quota.Address} limits {resource} to {Show(hard, resource)}; {Show(used, resource)} are in use and this plan needs {Show(increase, resource)} more, {Show(used + increase - hard, resource)} too many "
            + $"({string.Join(", ", largest.Take(ConsumersShown).Select(item => $"{item.Address.Kind} {item.Address.Name} {Show(item.Amount, resource)}"))}{more}). Raise the quota, or ask for less.";
    }

    private static Dictionary<string, decimal> Amounts(JsonNode? amounts) => (amounts as JsonObject ?? [])
        .Where(pair => pair.Value is not null && Quantity.TryParse(FieldPath.Text(pair.Value), out _))
        .ToDictionary(pair => pair.Key, pair => Quantity.TryParse(FieldPath.Text(pair.Value!), out var amount) ? amount : 0);

    private static string Show(decimal amount, string resource) => resource.EndsWith("memory", StringComparison.Ordinal) || resource.EndsWith("storage", StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"{amount / (1024m * 1024 * 1024):0.##}Gi")
        : amount.ToString("0.###", CultureInfo.InvariantCulture);

    private sealed record Quota(ResourceAddress Address, Dictionary<string, decimal> Hard, Dictionary<string, decimal> Used);
}
