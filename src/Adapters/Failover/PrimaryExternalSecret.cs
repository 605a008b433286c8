using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Adapters.Failover;

/// <summary>An ExternalSecret whose references lead to what the store keeps for the primary: of the keys that are stated, one for each node, it has that of the primary. External Secrets reads the store
/// anew when the object changes.</summary>
public sealed class PrimaryExternalSecret(KubernetesConnection connection, ExternalSecretPointer pointer)
{
    private const string Group = "external-secrets.io/v1";

    private static readonly string[] Lists = ["data", "dataFrom"];

    private string Subject => $"ExternalSecret {pointer.Namespace}/{pointer.Name}";

    private EpochObject Object => new(connection, $"/apis/{Group}/namespaces/{Uri.EscapeDataString(pointer.Namespace)}/externalsecrets", pointer.Name, Subject);

    /// <summary>The node whose key all its references have, and of which epoch it is; null: they have none, or not one for all.</summary>
    public async Task<(string? Node, long Epoch)> ReadAsync(CancellationToken ct) =>
        await Object.FindAsync(ct) is { } found ? (Leads(found), EpochObject.Epoch(found)) : (null, 0);

    /// <summary>What keeps a failover from changing it: a permission, or that it is not there; null: nothing. Changes nothing.</summary>
    public Task<string?> MissingAsync(CancellationToken ct) => Object.MissingAsync(mayCreate: false, ct);

    /// <summary>Gives its references the key of a node; those with other keys than the stated ones stay.</summary>
    /// <returns>False when it was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch, there is none, or it has none of the keys. <see cref="AdapterFailureKind.Moved"/>: somebody changed it meanwhile.</exception>
    public async Task<bool> LeadToAsync(string node, long epoch, CancellationToken ct)
    {
        var found = await Object.FindAsync(epoch, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is no {Subject} in {connection.Region}, which is to lead to the primary. Create it, or take it out of externalSecrets in the connections file.");
        if (References(found).Count == 0)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject} in {connection.Region} has none of the keys {string.Join(", ", pointer.Keys.Values)}: it leads to no node. Correct it, or keys in the connections file.");
        if (EpochObject.Epoch(found) == epoch && Leads(found) == node)
            return false;
        foreach (var reference in References(found))
            reference["key"] = pointer.Keys[node];
        // A merge patch has lists as a whole; the resourceVersion sees to it that they are those that were read.
        var spec = new JsonObject(Lists.Where(list => found["spec"]?[list] is not null).Select(list => KeyValuePair.Create(list, found["spec"]![list]!.DeepClone()))!);
        await Object.WriteAsync(found, new() { ["spec"] = spec }, epoch, ct);
        return true;
    }

    private string? Leads(JsonObject found) =>
        References(found).Select(reference => (string?)reference["key"]).Distinct().ToList() is [var key] ? pointer.Keys.FirstOrDefault(known => known.Value == key).Key : null;

    private List<JsonObject> References(JsonObject found) =>
    [
        .. Items(found["spec"]?["data"]).Select(entry => entry["remoteRef"]).Concat(Items(found["spec"]?["dataFrom"]).Select(entry => entry["extract"])).OfType<JsonObject>()
            .Where(reference => (string?)reference["key"] is { } key && pointer.Keys.Values.Contains(key)),
    ];

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}
