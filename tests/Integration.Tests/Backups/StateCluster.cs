using System.Text.Json.Nodes;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A cluster of its own, through a proxy.</summary>
internal sealed class StateCluster : IAsyncDisposable
{
    public const string Region = "us-east-1";

    public static readonly SealingKey Key = SealingKey.Read(new(Convert.ToBase64String([.. Enumerable.Range(1, 32).Select(number => (byte)number)])), "the test's key");

    private readonly TestCluster cluster;

    private StateCluster(TestCluster cluster, ApiProxy proxy)
    {
        (this.cluster, Proxy) = (cluster, proxy);
        Connection = Connect();
        Objects = new(Connection);
        Kubectl = new(cluster);
    }

    public TestCluster Cluster => cluster;

    public ApiProxy Proxy { get; }

    public KubernetesConnection Connection { get; }

    public WholeObjects Objects { get; }

    public KubectlLike Kubectl { get; }

    /// <summary>One more connection.</summary>
    public KubernetesConnection Connect() => KubernetesConnection.Open(
        new() { Regions = new Dictionary<string, RegionConnection> { [Region] = new() { Kubeconfig = cluster.Kubeconfig(Proxy.Address, Proxy.Token) } } }, Region, "test");

    /// <summary>Empty, of the same make as another.</summary>
    public static async Task<StateCluster> StartAsync(TestCluster fresh)
    {
        Assert.SkipWhen(fresh.Missing is not null, fresh.Missing ?? "");
        await fresh.InitializeAsync();
        return new(fresh, await fresh.ProxyAsync());
    }

    public StateArchive Archive(string folder, SealingKey? key = null) => new(folder, key ?? Key, "set-1");

    public Task<ArchiveManifest> ExportAsync(StateArchive archive, IReadOnlyList<StatePart>? done = null, Action<IReadOnlyList<StatePart>>? written = null, CancellationToken? ct = null) =>
        new StateExport(Connection, archive, About, TimeProvider.System).RunAsync(done ?? [], parts => { written?.Invoke(parts); return Task.CompletedTask; }, ct ?? TestContext.Current.CancellationToken);

    public Task<StateRestored> RestoreAsync(StateArchive archive, ArchiveManifest manifest, bool overwrite = false, CancellationToken? ct = null) =>
        new StateRestore(Connection, archive, new() { Overwrite = overwrite }, TimeProvider.System).RunAsync(manifest, _ => { }, ct ?? TestContext.Current.CancellationToken);

    public Task<StateDifferences> CompareAsync(StateArchive archive, ArchiveManifest manifest) =>
        new StateCheck(Connection, archive).RunAsync(manifest, () => { }, TestContext.Current.CancellationToken);

    /// <summary>Makes something of everything that is hard to restore.</summary>
    public async Task FillAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var served = (await new ClusterDiscovery(Connection).ReadAsync(ct)).Resources;
        foreach (var text in Manifests.Replace("CANARY", Canary, StringComparison.Ordinal).Split("\n---\n"))
        {
            var manifest = JsonNode.Parse(text)!.AsObject();
            var kind = (string)manifest["kind"]!;
            if (manifest["apiVersion"] is null)
                manifest["apiVersion"] = served.First(resource => resource.Kind.Kind == kind && resource.Preferred && resource.Kind.Group != "extensions").Kind.ApiVersion;
            await Objects.CreateAsync(StateAddress.Of(Region, manifest), manifest, ct);
            if (kind == "CustomResourceDefinition")
                await UntilAsync(async () => await Kubectl.GetAsync("/apis/shop.example.com/v1/orders") is not null);
        }

