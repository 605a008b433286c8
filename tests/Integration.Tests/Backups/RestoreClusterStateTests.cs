using System.Net;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Backups;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Objects of a cluster in use, brought back from a set: by plan, in spite of a kill, and never over what is newer.</summary>
public abstract class RestoreClusterStateTests(SandboxAws aws)
{
    private const string Services = "/api/v1/namespaces/shop/services", Epoch = "platformops.io/epoch";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract TestCluster Fresh();

    [Fact]
    public async Task What_was_deleted_comes_back_as_planned_and_what_is_newer_stays()
    {
        await using var cluster = await StateCluster.StartAsync(Fresh());
        await cluster.FillAsync();
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/shop/secrets", """{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "from-vault", "labels": {"reconcile.external-secrets.io/managed": "true"}}, "stringData": {"password": "of-then"}}""");
        // Endpoints without a Service are removed when a controller manager begins its work.
        await cluster.Kubectl.CreateAsync(Services, """{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "primary"}, "spec": {"ports": [{"port": 5432}]}}""");
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/shop/endpoints", $$"""{"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "primary", "annotations": {"{{Epoch}}": "3"} }, "subsets": [{"addresses": [{"ip": "192.0.2.20"}], "ports": [{"port": 5432}]}]}""");
        await using var platform = await TestPlatform.CreateAsync(cluster.Cluster);
        using var activities = await ActivitiesAsync(platform, cluster.Cluster);
        var store = new StoreReference(platform.Environment, "state");
        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, "op-1", StoreKind.KubernetesState, null)));
        var set = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, "op-1", BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, "op-1", set, null)));

        foreach (var gone in new[] { KubectlLike.ConfigMap("shop", "settings"), KubectlLike.Secret("shop", "login"), KubectlLike.Secret("shop", "from-vault"), "/apis/apps/v1/namespaces/shop/deployments/web",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/shop", "/api/v1/namespaces/shop/endpoints/primary" })
            await cluster.Kubectl.DeleteAsync(gone);
        await cluster.Kubectl.MergeAsync($"{Services}/web", """{"spec": {"ports": [{"port": 80, "targetPort": 8081}]}}""");
        await cluster.Kubectl.MergeAsync(KubectlLike.ConfigMap("shop", "child"), """{"data": {"a": "changed"}}""");
        // Clusters tell when something was made in whole seconds.
        var since = DateTimeOffset.UtcNow.AddSeconds(1);
        await StateCluster.UntilAsync(() => Task.FromResult(DateTimeOffset.UtcNow > since));

        await What_a_plan_says_Async(platform, activities, store, since);
        await What_is_created_in_spite_of_a_killAsync(platform, activities, store, cluster, since);
        await What_is_overwritten_only_as_it_was_approvedAsync(platform, activities, store, cluster);
        Assert.DoesNotContain(platform.Spoken, text => text.Contains(StateCluster.Canary, StringComparison.Ordinal) || text.Contains("of-then", StringComparison.Ordinal));
    }

    private static async Task What_a_plan_says_Async(TestPlatform platform, BackupActivities activities, StoreReference store, DateTimeOffset since)
    {
        var planned = await platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, since)));
        var plan = planned.Plan!;
        Assert.Equal((4, 0, 1), (plan.Count(kind => kind.Create), plan.Overwrites.Count, planned.Approvals));
        Assert.Equal(["configmaps", "secrets", "services", "endpoints", "deployments.apps", "rolebindings.rbac.authorization.k8s.io"], plan.Kinds.Where(kind => kind.Create + kind.Keep + kind.Leave > 0).Select(kind => kind.Kind).OrderBy(Order));
        Assert.Contains(plan.Left, left => left.Contains("Secret shop/from-vault is not made again: External Secrets writes it", StringComparison.Ordinal));
        Assert.Contains(plan.Left, left => left.Contains("Endpoints shop/primary is not made again: it was decided in epoch 3, and nobody can say", StringComparison.Ordinal));
        Assert.Equal(2, plan.Kept.Count);
        Assert.Contains(plan.Kept, kept => kept.Contains("Service shop/web differs", StringComparison.Ordinal) && kept.EndsWith("(spec.ports[port=80,protocol=TCP].targetPort)", StringComparison.Ordinal));
        Assert.Contains(plan.Notes, note => note.Contains("shop/login", StringComparison.Ordinal));
        Assert.Contains(plan.Notes, note => note.StartsWith("1 bindings of roles come back", StringComparison.Ordinal));
        Assert.Equal(plan.Hash, (await platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, since)))).Plan!.Hash);
        Assert.DoesNotContain(platform.Proxy.Mutations, call => !call.Path.Contains("selfsubjectaccessreviews", StringComparison.Ordinal));

        static int Order(string kind) => Array.IndexOf(["configmaps", "secrets", "services", "endpoints", "deployments.apps", "rolebindings.rbac.authorization.k8s.io"], kind);
    }

    private static async Task What_is_created_in_spite_of_a_killAsync(TestPlatform platform, BackupActivities activities, StoreReference store, StateCluster cluster, DateTimeOffset since)
    {
        // Who may not write is told so before anybody approves anything.
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            call.Path.Contains("selfsubjectaccessreviews", StringComparison.Ordinal) ? (HttpStatusCode.Created, """{"kind": "SelfSubjectAccessReview", "status": {"allowed": false}}""") : null);
        var refused = await platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, since)));
        Assert.Contains("may not create RoleBinding, patch RoleBinding, create ConfigMap", refused.Refusal, StringComparison.Ordinal);

        platform.Proxy.Intercept = _ => Task.FromResult<(HttpStatusCode, string)?>(null);
        var input = new StateRestoreInput(store, "op-restore", (await platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, since)))).Plan!, since);
        using var kill = new CancellationTokenSource();
        platform.Proxy.Intercept = call =>
        {
            if (call.Method == "POST" && call.Path.Contains("/rolebindings", StringComparison.Ordinal))
                kill.Cancel();
            return Task.FromResult<(HttpStatusCode, string)?>(null);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => platform.RunAsync(() => activities.RestoreStateAsync(input), new ActivityEnvironment { CancellationTokenSource = kill }));
        Assert.NotEmpty((await platform.RunAsync(() => activities.CompareStateAsync(input))).Wrong);

        var done = await platform.RunAsync(() => activities.RestoreStateAsync(input));
        Assert.Empty(done.Troubles);
        Assert.InRange(done.Created, 1, 4);
        var compared = await platform.RunAsync(() => activities.CompareStateAsync(input));
        Assert.Equal((2, 2), (compared.Kept, compared.Left));
        Assert.Empty(compared.Wrong);
        Assert.Equal("EUR", (string?)(await cluster.Kubectl.GetAsync(KubectlLike.ConfigMap("shop", "settings")))!["data"]!["currency"]);
        Assert.Null(await cluster.Kubectl.GetAsync(KubectlLike.Secret("shop", "from-vault")));
        Assert.Null(await cluster.Kubectl.GetAsync("/api/v1/namespaces/shop/endpoints/primary"));
        platform.Proxy.Forget();
        Assert.Equal((0, 0), ((await platform.RunAsync(() => activities.RestoreStateAsync(input))) is var again ? (again.Created, again.Overwritten) : default));
        Assert.Empty(platform.Proxy.Mutations);

        // What admission, or somebody, made of a restored object is found.
        await cluster.Kubectl.MergeAsync(KubectlLike.ConfigMap("shop", "settings"), """{"data": {"currency": "USD"}}""");
        Assert.Equal(["us-east-1 ConfigMap shop/settings was made since and differs: data.currency."], (await platform.RunAsync(() => activities.CompareStateAsync(input))).Wrong);
    }

    private static async Task What_is_overwritten_only_as_it_was_approvedAsync(TestPlatform platform, BackupActivities activities, StoreReference store, StateCluster cluster)
    {
        await cluster.Kubectl.MergeAsync(KubectlLike.Secret("shop", "login"), """{"stringData": {"password": "of-today"}}""");
        var since = DateTimeOffset.UtcNow.AddSeconds(1);
        await StateCluster.UntilAsync(() => Task.FromResult(DateTimeOffset.UtcNow > since));
        var plan = (await platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, since, overwrite: true)))).Plan!;
        Assert.Equal(["us-east-1 ConfigMap shop/child", "us-east-1 ConfigMap shop/settings", "us-east-1 Service shop/web"], plan.Overwrites.Select(overwrite => overwrite.Object).Order());
        Assert.Contains(plan.Kept, kept => kept.Contains("Secret shop/login differs and stays as it is: what it holds today stays", StringComparison.Ordinal));

        var clusterAddress = (string?)(await cluster.Kubectl.GetAsync($"{Services}/web"))!["spec"]!["clusterIP"];
        await cluster.Kubectl.MergeAsync(KubectlLike.ConfigMap("shop", "child"), """{"data": {"a": "changed-again"}}""");
        var input = new StateRestoreInput(store, "op-overwrite", plan, since);
        var done = await platform.RunAsync(() => activities.RestoreStateAsync(input));
        Assert.Equal((2, 1), (done.Overwritten, done.Troubled));
        Assert.Contains("ConfigMap shop/child is not any more as it was when it was planned", done.Troubles[0], StringComparison.Ordinal);
        var service = (await cluster.Kubectl.GetAsync($"{Services}/web"))!;
        Assert.Equal((8080, clusterAddress), ((int)service["spec"]!["ports"]![0]!["targetPort"]!, (string?)service["spec"]!["clusterIP"]));
        Assert.Equal(["us-east-1 ConfigMap shop/child differs: data.a."], (await platform.RunAsync(() => activities.CompareStateAsync(input))).Wrong);
        Assert.Equal(Convert.ToBase64String("of-today"u8), (string?)(await cluster.Kubectl.GetAsync(KubectlLike.Secret("shop", "login")))!["data"]!["password"]);
    }

    [Fact]
    public async Task Velero_restores_the_Backup_of_a_set_once_with_nothing_replaced_and_tells_warnings_and_errors()
    {
        await using var cluster = await StateCluster.StartAsync(Fresh());
        await using var platform = await TestPlatform.CreateAsync(cluster.Cluster);
        using var activities = await ActivitiesAsync(platform, cluster.Cluster);
        var store = new StoreReference(platform.Environment, "state");
        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, "op-1", StoreKind.KubernetesState, null)));
        var set = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, "op-1", BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, "op-1", set, null)));
        Assert.StartsWith("Velero is not installed", (await PlanAsync()).Refusal, StringComparison.Ordinal);
        foreach (var (kind, plural) in new[] { ("Backup", "backups"), ("Restore", "restores") })
        {
            await cluster.Kubectl.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$"""
                {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "{{plural}}.velero.io"}, "spec": {
                  "group": "velero.io", "scope": "Namespaced", "names": {"plural": "{{plural}}", "singular": "{{kind.ToLowerInvariant()}}", "kind": "{{kind}}", "listKind": "{{kind}}List"},
                  "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true} } }] } }
                """);
            await StateCluster.UntilAsync(async () => await cluster.Kubectl.GetAsync($"/apis/velero.io/v1/{plural}") is not null);
        }

        Assert.Contains("or made none", (await PlanAsync()).Refusal, StringComparison.Ordinal);
        await cluster.Kubectl.CreateAsync("/apis/velero.io/v1/namespaces/default/backups", $$"""{"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "{{VeleroBackups.NameOf("op-1")}}"}, "status": {"phase": "Completed", "progress": {"itemsBackedUp": 42} } }""");
        Assert.StartsWith("Velero does not say before", (await PlanAsync(overwrite: true)).Refusal, StringComparison.Ordinal);
        var planned = await PlanAsync();
        Assert.Equal((1, false, 42L), (planned.Approvals, planned.Plan!.IsEmpty, planned.Plan.Velero!.Items));
        Assert.Equal(planned.Plan.Hash, (await PlanAsync()).Plan!.Hash);

        // Velero itself says how it ended; no Velero runs here.
        var status = """{"phase": "PartiallyFailed", "warnings": 3, "errors": 2, "progress": {"itemsRestored": 39} }""";
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            call.Method == "GET" && call.Path.Contains("/restores/platformops-", StringComparison.Ordinal) && platform.Proxy.Mutations.Any(made => made.Path.Contains("/restores?", StringComparison.Ordinal))
                ? (HttpStatusCode.OK, $$"""{"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": "platformops-1"}, "status": {{status}} }""") : null);
        var input = new StateRestoreInput(store, "op-restore", planned.Plan, DateTimeOffset.UtcNow);
        var failed = await platform.RunAsync(() => activities.RestoreStateAsync(input));
        Assert.Equal((39, 2, 2), (failed.Created, failed.Troubled, failed.Troubles.Count));
        Assert.Contains("is PartiallyFailed", failed.Troubles[0], StringComparison.Ordinal);
        status = """{"phase": "Completed", "warnings": 3, "progress": {"itemsRestored": 41} }""";
        var done = await platform.RunAsync(() => activities.RestoreStateAsync(input));
        Assert.Equal((41, 0), (done.Created, done.Troubled));
        Assert.Contains("has 3 warnings", Assert.Single(done.Warned!), StringComparison.Ordinal);
        var made = Assert.Single(platform.Proxy.Mutations, call => call.Path.Contains("/restores?", StringComparison.Ordinal)).Body;
        Assert.Contains("\"existingResourcePolicy\":\"none\"", made, StringComparison.Ordinal);
        Assert.Contains("\"includedNamespaces\":[\"shop\"]", made, StringComparison.Ordinal);
        Assert.Contains("\"excludedResources\":[\"secrets\",\"endpoints\"", made, StringComparison.Ordinal);

        Task<PlannedRestore<PlatformOps.Platform.Backups.ClusterState.StateRestorePlan>> PlanAsync(bool overwrite = false) =>
            platform.RunAsync(() => activities.PlanStateRestoreAsync(Ask(store, DateTimeOffset.UtcNow, overwrite) with { Velero = true }));
    }

    private static PlanStateRestoreInput Ask(StoreReference store, DateTimeOffset since, bool overwrite = false) => new(store, "op-restore", null, null, ["shop"], overwrite, since);

    private async Task<BackupActivities> ActivitiesAsync(TestPlatform platform, TestCluster cluster)
    {
        platform.Write("catalog/ground/component.yaml", platform.Read("catalog/ground/component.yaml") + """

            backups:
              - {name: state, store: kubernetes-state, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
            """);
        using var connection = aws.Connect();
        var name = $"backups-{platform.Suffix}";
        await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
        platform.Write("backup.key", Convert.ToBase64String(new byte[32]));
        return new(new(platform.SpecificationFolder, Path.Combine(platform.SpecificationFolder, "..", "catalog")), new()
        {
            Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token) } },
            Backups = new Dictionary<string, BackupAccess>
            {
                [platform.Environment] = new() { Bucket = name, Aws = aws.Settings(name) with { Region = "us-east-1" }, KeyFiles = [Path.GetFullPath(Path.Combine(platform.SpecificationFolder, "..", "backup.key"))] },
            },
        });
    }
}

public sealed class RestoreClusterStateOnTheSandboxTests(SandboxAws aws) : RestoreClusterStateTests(aws)
{
    protected override TestCluster Fresh() => new SandboxCluster();
}

public sealed class RestoreClusterStateOnARealApiServerTests(SandboxAws aws) : RestoreClusterStateTests(aws)
{
    protected override TestCluster Fresh() => new RealApiServer();
}
