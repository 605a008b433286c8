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

    private async Task<bool> MayAsync(string verb, string group, string resource, string? space, CancellationToken ct)
    {
        var attributes = new JsonObject { ["verb"] = verb, ["group"] = group, ["resource"] = resource };
        if (space is not null)
            attributes["namespace"] = space;
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
