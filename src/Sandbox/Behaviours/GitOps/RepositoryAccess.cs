using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>
/// How Argo CD fetches: what it shows a repository comes from the Secrets with its label in its own namespace, and what it fetched once answers from caches until somebody asks for a hard refresh.
/// A repository without such a Secret is open to everybody.
/// </summary>
internal sealed class RepositoryAccess(Cluster cluster, BehaviourOptions options)
{
    private const string SecretType = "argocd.argoproj.io/secret-type";

    private readonly ConcurrentDictionary<(string Application, string Source), bool> _fetched = new();
    private readonly ConcurrentDictionary<ObjectKey, (string Pods, JsonNode? Data)> _read = new();

    /// <summary>Fetches what an Application is made of.</summary>
    /// <param name="hard">Whether caches do not count.</param>
    /// <returns>Why a repository did not let it in; null: it has everything.</returns>
    public string? Fetch(ClusterObject application, ApplicationSource source, bool hard)
    {
        var key = ($"{application.Namespace}/{application.Name}", $"{source.Repository} {source.Chart} {source.Version}");
        if (!hard && _fetched.ContainsKey(key))
            return null;
        _fetched.TryRemove(key, out _);
        if (options.OpenRepository is { } open && Find(application.Namespace, source.Repository) is { } secret && Shown(secret) is var data
            && open(source.Repository, Value(data, "username"), Value(data, "password")) is { } refusal)
            return $"error fetching chart: failed to fetch chart: failed to get index: {refusal}";
        _fetched[key] = true;
        return null;
    }

    /// <summary>A Secret of the very repository comes before one whose address it begins with; of several of these the longest counts.</summary>
    private ClusterObject? Find(string space, string repository) =>
        Labelled(space, "repository").FirstOrDefault(secret => Normal(Value(secret.Body.At("data"), "url")) == Normal(repository))
        ?? Labelled(space, "repo-creds").Where(secret => Value(secret.Body.At("data"), "url") is { Length: > 0 } url && repository.StartsWith(url, StringComparison.OrdinalIgnoreCase))
            .MaxBy(secret => Value(secret.Body.At("data"), "url").Length);

    private IEnumerable<ClusterObject> Labelled(string space, string type) =>
        cluster.Of(Resources.Secrets).All.Where(secret => secret.Namespace == space && secret.Labels.Text(SecretType) == type);

    /// <summary>What the controller has read of a Secret: what it holds, unless the controller goes on with what it had when its pods started.</summary>
    private JsonNode? Shown(ClusterObject secret)
    {
        var pods = string.Join(' ', cluster.Of(Resources.Pods).All.Where(pod => pod.Namespace == secret.Namespace && pod.Labels.Text("app.kubernetes.io/name") == ApplicationController.Workload).Select(pod => pod.Uid).Order());
        if (options.Misbehaviour(secret.Namespace, ApplicationController.Workload) == MisbehaviourKind.StaleSecrets && _read.TryGetValue(secret.Key, out var before) && before.Pods == pods)
            return before.Data;
        var data = secret.Body.At("data")?.DeepClone();
        _read[secret.Key] = (pods, data);
        return data;
    }

    private static string Value(JsonNode? data, string key) => data.Text(key) is { } text ? Encoding.UTF8.GetString(Convert.FromBase64String(text)) : "";

    private static string Normal(string url)
    {
        var plain = url.Trim().TrimEnd('/').ToLowerInvariant();
        return plain.EndsWith(".git", StringComparison.Ordinal) ? plain[..^4] : plain;
    }
}
