using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Secrets;

/// <summary>
/// External Secrets' ExternalSecret: a Secret with every key that it names. What a store holds is read when the object's specification, labels or annotations change, or its interval is over; in between the
/// Secret is kept as it was read. A store of the provider Kubernetes is another namespace. Vault is read where the sandbox has one; where it has none, a value is made from the seed, the store, the key and the
/// property, so the same question has the same answer everywhere.
/// </summary>
internal sealed partial class ExternalSecretController : CustomController
{
    private const string Group = "external-secrets.io";

    private readonly ConcurrentDictionary<ObjectKey, (string Version, DateTimeOffset At, JsonObject Data)> read = new();

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
            await FailedAsync(item, $"could not get secret data from provider: {store.Kind} \"{store.Name}\" is not ready", ct);
            return;
        }

        var (version, interval) = (Version(item), Interval(item));
        // One that is to be created once is never read again as long as it is there.
        var once = item.Spec.Text("refreshPolicy") == "CreatedOnce" && item.Status.Text("refreshTime") is not null && Cluster.Of(Resources.Secrets).Find(item.Namespace, Target(item)) is not null;
        if (once)
            return;
        var known = read.TryGetValue(key, out var before) && before.Version == version && (interval == TimeSpan.Zero || Now - before.At < interval);
        if (!known)
        {
            try
            {
                before = (version, Now, await DataAsync(item, found, ct));
            }
            catch (StoreException failure)
            {
                await FailedAsync(item, $"could not get secret data from provider: {failure.Message}", ct);
                LookAgain(key, Options.Scaled(TimeSpan.FromSeconds(1)));
                return;
            }

            read[key] = before;
        }

        var secret = await EnsureAsync(Resources.Secrets, item.Namespace, Secret(item, before.Data), ct);
        var status = Status(item, new("Ready", true, "SecretSynced", "secret synced"));
        status["binding"] = new JsonObject { ["name"] = secret.Name };
        status["syncedResourceVersion"] = version;
        if (!known || item.Status.Text("refreshTime") is null)
            status["refreshTime"] = Now.Stamp();
        await WriteStatusAsync(item, status, ct);
        if (interval > TimeSpan.Zero)
            LookAgain(key, before.At + interval - Now);
    }

    private static (string Kind, string Name) Store(ClusterObject item) =>
        (item.Spec.At("secretStoreRef").Text("kind") ?? "SecretStore", item.Spec.At("secretStoreRef").Text("name") ?? "");

    private static string Target(ClusterObject item) => item.Spec.At("target").Text("name") is { Length: > 0 } name ? name : item.Name;

    /// <summary>Changes when the object is to be read anew.</summary>
    private static string Version(ClusterObject item)
    {
        var said = $"{item.Body.At("metadata").At("labels")?.ToJsonString()} {item.Body.At("metadata").At("annotations")?.ToJsonString()}";
        return $"{item.Generation}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(said)))[..32]}";
    }

    /// <summary>Hours, minutes and seconds such as <c>1h0m0s</c>; by default one hour. Zero: never again.</summary>
    private static TimeSpan Interval(ClusterObject item)
    {
        if (item.Spec.Text("refreshInterval") is not { } text)
            return TimeSpan.FromHours(1);
        var (all, number) = (TimeSpan.Zero, "");
        foreach (var letter in text)
        {
            if (char.IsAsciiDigit(letter))
            {
                number += letter;
                continue;
            }

            var amount = int.Parse(number.Length == 0 ? "0" : number, System.Globalization.CultureInfo.InvariantCulture);
            all += letter switch { 'h' => TimeSpan.FromHours(amount), 'm' => TimeSpan.FromMinutes(amount), _ => TimeSpan.FromSeconds(amount) };
            number = "";
        }

        return all;
    }

    private Task FailedAsync(ClusterObject item, string problem, CancellationToken ct) => WriteStatusAsync(item, Status(item, new("Ready", false, "SecretSyncedError", problem)), ct);

    private JsonObject Status(ClusterObject item, Condition ready) => new() { ["conditions"] = Conditions.Set(item.Status, Now, [ready]) };

    private static JsonObject Secret(ClusterObject item, JsonObject data)
    {
        var template = item.Spec.At("target").At("template");
        var metadata = new JsonObject { ["name"] = Target(item) };
        foreach (var field in (string[])["labels", "annotations"])
            if (template.At("metadata").At(field) is { } value)
                metadata[field] = value.DeepClone();
        if (item.Spec.At("target").Text("creationPolicy") is null or "Owner")
            metadata["ownerReferences"] = new JsonArray(item.AsController());
        return new() { ["metadata"] = metadata, ["type"] = template.Text("type") ?? "Opaque", ["data"] = data.DeepClone() };
    }

    /// <summary>What a template makes of what was read; of its language only <c>{{ .key }}</c>. By default the template's keys take the place of what was read.</summary>
    private static JsonObject Templated(ClusterObject item, JsonObject read)
    {
        var template = item.Spec.At("target").At("template");
        if (template.At("data") is not JsonObject texts)
            return read;
        var data = template.Text("mergePolicy") == "Merge" ? (JsonObject)read.DeepClone() : [];
        foreach (var (key, text) in texts)
            data[key] = Encoded(Expression().Replace((string?)text ?? "", match => match.Groups["key"].Success
                ? (string?)read[match.Groups["key"].Value] is { } value ? Encoding.UTF8.GetString(Convert.FromBase64String(value)) : throw new StoreException($"could not apply template: map has no entry for key \"{match.Groups["key"].Value}\"")
                : throw new StoreException($"could not apply template: the sandbox does not know {match.Value}")));
        return data;
    }

    [GeneratedRegex(@"\{\{ *\.(?<key>[A-Za-z_][A-Za-z0-9_]*) *\}\}|\{\{.*?\}\}")]
    private static partial Regex Expression();

    private async Task<JsonObject> DataAsync(ClusterObject item, ClusterObject store, CancellationToken ct)
    {
        var data = new JsonObject();
        foreach (var entry in item.Spec.Items("data"))
            data[entry.Text("secretKey") ?? ""] = Encoded(await ValueAsync(store, entry.At("remoteRef").Text("key") ?? "", entry.At("remoteRef").Text("property") ?? "", ct));
        foreach (var key in item.Spec.Items("dataFrom").Select(entry => entry.At("extract").Text("key")).OfType<string>())
            foreach (var (property, value) in await AllAsync(store, key, ct))
                data[property] = Encoded(value);
        return Templated(item, data);
    }

    private async Task<string> ValueAsync(ClusterObject store, string key, string property, CancellationToken ct) =>
        await KeptAsync(store, key, [property], ct) is not { } kept ? Made(store, key, property)
        : kept.TryGetValue(property, out var value) ? value : throw new StoreException($"cannot find secret data for key: \"{key}\", property \"{property}\"");

    /// <summary>Where the sandbox has no store to ask: these two every login has.</summary>
    private async Task<IReadOnlyDictionary<string, string>> AllAsync(ClusterObject store, string key, CancellationToken ct) => await KeptAsync(store, key, ["username", "password"], ct)
        ?? new Dictionary<string, string> { ["username"] = Made(store, key, "username"), ["password"] = Made(store, key, "password") };

    /// <summary>What a store holds under a key; null: the sandbox has no such store.</summary>
    private async Task<IReadOnlyDictionary<string, string>?> KeptAsync(ClusterObject store, string key, IReadOnlyList<string> properties, CancellationToken ct)
    {
        var provider = store.Spec.At("provider");
        if (provider.At("kubernetes") is { } elsewhere)
        {
            var space = elsewhere.Text("remoteNamespace") ?? store.Namespace;
            return Cluster.Of(Resources.Secrets).Find(space, key) is { } secret
                ? ((secret.Body.At("data") as JsonObject) ?? []).ToDictionary(pair => pair.Key, pair => Encoding.UTF8.GetString(Convert.FromBase64String((string)pair.Value!)))
                : throw new StoreException($"secrets \"{key}\" not found");
        }

        if (provider.At("vault") is not { } vault || Options.ReadVault is not { } reading)
            return null;
        try
        {
            return await reading(vault.Text("server") ?? "", vault.Text("path") ?? "secret", key, properties, ct) ?? throw new StoreException("Secret does not exist");
        }
        catch (Exception failure) when (failure is not StoreException && !ct.IsCancellationRequested)
        {
            throw new StoreException($"cannot read secret data from Vault: {failure.Message}");
        }
    }

    private string Made(ClusterObject store, string? key, string? property) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Options.Seed}/{store.Name}/{key}/{property}")))[..32];

    private static string Encoded(string value) => Convert.ToBase64String(Encoding.UTF8.GetBytes(value));

    private sealed class StoreException(string message) : Exception(message);
}
