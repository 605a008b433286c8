using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Whom the API server trusts when it calls webhooks: the <c>caBundle</c> of webhook configurations.</summary>
public sealed class WebhookTrust(KubernetesConnection connection)
{
    private const string Api = "admissionregistration.k8s.io/v1";

    /// <summary>What all webhooks of a configuration are trusted by, as PEM; empty where one has none. Null: there is no such configuration.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    public async Task<string?> ReadAsync(string name, CancellationToken ct)
    {
        var parts = name.Split('/');
        if (await new LiveObjects(connection).FindAsync(new(connection.Region, Api, parts[0], null, parts[1]), ct) is not { } found)
            return null;
        var bundles = Webhooks(found.Manifest).Select(webhook => (string?)webhook["clientConfig"]?["caBundle"] ?? "").Distinct().ToList();
        // Different ones are as good as none: they are all written.
        return bundles.Count == 1 ? Encoding.UTF8.GetString(Convert.FromBase64String(bundles[0])) : "";
    }

    /// <summary>Has all webhooks of a configuration trusted by the same authorities.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody else changed it meanwhile.</exception>
    public async Task WriteAsync(string name, string authorities, CancellationToken ct)
    {
        var parts = name.Split('/');
        var address = new ResourceAddress(connection.Region, Api, parts[0], null, parts[1]);
        if (await new LiveObjects(connection).FindAsync(address, ct) is not { } found)
            throw new AdapterException(AdapterFailureKind.Missing, $"{name} is not there.");
        var webhooks = Webhooks(found.Manifest).Select(webhook => (JsonObject)webhook.DeepClone()).ToList();
        foreach (var webhook in webhooks)
            (webhook["clientConfig"] as JsonObject ?? [])["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(authorities));
        var served = await connection.Kinds.FindAsync(new(Api, parts[0]), ct);
        var call = new ApiCall(HttpMethod.Patch, $"{served.Path(null, parts[1])}?fieldManager=platformops-certificates", "patch", LiveObjects.InWords(address))
        {
            Body = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = (string?)found.Manifest["metadata"]!["resourceVersion"] }, ["webhooks"] = new JsonArray([.. webhooks]) },
            ContentType = "application/merge-patch+json",
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    private static IEnumerable<JsonObject> Webhooks(JsonObject configuration) => (configuration["webhooks"] as JsonArray ?? []).OfType<JsonObject>();
}
