using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>A Secret that External Secrets writes from what a rotation keeps.</summary>
/// <param name="Writer">The ExternalSecret, in the same namespace.</param>
/// <param name="UsernameKey">Where the copy has the user name; null: it has none.</param>
/// <param name="PasswordKey">Where it has the value; null: it has none.</param>
/// <param name="FromVault">Whether it comes from Vault, and not from the Secret of another namespace.</param>
/// <param name="Trouble">What External Secrets says is wrong with it; null: nothing.</param>
public sealed record SecretCopy(string Namespace, string Secret, string Writer, string? UsernameKey, string? PasswordKey, bool FromVault, string? Trouble);

/// <summary>What External Secrets does with a credential: which Secrets it writes from it, and having it look again now.</summary>
public sealed class SecretCopies(KubernetesConnection connection)
{
    /// <summary>Changing any annotation has External Secrets read the store at once; this is the one that its documentation uses.</summary>
    private const string ForceSync = "force-sync";

    private const string Group = "external-secrets.io/v1";

    private static readonly ObjectKind Kind = new(Group, "ExternalSecret");

    private readonly LiveObjects objects = new(connection);

    /// <summary>The copies in the whole cluster; none where nobody serves ExternalSecrets.</summary>
    /// <param name="mount">Vault's key/value engine.</param>
    /// <param name="path">There.</param>
    /// <param name="source">The Secret that consumers have it from, from which others may be copied.</param>
    /// <param name="username">The key of the user name in it; null: it has none.</param>
    /// <param name="password">The key of the value in it.</param>
    public async Task<IReadOnlyList<SecretCopy>> FindAsync(string mount, string path, (string Namespace, string Secret) source, string? username, string password, CancellationToken ct)
    {
        if ((await objects.ServedAsync([Kind], ct)).Count == 0)
            return [];
        var (stores, copies) = (new Dictionary<(string, string?, string), JsonObject?>(), new List<SecretCopy>());
        foreach (var item in await objects.ListAsync(Kind, null, "", ct))
        {
            var (spec, space) = (item.Manifest["spec"], item.Address.Namespace!);
            var reference = spec?["secretStoreRef"];
            var kind = (string?)reference?["kind"] ?? "SecretStore";
            var key = (kind, kind == "SecretStore" ? space : null, (string?)reference?["name"] ?? "");
            if (!stores.TryGetValue(key, out var store))
                stores[key] = store = (await objects.FindAsync(new(connection.Region, Group, key.kind, key.Item2, key.Item3), ct))?.Manifest["spec"]?["provider"] as JsonObject;
            var fromVault = store?["vault"] is { } vault && ((string?)vault["path"] ?? "secret") == mount;
            var fromSource = store?["kubernetes"] is { } other && ((string?)other["remoteNamespace"] ?? space) == source.Namespace;
            if (!fromVault && !fromSource)
                continue;
            var (wanted, user, value) = fromVault ? (path, "username", "password") : (source.Secret, username, password);
            var entries = Items(spec?["data"]).Where(entry => (string?)entry["remoteRef"]?["key"] == wanted).ToList();
            var whole = Items(spec?["dataFrom"]).Any(entry => (string?)entry["extract"]?["key"] == wanted);
            if (entries.Count == 0 && !whole)
                continue;
            copies.Add(new(space, (string?)spec?["target"]?["name"] ?? item.Address.Name, item.Address.Name, In(user), In(value), fromVault, Trouble(item.Manifest)));

            string? In(string? property) => property is null ? null
                : (string?)entries.Find(entry => (string?)entry["remoteRef"]?["property"] == property)?["secretKey"] ?? (whole ? property : null);
        }

        return copies;
    }

    /// <summary>Has External Secrets read the store and write the Secret now.</summary>
    /// <param name="when">Another one than before, for example the time.</param>
    public async Task RefreshAsync(SecretCopy copy, string when, CancellationToken ct)
    {
        var served = await connection.Kinds.FindAsync(Kind, ct);
        var call = new ApiCall(HttpMethod.Patch, $"{served.Path(copy.Namespace, copy.Writer)}?fieldManager=platformops-secrets", "patch", $"ExternalSecret {copy.Namespace}/{copy.Writer}")
        {
            Body = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [ForceSync] = when } } },
            ContentType = "application/merge-patch+json",
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    private static string? Trouble(JsonObject item) => Items(item["status"]?["conditions"])
        .Where(condition => (string?)condition["type"] == "Ready" && (string?)condition["status"] != "True").Select(condition => (string?)condition["message"]).FirstOrDefault();

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}
