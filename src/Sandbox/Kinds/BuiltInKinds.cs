namespace PlatformOps.Sandbox.Kinds;

/// <summary>The kinds that a cluster has from the start: those that platforms are made of, as Kubernetes 1.32 serves them.</summary>
internal static class BuiltInKinds
{
    private const bool Cluster = false;
    private const bool InNamespace = true;

    public static IReadOnlyList<ResourceKind> All { get; } =
    [
        Core("ConfigMap", "configmaps", InNamespace, "cm"),
        Core("Endpoints", "endpoints", InNamespace, "ep"),
        Core("Event", "events", InNamespace, "ev"),
        Core("LimitRange", "limitranges", InNamespace, "limits"),
        Core("Namespace", "namespaces", Cluster, "ns") with { HasStatus = true },
        Core("Node", "nodes", Cluster, "no") with { HasStatus = true },
        Core("PersistentVolumeClaim", "persistentvolumeclaims", InNamespace, "pvc") with { HasStatus = true },
        Core("PersistentVolume", "persistentvolumes", Cluster, "pv") with { HasStatus = true },
        Core("Pod", "pods", InNamespace, "po") with { HasStatus = true, Categories = ["all"] },
        Core("ResourceQuota", "resourcequotas", InNamespace, "quota") with { HasStatus = true },
        Core("Secret", "secrets", InNamespace),
        Core("ServiceAccount", "serviceaccounts", InNamespace, "sa"),
        Core("Service", "services", InNamespace, "svc") with { HasStatus = true, Categories = ["all"] },
        new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", Cluster) { HasGeneration = true },
        new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", Cluster) { HasGeneration = true },
        new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Cluster)
        {
            ShortNames = ["crd", "crds"], HasStatus = true, HasGeneration = true, Categories = ["api-extensions"],
        },
        new("apps", "v1", "ControllerRevision", "controllerrevisions", InNamespace),
        Workload("apps", "DaemonSet", "daemonsets", "ds"),
        Workload("apps", "Deployment", "deployments", "deploy") with { HasScale = true },
        Workload("apps", "ReplicaSet", "replicasets", "rs") with { HasScale = true },
        Workload("apps", "StatefulSet", "statefulsets", "sts") with { HasScale = true },
        Workload("batch", "CronJob", "cronjobs", "cj"),
        Workload("batch", "Job", "jobs"),
        new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", InNamespace) { ShortNames = ["hpa"], HasStatus = true, Categories = ["all"] },
        new("coordination.k8s.io", "v1", "Lease", "leases", InNamespace),
        new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", InNamespace) { HasGeneration = true },
        new("networking.k8s.io", "v1", "IngressClass", "ingressclasses", Cluster) { HasGeneration = true },
        new("networking.k8s.io", "v1", "Ingress", "ingresses", InNamespace) { ShortNames = ["ing"], HasStatus = true, HasGeneration = true },
        new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", InNamespace) { ShortNames = ["netpol"], HasGeneration = true },
        new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", InNamespace) { ShortNames = ["pdb"], HasStatus = true, HasGeneration = true },
        new("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", Cluster),
        new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", Cluster),
        new("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", InNamespace),
        new("rbac.authorization.k8s.io", "v1", "Role", "roles", InNamespace),
        new("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", Cluster) { ShortNames = ["pc"], HasGeneration = true },
        new("storage.k8s.io", "v1", "StorageClass", "storageclasses", Cluster) { ShortNames = ["sc"] },
    ];

    public static ResourceKind Named(string kind) => All.First(candidate => candidate.Kind == kind);

    private static ResourceKind Core(string kind, string plural, bool namespaced, params string[] shortNames) =>
        new("", "v1", kind, plural, namespaced) { ShortNames = shortNames };

    private static ResourceKind Workload(string group, string kind, string plural, params string[] shortNames) =>
        new(group, "v1", kind, plural, InNamespace) { ShortNames = shortNames, HasStatus = true, HasGeneration = true, Categories = ["all"] };
}
