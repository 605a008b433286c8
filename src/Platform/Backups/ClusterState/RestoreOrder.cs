using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>In which order kinds are restored: what others are made of, live in or run as comes before them; what begins to act comes after all that it acts on; and what
/// may refuse others comes last, since who answers for it does not run yet.</summary>
public static class RestoreOrder
{
    private static readonly string[][] Stages =
    [
        ["apiextensions.k8s.io/CustomResourceDefinition"],
        ["/Namespace"],
        // What objects name, and must be there when they are made.
        [
            "scheduling.k8s.io/PriorityClass", "storage.k8s.io/StorageClass", "storage.k8s.io/CSIDriver", "node.k8s.io/RuntimeClass", "networking.k8s.io/IngressClass", "policy/PodSecurityPolicy",
            "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/FlowSchema",
        ],
        ["/ServiceAccount"],
        ["rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/Role"],
        ["rbac.authorization.k8s.io/ClusterRoleBinding", "rbac.authorization.k8s.io/RoleBinding"],
        ["/ConfigMap", "/Secret"],
        ["/PersistentVolume"],
        ["/PersistentVolumeClaim"],
        // Nothing runs before what limits it.
        ["/LimitRange", "/ResourceQuota", "networking.k8s.io/NetworkPolicy", "policy/PodDisruptionBudget", "/PodTemplate"],
        ["/Service", "/Endpoints", "discovery.k8s.io/EndpointSlice"],
        // Everything that custom definitions define: controllers that start find all of it.
        [Custom],
        ["apps/DaemonSet", "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet", "apps/ControllerRevision", "/ReplicationController", "/Pod"],
        ["autoscaling/HorizontalPodAutoscaler", "networking.k8s.io/Ingress", "extensions/Ingress"],
        ["batch/CronJob", "batch/Job"],
        // Served by what runs in the cluster.
        ["apiregistration.k8s.io/APIService"],
        ["admissionregistration.k8s.io/ValidatingAdmissionPolicy", "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding"],
        ["admissionregistration.k8s.io/MutatingWebhookConfiguration", "admissionregistration.k8s.io/ValidatingWebhookConfiguration"],
    ];

    private const string Custom = "*";

    private static readonly Dictionary<string, int> Ranks = Stages.SelectMany((kinds, stage) => kinds.Select(kind => KeyValuePair.Create(kind, stage))).ToDictionary();

    /// <summary>The smaller, the earlier; kinds of equal rank do not depend on each other.</summary>
    public static int Rank(ObjectKind kind) => Ranks.TryGetValue($"{kind.Group}/{kind.Kind}", out var stage) ? stage : Ranks[Custom];
}
