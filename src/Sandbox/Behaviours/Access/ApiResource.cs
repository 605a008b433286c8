namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>One kind of object as the API serves it.</summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Plural">The last part of its path, for example <c>deployments</c>.</param>
internal sealed record ApiResource(string Group, string Version, string Kind, string Plural, bool Namespaced)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path of the whole collection, of one namespace's part, of one object or of its subresource.</summary>
    public string Path(string space = "", string? name = null, string? subresource = null)
    {
        var path = Group.Length == 0 ? $"api/{Version}/" : $"apis/{Group}/{Version}/";
        if (Namespaced && space.Length > 0)
            path += $"namespaces/{space}/";
        path += Plural;
        if (name is not null)
            path += "/" + Uri.EscapeDataString(name);
        return subresource is null ? path : $"{path}/{subresource}";
    }

    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}

/// <summary>The kinds that the behaviours know by name.</summary>
internal static class Resources
{
    public static readonly ApiResource Namespaces = new("", "v1", "Namespace", "namespaces", false);
    public static readonly ApiResource Nodes = new("", "v1", "Node", "nodes", false);
    public static readonly ApiResource Pods = new("", "v1", "Pod", "pods", true);
    public static readonly ApiResource Services = new("", "v1", "Service", "services", true);
    public static readonly ApiResource Endpoints = new("", "v1", "Endpoints", "endpoints", true);
    public static readonly ApiResource Secrets = new("", "v1", "Secret", "secrets", true);
    public static readonly ApiResource ServiceAccounts = new("", "v1", "ServiceAccount", "serviceaccounts", true);
    public static readonly ApiResource Quotas = new("", "v1", "ResourceQuota", "resourcequotas", true);
    public static readonly ApiResource Claims = new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
    public static readonly ApiResource Volumes = new("", "v1", "PersistentVolume", "persistentvolumes", false);
    public static readonly ApiResource Events = new("", "v1", "Event", "events", true);
    public static readonly ApiResource Deployments = new("apps", "v1", "Deployment", "deployments", true);
    public static readonly ApiResource ReplicaSets = new("apps", "v1", "ReplicaSet", "replicasets", true);
    public static readonly ApiResource StatefulSets = new("apps", "v1", "StatefulSet", "statefulsets", true);
    public static readonly ApiResource DaemonSets = new("apps", "v1", "DaemonSet", "daemonsets", true);
    public static readonly ApiResource Revisions = new("apps", "v1", "ControllerRevision", "controllerrevisions", true);
    public static readonly ApiResource Jobs = new("batch", "v1", "Job", "jobs", true);
    public static readonly ApiResource Ingresses = new("networking.k8s.io", "v1", "Ingress", "ingresses", true);
    public static readonly ApiResource EndpointSlices = new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true);
    public static readonly ApiResource Definitions =
        new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false);
}
