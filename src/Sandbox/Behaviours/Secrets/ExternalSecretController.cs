using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Secrets;

/// <summary>
/// External Secrets' ExternalSecret: a Secret with every key that it names. The sandbox has no store to ask: a value is made from the seed, the store, the
/// key and the property, so the same question has the same answer everywhere.
/// </summary>
internal sealed class ExternalSecretController : CustomController
{
    private const string Group = "external-secrets.io";

    public ExternalSecretController(Cluster cluster, BehaviourOptions options) : base(cluster, options, Group, "ExternalSecret")
    {
        On(Resources.Secrets, change => change.Latest.Controller is { Kind: "ExternalSecret" } owner ? [new(change.Latest.Namespace, owner.Name)] : []);
        foreach (var kind in (string[])["SecretStore", "ClusterSecretStore"])
            OnCustom(Group, kind, change => All().Where(item => Store(item).Name == change.Latest.Name).Select(item => item.Key));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { Deleting: false } item || !IsDue(item, item.Created))
            return;
        var store = Store(item);
        if (Find(Group, store.Kind, item.Namespace, store.Name) is not { } found || !Conditions.IsTrue(found.Status, "Ready"))
        {
            var problem = $"could not get secret data from provider: {store.Kind} \"{store.Name}\" is not ready";
            await WriteStatusAsync(item, Status(item, new("Ready", false, "SecretSyncedError", problem)), ct);
            return;
        }
        var before = Cluster.Of(Resources.Secrets).Find(item.Namespace, Target(item));
        var secret = await EnsureAsync(Resources.Secrets, item.Namespace, Secret(item, store.Name), ct);
        var status = Status(item, new("Ready", true, "SecretSynced", "secret synced"));
        status["binding"] = new JsonObject { ["name"] = secret.Name };
        status["syncedResourceVersion"] = $"{item.Generation}";
        if (before?.Version != secret.Version || item.Status.Text("refreshTime") is null)
            status["refreshTime"] = Now.Stamp();
        await WriteStatusAsync(item, status, ct);
    }

    private static (string Kind, string Name) Store(ClusterObject item) =>
        (item.Spec.At("secretStoreRef").Text("kind") ?? "SecretStore", item.Spec.At("secretStoreRef").Text("name") ?? "");

    private static string Target(ClusterObject item) => item.Spec.At("target").Text("name") is { Length: > 0 } name ? name : item.Name;

    private JsonObject Status(ClusterObject item, Condition ready) => new() { ["conditions"] = Conditions.Set(item.Status, Now, [ready]) };

    private JsonObject Secret(ClusterObject item, string store)
    {
        var template = item.Spec.At("target").At("template");
        var metadata = new JsonObject { ["name"] = Target(item) };
        foreach (var field in (string[])["labels", "annotations"])
            if (template.At("metadata").At(field) is { } value)
                metadata[field] = value.DeepClone();
        if (item.Spec.At("target").Text("creationPolicy") is null or "Owner")
            metadata["ownerReferences"] = new JsonArray(item.AsController());
        var data = new JsonObject();
        foreach (var entry in item.Spec.Items("data"))
            data[entry.Text("secretKey") ?? ""] = Value(store, entry.At("remoteRef").Text("key"), entry.At("remoteRef").Text("property"));
        // What a whole secret holds is not known; these two every login has.
        foreach (var key in item.Spec.Items("dataFrom").Select(entry => entry.At("extract").Text("key")).OfType<string>())
            foreach (var property in (string[])["username", "password"])
                data[property] = Value(store, key, property);
        return new() { ["metadata"] = metadata, ["type"] = template.Text("type") ?? "Opaque", ["data"] = data };
    }

    private string Value(string store, string? key, string? property)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{Options.Seed}/{store}/{key}/{property}"));
        return Convert.ToBase64String(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(digest)[..32]));
    }
}
