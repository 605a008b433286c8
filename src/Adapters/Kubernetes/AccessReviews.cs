using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning.Preflight;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Asks an API server what our credentials may do (SelfSubjectAccessReview). Changes nothing.</summary>
public sealed class AccessReviews(KubernetesConnection connection)
{
    private const string Path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    /// <summary>Those among the needs that are not granted. Kinds that the cluster does not serve are left out: nobody can say whether they would be.</summary>
    public async Task<IReadOnlyList<AccessNeed>> DeniedAsync(IReadOnlyCollection<AccessNeed> needs, CancellationToken ct)
    {
        // Whoever may do everything is asked once.
        if (needs.Count == 0 || await MayAsync("*", "*", "*", null, ct))
            return [];
        var denied = new List<AccessNeed>();
        foreach (var need in needs)
        {
            if (await connection.Kinds.FindOrNullAsync(new(need.ApiVersion, need.Kind), ct) is { } kind
                && !await MayAsync(need.Verb, Group(need.ApiVersion), kind.Resource, need.Namespace, ct))
                denied.Add(need);
        }

        return denied;
    }

    /// <summary>Whether one object, or all of a kind, may be touched.</summary>
    /// <param name="group">The API group; empty: the core's.</param>
    /// <param name="resource">The plural.</param>
    /// <param name="space">Null: no namespace, or all.</param>
    /// <param name="name">Roles may name single objects; null: all of the kind.</param>
    public async Task<bool> MayAsync(string verb, string group, string resource, string? space, CancellationToken ct, string? name = null)
    {
        var attributes = new JsonObject { ["verb"] = verb, ["group"] = group, ["resource"] = resource };
        if (space is not null)
            attributes["namespace"] = space;
        if (name is not null)
            attributes["name"] = name;
        var call = new ApiCall(HttpMethod.Post, Path, "create", "selfsubjectaccessreviews")
        {
            Body = new JsonObject
            {
                ["apiVersion"] = "authorization.k8s.io/v1",
                ["kind"] = "SelfSubjectAccessReview",
                ["spec"] = new JsonObject { ["resourceAttributes"] = attributes },
            },
        };
        return (await connection.SendAsync(call, ct)).Body["status"]?["allowed"]?.GetValue<bool>() == true;
    }

    private static string Group(string apiVersion) => apiVersion.Contains('/', StringComparison.Ordinal) ? apiVersion[..apiVersion.IndexOf('/', StringComparison.Ordinal)] : "";
}
