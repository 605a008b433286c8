using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>A Secret with a certificate.</summary>
/// <param name="Certificate">PEM: the leaf, then what vouches for it; null: none.</param>
/// <param name="Authorities">PEM: whom its consumers trust.</param>
/// <param name="Rotation">The rotation of ours that made it; empty: none.</param>
/// <param name="Replaced">Serial numbers of certificates of before that may still have to be revoked.</param>
/// <param name="CertManager">Whether cert-manager says that it is its own.</param>
/// <param name="Version">The resource version.</param>
public sealed record TlsSecret(string? Certificate, SecretText? Key, string? Authorities, string Rotation, IReadOnlyList<string> Replaced, bool CertManager, string Version)
{
    /// <summary>Keystores by their keys, as they are there.</summary>
    public IReadOnlyDictionary<string, byte[]> Stores { get; init; } = new Dictionary<string, byte[]>();
}

/// <summary>Reads and writes Secrets with certificates. What a rotation has to remember stands in their annotations, so that both are written at once or not at all.</summary>
public sealed class TlsSecrets(KubernetesConnection connection)
{
    private const string RotationAnnotation = "certificates.platformops.io/rotation", ReplacedAnnotation = "certificates.platformops.io/replaced";
    private static readonly ObjectKind CertManagerCertificate = new("cert-manager.io/v1", "Certificate");

    /// <summary>Null: there is no such Secret.</summary>
    public async Task<TlsSecret?> FindAsync(string space, string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(ApiCall.Get(Path(space, name), "get", Subject(space, name)) with { Confidential = true }, ct);
        if (answer.Missing)
            return null;
        var metadata = answer.Body["metadata"];
        var owned = metadata?["annotations"]?[Ownership.CertificateNameAnnotation] is not null
            || (metadata?["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>().Any(owner => (string?)owner["kind"] == "Certificate" && ((string?)owner["apiVersion"])?.StartsWith("cert-manager.io/", StringComparison.Ordinal) == true);
        var replaced = (string?)metadata?["annotations"]?[ReplacedAnnotation] ?? "";
        return new(
            Text(answer.Body, "tls.crt"), Text(answer.Body, "tls.key") is { } key ? new(key) : null, Text(answer.Body, "ca.crt"),
            (string?)metadata?["annotations"]?[RotationAnnotation] ?? "", replaced.Split(',', StringSplitOptions.RemoveEmptyEntries), owned, (string)metadata!["resourceVersion"]!)
        {
            Stores = Enum.GetValues<KeystoreFormat>().SelectMany(format => new[] { format.Keystore(), format.Truststore() }).Select(key => (Key: key, Data: (string?)answer.Body["data"]?[key]))
                .Where(store => store.Data is { Length: > 0 }).ToDictionary(store => store.Key, store => Convert.FromBase64String(store.Data!)),
        };
    }

    /// <summary>One value of any Secret; null: it is not there.</summary>
    public async Task<SecretText?> ReadAsync(string space, string name, string key, CancellationToken ct)
    {
        var answer = await connection.SendAsync(ApiCall.Get(Path(space, name), "get", Subject(space, name)) with { Confidential = true }, ct);
        return !answer.Missing && Text(answer.Body, key) is { } value ? new(value) : null;
    }

    /// <summary>Whether a Certificate of cert-manager names the Secret as its own, also before it has written it.</summary>
    public async Task<bool> IsOfCertManagerAsync(string space, string name, CancellationToken ct) =>
        await connection.Kinds.FindOrNullAsync(CertManagerCertificate, ct) is not null
        && (await new LiveObjects(connection).ListAsync(CertManagerCertificate, space, "", ct)).Any(certificate => (string?)certificate.Manifest["spec"]?["secretName"] == name);

    /// <summary>Writes a certificate with its key.</summary>
    /// <param name="before">As it was read; null: it is created.</param>
    /// <param name="stores">Keystores that say the same, by their keys.</param>
    /// <param name="labels">Of a new one.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody else wrote it, or made it, meanwhile.</exception>
    public async Task WriteAsync(
        string space, string name, TlsSecret? before, string certificate, SecretText key, string authorities, IReadOnlyDictionary<string, byte[]> stores, string rotation, IReadOnlyList<string> replaced, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        var metadata = new JsonObject { ["annotations"] = new JsonObject { [RotationAnnotation] = rotation, [ReplacedAnnotation] = Words(replaced) } };
        var data = new JsonObject { ["tls.crt"] = Encoded(certificate), ["tls.key"] = Encoded(key.Reveal()), ["ca.crt"] = Encoded(authorities) };
        Add(data, stores);
        if (before is not null)
        {
            metadata["resourceVersion"] = before.Version;
            await PatchAsync(space, name, new() { ["metadata"] = metadata, ["data"] = data }, ct);
            return;
        }

        await CreateAsync(space, name, "kubernetes.io/tls", metadata, data, labels, ct);
    }

    private async Task CreateAsync(string space, string name, string type, JsonObject metadata, JsonObject data, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        metadata["name"] = name;
        metadata["labels"] = new JsonObject(labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
        var call = new ApiCall(HttpMethod.Post, $"/api/v1/namespaces/{space}/secrets?fieldManager={Ownership.FieldManager}", "create", Subject(space, name))
        {
            Body = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Secret", ["type"] = type, ["metadata"] = metadata, ["data"] = data },
            ContentType = "application/json",
            Confidential = true,
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    /// <summary>Says whom to trust, and leaves the certificate as it is.</summary>
    /// <param name="before">As it was read; null: a Secret with nothing else is created.</param>
    /// <param name="stores">Keystores that say the same, by their keys.</param>
    /// <param name="labels">Of a new one.</param>
    public Task SetAuthoritiesAsync(string space, string name, TlsSecret? before, string authorities, IReadOnlyDictionary<string, byte[]> stores, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        var data = new JsonObject { ["ca.crt"] = Encoded(authorities) };
        Add(data, stores);
        return before is null
            ? CreateAsync(space, name, "Opaque", [], data, labels, ct)
            : PatchAsync(space, name, new() { ["metadata"] = new JsonObject { ["resourceVersion"] = before.Version }, ["data"] = data }, ct);
    }

    /// <summary>Remembers that certificates of before are revoked.</summary>
    public Task ForgetReplacedAsync(string space, string name, TlsSecret before, CancellationToken ct) => PatchAsync(
        space, name, new() { ["metadata"] = new JsonObject { ["resourceVersion"] = before.Version, ["annotations"] = new JsonObject { [ReplacedAnnotation] = null } } }, ct);

    private async Task PatchAsync(string space, string name, JsonObject patch, CancellationToken ct)
    {
        var call = new ApiCall(HttpMethod.Patch, $"{Path(space, name)}?fieldManager={Ownership.FieldManager}", "patch", Subject(space, name))
        {
            Body = patch,
            ContentType = "application/merge-patch+json",
            Confidential = true,
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    private static void Add(JsonObject data, IReadOnlyDictionary<string, byte[]> stores)
    {
        foreach (var (key, store) in stores)
            data[key] = Convert.ToBase64String(store);
    }

    private static string? Words(IReadOnlyList<string> serials) => serials.Count == 0 ? null : string.Join(',', serials);

    private static string Path(string space, string name) => $"/api/v1/namespaces/{space}/secrets/{name}";

    private static string Subject(string space, string name) => $"Secret {space}/{name}";

    private static string? Text(JsonObject secret, string key) => (string?)secret["data"]?[key] is { Length: > 0 } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
