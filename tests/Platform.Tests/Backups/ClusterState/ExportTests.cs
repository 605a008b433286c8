using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Backups.ClusterState;

/// <summary>What of a cluster is kept, and in which order it is restored.</summary>
public sealed class ExportTests
{
    private static readonly HashSet<string> Ending = ["old"];

    [Fact]
    public void Every_kind_is_kept_once_in_the_version_that_the_server_prefers_except_what_cannot_or_must_not_be_made_again()
    {
        var chosen = ExportedKinds.Of(
        [
            Resource("v1", "Secret"), Resource("v1", "Event"), Resource("v1", "Node"), Resource("v1", "ComponentStatus", verbs: ["get", "list"]), Resource("authorization.k8s.io/v1", "TokenReview", verbs: ["create"]),
            Resource("autoscaling/v2", "HorizontalPodAutoscaler", preferred: false), Resource("autoscaling/v1", "HorizontalPodAutoscaler"),
            Resource("batch/v1", "Job"), Resource("batch/v1beta1", "CronJob", preferred: false),
            Resource("extensions/v1beta1", "Ingress"), Resource("networking.k8s.io/v1", "Ingress"), Resource("coordination.k8s.io/v1", "Lease"), Resource("velero.io/v1", "Restore"), Resource("velero.io/v1", "Schedule"),
        ]);

        Assert.Equal(
            ["v1/Secret", "velero.io/v1/Schedule", "autoscaling/v1/HorizontalPodAutoscaler", "networking.k8s.io/v1/Ingress", "batch/v1beta1/CronJob", "batch/v1/Job"],
            chosen.Kinds.Select(kind => kind.Kind.ToString()));
        Assert.Equal(7, chosen.LeftOut.Count);
        Assert.Contains(chosen.LeftOut, left => left is { Kind: "restores.velero.io", Reason: "each is something to do once: restored, it would be done again" });
    }

    [Theory]
    [InlineData("apiextensions.k8s.io/v1/CustomResourceDefinition", "v1/Namespace")]
    [InlineData("v1/Namespace", "v1/ServiceAccount")]
    [InlineData("v1/ServiceAccount", "rbac.authorization.k8s.io/v1/Role")]
    [InlineData("rbac.authorization.k8s.io/v1/Role", "rbac.authorization.k8s.io/v1/RoleBinding")]
    [InlineData("rbac.authorization.k8s.io/v1/RoleBinding", "v1/Secret")]
    [InlineData("v1/Secret", "v1/PersistentVolumeClaim")]
    [InlineData("v1/ConfigMap", "argoproj.io/v1alpha1/Application")]
    [InlineData("networking.k8s.io/v1/NetworkPolicy", "apps/v1/Deployment")]
    [InlineData("argoproj.io/v1alpha1/Application", "apps/v1/StatefulSet")]
    [InlineData("apps/v1/StatefulSet", "batch/v1/CronJob")]
    [InlineData("batch/v1/Job", "apiregistration.k8s.io/v1/APIService")]
    [InlineData("apiregistration.k8s.io/v1/APIService", "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration")]
    public void What_others_need_is_restored_before_them_and_what_may_refuse_others_last(string before, string after) =>
        Assert.True(RestoreOrder.Rank(ObjectKind.Parse(before)) < RestoreOrder.Rank(ObjectKind.Parse(after)));

    [Theory]
    [InlineData("""{"kind": "ReplicaSet", "metadata": {"name": "a", "ownerReferences": [{"kind": "Deployment", "controller": true}]}}""", "their controllers make them from other objects")]
    [InlineData("""{"kind": "ConfigMap", "metadata": {"name": "a", "ownerReferences": [{"kind": "Order", "controller": false}]}}""", null)]
    [InlineData("""{"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "old"}}""", "they are being deleted")]
    [InlineData("""{"kind": "ConfigMap", "metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}}""", "they are being deleted")]
    [InlineData("""{"kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": "a"}}""", "they are tokens of this cluster")]
    [InlineData("""{"kind": "Secret", "type": "Opaque", "metadata": {"name": "a"}}""", null)]
    [InlineData("""{"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "a"}}""", "every cluster makes them itself")]
    [InlineData("""{"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "a"}, "imagePullSecrets": [{"name": "b"}]}""", null)]
    [InlineData("""{"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {"kubernetes.io/metadata.name": "kube-system"}}}""", "every cluster makes them itself")]
    [InlineData("""{"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {"team": "a"}}}""", null)]
    [InlineData("""{"kind": "ClusterRole", "metadata": {"name": "edit", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}}""", "every cluster makes them itself")]
    [InlineData("""{"kind": "ClusterRole", "metadata": {"name": "edit", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}}""", null)]
    [InlineData("""{"kind": "Endpoints", "metadata": {"name": "a", "managedFields": [{"manager": "kube-controller-manager"}]}}""", "the control plane makes them from Services and pods")]
    [InlineData("""{"kind": "Endpoints", "metadata": {"name": "a", "managedFields": [{"manager": "kubectl"}]}}""", null)]
    [InlineData("""{"kind": "Job", "metadata": {"name": "a"}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}""", "they are done: restored, they would run again")]
    [InlineData("""{"kind": "Job", "metadata": {"name": "a"}, "status": {"active": 1}}""", null)]
    [InlineData("""{"kind": "PersistentVolume", "metadata": {"name": "a", "annotations": {"pv.kubernetes.io/provisioned-by": "b"}}}""", "their provisioner makes them for claims")]
    [InlineData("""{"kind": "APIService", "metadata": {"name": "v1.apps"}, "spec": {"group": "apps"}}""", "every cluster makes them itself")]
    public void An_object_is_left_out_when_the_cluster_makes_it_or_when_restoring_it_would_do_something_again(string manifest, string? reason) =>
        Assert.Equal(reason, ExportRules.WhyLeftOut(Parse(manifest), Ending));

