using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Argo CD's Applications as consumers of the Secrets that it reads through the API: which are served with one, how far they are, and having them compared.</summary>
public sealed class ArgoCdReaders(KubernetesConnection connection)
{
    private const string FieldManager = "platformops-secrets";

    private static readonly ObjectKind Applications = new("argoproj.io/v1alpha1", "Application"), Sets = new("argoproj.io/v1alpha1", "ApplicationSet");

    private readonly LiveObjects objects = new(connection);

    /// <summary>What a Secret is for Argo CD, in its words; null: nothing, or there is no such Secret.</summary>
    public async Task<string?> TypeAsync(string space, string secret, CancellationToken ct) =>
        (string?)(await objects.FindAsync(new(connection.Region, "v1", "Secret", space, secret), ct))?.Manifest["metadata"]?["labels"]?[ArgoCdReading.SecretType];

    /// <summary>The workloads that read such Secrets in their namespace, as <c>Kind/name</c>.</summary>
    public async Task<IReadOnlyList<string>> ControllersAsync(string space, CancellationToken ct) =>
        [.. (await objects.InNamespaceAsync(space, [new("apps/v1", "StatefulSet"), new("apps/v1", "Deployment")], ct)).Where(workload => ArgoCdReading.IsController(workload.Manifest)).Select(workload => $"{workload.Address.Kind}/{workload.Address.Name}")];

    /// <summary>Everybody who is served with it, as consumers are named in its namespace.</summary>
    /// <param name="type">What it is for Argo CD.</param>
    /// <param name="space">Its namespace, which is Argo CD's.</param>
    /// <param name="stamp">The name by which it is remembered what was asked for.</param>
    /// <param name="version">The version that they are to be compared with; 0: none yet.</param>
    /// <param name="read">Whether every application controller is proved to have read that version: before that an answer would prove nothing.</param>
    public async Task<IReadOnlyList<SecretConsumer>> FindAsync(string type, string space, string secret, string stamp, int version, bool read, CancellationToken ct)
    {
        if (!ArgoCdReading.IsRead(type))
            return [new($"Secret/{secret}", true, ConsumerStanding.Unknown, $"Argo CD takes it as {type}, and nothing shows with which value it works. Skip it if you answer for it.")];
        var values = await new SecretReader(connection).FindAsync(space, secret, ct) ?? new Dictionary<string, SecretText>();
        var (url, name) = (values.GetValueOrDefault(type == "cluster" ? "server" : "url")?.Reveal(), values.GetValueOrDefault("name")?.Reveal());
        var found = new List<SecretConsumer>();
        foreach (var application in await ListAsync(Applications, ct))
        {
            if (!ArgoCdReading.Serves(type, url, name, application.Manifest))
                continue;
            var mark = (string?)application.Manifest["metadata"]?["annotations"]?[SecretConsumers.Annotation(stamp)];
            var (standing, detail) = read ? ArgoCdReading.Judge(application.Manifest, mark, version) : (ConsumerStanding.Unknown, "It is compared when Argo CD's application controller has started with this version.");
            found.Add(new(Named(application), true, standing, detail) { Asked = true });
        }

        // Its generators fetch too, in a controller of their own.
        foreach (var set in type == "cluster" ? [] : await ListAsync(Sets, ct))
            if (url is not null && set.Manifest["spec"]?["generators"]?.ToJsonString().Contains(url, StringComparison.OrdinalIgnoreCase) == true)
                found.Add(new(Named(set), true, ConsumerStanding.Unknown, "One of its generators reads the repository, and nothing shows with which value. Skip it if you answer for it."));
        return found;

        string Named(ObservedObject item) => ConsumerName.Of(space, item.Address.Namespace!, $"{item.Address.Kind}/{item.Address.Name}");
    }

    /// <summary>Has an Application compared past all caches. For a version with which it was compared well already nothing happens.</summary>
    /// <param name="versions">By what is remembered, the versions that it is compared with.</param>
    public async Task CompareAsync(string space, string name, IReadOnlyDictionary<string, int> versions, CancellationToken ct)
    {
        var served = await connection.Kinds.FindAsync(Applications, ct);
        var address = new ResourceAddress(connection.Region, Applications.ApiVersion, Applications.Kind, space, name);
        // One that is gone is served with nothing.
        if (await objects.FindAsync(address, ct) is not { } application || versions.All(IsCompared))
            return;
        var annotations = new JsonObject(versions.Select(version => KeyValuePair.Create(SecretConsumers.Annotation(version.Key), (JsonNode?)ArgoCdReading.Mark(version.Value, application.Manifest))))
        {
            [ArgoCdReading.Refresh] = "hard",
        };
        var call = new ApiCall(HttpMethod.Patch, $"{served.Path(space, name)}?fieldManager={FieldManager}", "patch", LiveObjects.InWords(address))
        {
            Body = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = (string?)application.Manifest["metadata"]?["resourceVersion"], ["annotations"] = annotations } },
            ContentType = "application/merge-patch+json",
        };
        await connection.SendAsync(call, ct);

        bool IsCompared(KeyValuePair<string, int> version) =>
            ArgoCdReading.Judge(application.Manifest, (string?)application.Manifest["metadata"]?["annotations"]?[SecretConsumers.Annotation(version.Key)], version.Value).Standing is ConsumerStanding.Current or ConsumerStanding.Changing;
    }

    private async Task<IReadOnlyList<ObservedObject>> ListAsync(ObjectKind kind, CancellationToken ct) =>
        (await objects.ServedAsync([kind], ct)).Count == 0 ? [] : await objects.ListAsync(kind, null, "", ct);
}