        // What a declaration of ours owns has to be ours again after a restore.
        await Kubectl.ApplyAsync(KubectlLike.ConfigMap("shop", "declared"), """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "declared"}, "data": {"color": "green"}}""", Ownership.FieldManager);
        var parent = await Kubectl.GetAsync("/apis/shop.example.com/v1/namespaces/shop/orders/first");
        await Kubectl.CreateAsync("/api/v1/namespaces/shop/configmaps", $$"""
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child", "ownerReferences":
              [{"apiVersion": "shop.example.com/v1", "kind": "Order", "name": "first", "uid": "{{parent!["metadata"]!["uid"]}}"}] }, "data": {"a": "b"} }
            """);
        // Made by controllers while nobody waits for them.
        foreach (var made in new[] { "serviceaccounts/default", "persistentvolumeclaims/disk-db-0" })
            await UntilAsync(async () => await Kubectl.GetAsync($"/api/v1/namespaces/shop/{made}") is not null);
    }

    public static async Task UntilAsync(Func<Task<bool>> so)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await so())
            await Task.Delay(50, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        Kubectl.Dispose();
        Connection.Dispose();
        await Proxy.DisposeAsync();
        await cluster.DisposeAsync();
    }

    private static ArchiveManifest About => new()
    {
        Format = ArchiveManifest.CurrentFormat,
        Set = "set-1",
        Environment = "production",
        Region = Region,
        KubernetesVersion = "",
        StartedAt = DateTimeOffset.UnixEpoch,
        FinishedAt = DateTimeOffset.UnixEpoch,
        KeyId = "",
        Parts = [],
        LeftOut = [],
    };

    /// <summary>A value that may be nowhere but in the cluster.</summary>
    public const string Canary = "canary-7f3b-hush";

    /// <summary>Kinds without a version are served under different ones by old and new servers.</summary>
    private const string Manifests = """
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "shop"}}}
        ---
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "orders.shop.example.com"}, "spec": {
          "group": "shop.example.com", "scope": "Namespaced", "names": {"plural": "orders", "singular": "order", "kind": "Order", "listKind": "OrderList"},
          "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}
        ---
        {"apiVersion": "shop.example.com/v1", "kind": "Order", "metadata": {"name": "first", "namespace": "shop", "finalizers": ["shop.example.com/paid"]}, "spec": {"items": [{"article": "tea", "count": 2}]}}
        ---
        {"kind": "PriorityClass", "metadata": {"name": "shop-first"}, "value": 1000, "description": "Before others."}
        ---
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "shop", "namespace": "shop"}}
        ---
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "shop-all"}, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"shop": "yes"}}]}, "rules": []}
        ---
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "shop-read", "labels": {"shop": "yes"}}, "rules": [{"apiGroups": ["shop.example.com"], "resources": ["orders"], "verbs": ["get"]}]}
        ---
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "shop", "namespace": "shop"},
          "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "shop-read"}, "subjects": [{"kind": "ServiceAccount", "name": "shop", "namespace": "shop"}]}
        ---
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":{\"password\":\"CANARY\"}}"}},
          "stringData": {"password": "CANARY", "user": "shop"}}
        ---
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": "shop-token", "namespace": "shop", "annotations": {"kubernetes.io/service-account.name": "shop"}}}
        ---
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "election", "namespace": "shop", "annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}}
        ---
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "nowhere", "resources": {"requests": {"storage": "1Gi"}}}}
        ---
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "limits", "namespace": "shop"}, "spec": {"hard": {"configmaps": "50", "cpu": "20"}}}
        ---
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "usual", "namespace": "shop"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "100m"}, "defaultRequest": {"cpu": "50m"}}]}}
        ---
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed", "namespace": "shop"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
        ---
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}
        ---
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nodes", "namespace": "shop"}, "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 5432}]}}
        ---
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "outside", "namespace": "shop"}, "spec": {"ports": [{"port": 5432}]}}
        ---
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "outside", "namespace": "shop"}, "subsets": [{"addresses": [{"ip": "192.0.2.10"}], "ports": [{"port": 5432}]}]}
        ---
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
          "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"serviceAccountName": "shop", "containers": [{"name": "web", "image": "example.com/web:1", "env": [{"name": "A", "value": "1"}]}]}}}}
        ---
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"}, "spec": {"serviceName": "nodes", "replicas": 1, "selector": {"matchLabels": {"app": "db"}},
          "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "example.com/db:1"}]}},
          "volumeClaimTemplates": [{"metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "nowhere", "resources": {"requests": {"storage": "1Gi"}}}}]}}
        ---
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import", "namespace": "shop"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "import", "image": "example.com/import:1"}]}}}}
        ---
        {"kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
        ---
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
          "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}
        ---
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}, "data": {"currency": "EUR"}}
        ---
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "shop"}, "webhooks": [{"name": "orders.shop.example.com", "sideEffects": "None",
          "admissionReviewVersions": ["v1"], "failurePolicy": "Fail", "rules": [{"apiGroups": ["shop.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["orders"]}],
          "clientConfig": {"service": {"namespace": "shop", "name": "nobody"} }}]}
        """;
}
