using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>The annotation by which Argo CD knows what belongs to an Application: <c>application:group/kind:namespace/name</c>.</summary>
internal static class TrackingId
{
    public const string Annotation = "argocd.argoproj.io/tracking-id";

    public static string Of(string application, JsonObject item, string space)
    {
        var version = item.Text("apiVersion")!;
        var group = version.Contains('/') ? version[..version.IndexOf('/')] : "";
        return $"{application}:{group}/{item.Text("kind")}:{item.At("metadata").Text("namespace") ?? space}/{item.At("metadata").Text("name")}";
    }

    /// <summary>The Application that an object belongs to, or null.</summary>
    public static string? Application(ClusterObject item) =>
        item.Annotations.Text(Annotation) is { } id && id.IndexOf(':') is > 0 and var end ? id[..end] : null;
}
