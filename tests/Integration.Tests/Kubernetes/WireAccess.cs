namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>What an API server asks its authorizer about a call.</summary>
/// <param name="Verb">As in RBAC rules.</param>
/// <param name="Group">Of the API; empty for the core.</param>
/// <param name="Resource">With its subresource, for example <c>deployments/scale</c>.</param>
public sealed record WireAccess(string Verb, string Group, string Resource)
{
    /// <summary>Null: the call is about no resource (discovery, the version), or asks what the caller itself may do: both are granted to everybody who is known.</summary>
    public static WireAccess? Of(SeenCall call)
    {
        var (path, query) = call.Path.Split('?', 2) is [var before, var after] ? (before, after) : (call.Path, "");
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        (string Group, string[] Named)? found = parts switch
        {
            ["api", _, .. var core] => ("", core),
            ["apis", var group, _, .. var named] => (group, named),
            _ => null,
        };
        if (found is not { Named: [_, ..] } at || at.Group == "authorization.k8s.io")
            return null;
        // "namespaces/x" is about the namespace, "namespaces/x/pods" about what is in it.
        var rest = at.Named is ["namespaces", _, _, ..] ? at.Named[2..] : at.Named;
        var one = rest.Length > 1;
        var verb = call.Method switch
        {
            "GET" when query.Contains("watch=true", StringComparison.Ordinal) => "watch",
            "GET" => one ? "get" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => one ? "delete" : "deletecollection",
            var other => other,
        };
        return new(verb, at.Group, rest.Length > 2 ? $"{rest[0]}/{rest[2]}" : rest[0]);
    }
}