    [Fact]
    public void What_the_server_decided_is_not_kept_and_what_people_decided_is()
    {
        var live = Parse("""
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b", "uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["kubernetes.io/x", "mine/x"],
              "annotations": {"deployment.kubernetes.io/revision": "4", "mine": "5"}, "ownerReferences": [{"kind": "Order", "name": "o", "uid": "6"}],
              "managedFields": [{"manager": "m", "operation": "Update", "time": "t", "fieldsV1": {"f:spec": {}, "f:status": {}}}, {"manager": "c", "fieldsV1": {"f:status": {}}}]},
             "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 1, "nodePort": 30001}]}, "status": {"loadBalancer": {}}}
            """);

        Assert.True(JsonNode.DeepEquals(ExportRules.Kept(live), Parse("""
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b", "finalizers": ["mine/x"], "annotations": {"mine": "5"}, "ownerReferences": [{"kind": "Order", "name": "o"}],
              "managedFields": [{"manager": "m", "operation": "Update", "fieldsV1": {"f:spec": {}}}]}, "spec": {"ports": [{"port": 1, "nodePort": 30001}]}}
            """)), ExportRules.Kept(live).ToJsonString());
        // Written over what is there, it keeps the address that nobody may change.
        var written = ExportRules.InPlaceOf(ExportRules.Kept(live), live);
        Assert.Equal(("10.0.0.1", "2"), ((string?)written["spec"]!["clusterIP"], (string?)written["metadata"]!["resourceVersion"]));
    }

    [Theory]
    [InlineData("""{"kind": "Service", "metadata": {}, "spec": {"clusterIP": "None"}}""", """{"kind": "Service", "metadata": {}, "spec": {"clusterIP": "None"}}""")]
    [InlineData("""{"kind": "PersistentVolumeClaim", "metadata": {}, "spec": {"volumeName": "v", "storageClassName": "s"}}""", """{"kind": "PersistentVolumeClaim", "metadata": {}, "spec": {"storageClassName": "s"}}""")]
    [InlineData("""{"kind": "ServiceAccount", "metadata": {}, "secrets": [{"name": "a-token-x"}]}""", """{"kind": "ServiceAccount", "metadata": {}}""")]
    [InlineData("""{"kind": "Namespace", "metadata": {"labels": {"kubernetes.io/metadata.name": "a"}}, "spec": {"finalizers": ["kubernetes"]}}""", """{"kind": "Namespace", "metadata": {}}""")]
    [InlineData("""{"kind": "Job", "metadata": {}, "spec": {"selector": {}, "template": {"metadata": {"labels": {"controller-uid": "1", "job-name": "j", "mine": "2"}}}}}""", """{"kind": "Job", "metadata": {}, "spec": {"template": {"metadata": {"labels": {"mine": "2"}}}}}""")]
    [InlineData("""{"kind": "Job", "metadata": {}, "spec": {"manualSelector": true, "selector": {}}}""", """{"kind": "Job", "metadata": {}, "spec": {"manualSelector": true, "selector": {}}}""")]
    [InlineData("""{"kind": "Pod", "metadata": {}, "spec": {"nodeName": "n", "volumes": [{"name": "kube-api-access-x"}, {"name": "data"}], "containers": [{"volumeMounts": [{"name": "kube-api-access-x"}]}]}}""",
        """{"kind": "Pod", "metadata": {}, "spec": {"volumes": [{"name": "data"}], "containers": [{}]}}""")]
    [InlineData("""{"kind": "ClusterRole", "metadata": {}, "aggregationRule": {}, "rules": [{}]}""", """{"kind": "ClusterRole", "metadata": {}, "aggregationRule": {}}""")]
    public void What_another_cluster_would_decide_otherwise_is_not_kept(string live, string kept) =>
        Assert.True(JsonNode.DeepEquals(ExportRules.Kept(Parse(live)), Parse(kept)), ExportRules.Kept(Parse(live)).ToJsonString());

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();

    private static ServedResource Resource(string apiVersion, string kind, bool preferred = true, string[]? verbs = null) =>
        new(new(apiVersion, kind), $"{kind.ToLowerInvariant()}s", true, verbs ?? ["create", "get", "list"], preferred);
}
