using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.NewRelic;

/// <summary>Alert policies of New Relic (REST API v2) by <c>name</c>, in the account of our key.</summary>
internal sealed class NewRelicAlertPolicies(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var name = declared.Need("NewRelicAlertPolicy", "name");
        var answer = await api.GetAsync($"v2/alerts_policies.json?filter[name]={Uri.EscapeDataString(name)}&filter[exact_match]=true", $"find alert policy {name}", ct);
        var found = (answer?["policies"] as JsonArray ?? []).OfType<JsonObject>().Where(policy => policy.Word("name") == name).ToList();
        return found.Count > 1
            ? throw new AdapterException(AdapterFailureKind.Rejected, $"New Relic has {found.Count} alert policies with the name {name}: rename or delete all but one.")
            : found.SingleOrDefault();
    }
}
