using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.GitOps;

namespace PlatformOps.Sandbox.Tests.Behaviours;

// One of them removes the kinds of a chart from the whole cluster, which another class needs.
[Collection(KedaKinds)]
public sealed class ApplicationTests(Clusters clusters)
{
    internal const string KedaKinds = "kinds of keda";

    private static readonly ApiResource Applications = new("argoproj.io", "v1alpha1", "Application", "applications", true);

    // As Argo CD's own: without a status subresource.
    private const string Definition = """
        metadata: {name: applications.argoproj.io}
        spec:
          group: argoproj.io
          scope: Namespaced
          names: {kind: Application, listKind: ApplicationList, plural: applications, singular: application}
          versions:
            - {name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
        """;

    private static string App(string name, string space, string chart, string version, string values = "{}", string policy = "{automated: {prune: true, selfHeal: true}}") => $$"""
        metadata: {name: {{name}}, finalizers: [resources-finalizer.argocd.argoproj.io]}
        spec:
          project: default
          destination: {server: "https://kubernetes.default.svc", namespace: {{space}}}
          source: {repoURL: "https://artifacts.example.com/helm", chart: {{chart}}, targetRevision: {{version}}, helm: {valuesObject: {{values}} } }
          syncPolicy: {{policy}}
        """;

    [Theory, OnEveryCluster]
    public async Task Installs_the_kinds_and_workloads_of_its_chart_and_is_healthy_when_they_are(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(Applications, space, App("keda-a", space, "keda", "2.16.0", "{operator: {replicaCount: 2}}"));

        var application = await cluster.UntilAsync(Applications, space, "keda-a", IsHealthyAt("2.16.0"));

        Assert.Equal("Succeeded", application.Status.At("operationState").Text("phase"));
        Assert.Equal("2.16.0", application.Status.At("operationState").At("syncResult").Text("revision"));
        Assert.Single(application.Status.Items("history"));
        var operators = await cluster.GetAsync(Resources.Deployments, space, "keda-operator");
        Assert.Equal(2, operators.Status.Number("availableReplicas"));
        Assert.Equal("ghcr.io/kedacore/keda:2.16.0", operators.Spec.At("template").At("spec").Items("containers").Single().Text("image"));
        Assert.Equal($"keda-a:apps/Deployment:{space}/keda-operator", operators.Annotations.Text("argocd.argoproj.io/tracking-id"));
        Assert.Contains(application.Status.Items("resources"), item => item.Text("kind") == "CustomResourceDefinition" && item.Text("name") == "scaledobjects.keda.sh");
        await cluster.GetAsync(Resources.Definitions, "", "scaledobjects.keda.sh");

        await cluster.PatchAsync(Applications, space, "keda-a", "spec: {source: {targetRevision: 2.17.1}}");
        await cluster.UntilAsync(Applications, space, "keda-a", IsHealthyAt("2.17.1"));
        Assert.EndsWith(":2.17.1", (await cluster.GetAsync(Resources.Deployments, space, "keda-operator")).Spec.At("template").At("spec").Items("containers").Single().Text("image"), StringComparison.Ordinal);
        // What was changed by hand is put right.
        await cluster.PatchAsync(Resources.Deployments, space, "keda-operator", "spec: {replicas: 5}");
        await cluster.UntilAsync(Resources.Deployments, space, "keda-operator", item => item.Spec.Number("replicas") == 2);

        await cluster.Client.DeleteAsync(await cluster.GetAsync(Applications, space, "keda-a"), "Background", null, default);
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Applications, space, "keda-a", default) is null);
        Assert.Empty(await cluster.ListAsync(Resources.Deployments, space));
        Assert.Empty(await cluster.ListAsync(Resources.Services, space));
        Assert.Null(await cluster.Client.FindAsync(Resources.Definitions, "", "scaledobjects.keda.sh", default));
    }

    [Theory, OnEveryCluster]
    public async Task Workloads_that_do_not_become_ready_keep_it_from_being_healthy(string target)
    {
        var (cluster, space) = await StartAsync(target);
        cluster.Misbehaviours[(space, "haproxy-b")] = MisbehaviourKind.ImagePull;
        await cluster.CreateAsync(Applications, space, App("haproxy-b", space, "haproxy", "1.23.0"));
        await cluster.UntilAsync(Applications, space, "haproxy-b", item => Health(item) == "Progressing" && item.Status.At("sync").Text("status") == "Synced");

        // In the cluster's time the deadline of a second is over at once.
        await cluster.PatchAsync(Resources.Deployments, space, "haproxy-b", "spec: {progressDeadlineSeconds: 1}");
        var degraded = await cluster.UntilAsync(Applications, space, "haproxy-b", item => Health(item) == "Degraded");
        Assert.Contains("exceeded its progress deadline", degraded.Status.Item("resources", "kind", "Deployment").At("health").Text("message"), StringComparison.Ordinal);

        cluster.Misbehaviours.TryRemove((space, "haproxy-b"), out _);
        await cluster.UntilAsync(Applications, space, "haproxy-b", IsHealthyAt("1.23.0"));
    }

    [Theory, OnEveryCluster]
    public async Task A_chart_or_version_that_the_repository_does_not_have_is_a_comparison_error(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(Applications, space, App("nobody", space, "nobody", "1.0.0"));
        await cluster.CreateAsync(Applications, space, App("grafana-c", space, "grafana", "99.0.0"));

        var unknown = await cluster.UntilAsync(Applications, space, "nobody", IsUnknown);
        var later = await cluster.UntilAsync(Applications, space, "grafana-c", IsUnknown);

        Assert.Contains("chart \"nobody\" version \"1.0.0\" not found", unknown.Status.Item("conditions", "type", "ComparisonError").Text("message"), StringComparison.Ordinal);
        await cluster.PatchAsync(Applications, space, later.Name, "spec: {source: {targetRevision: 8.5.0}}");
        var healthy = await cluster.UntilAsync(Applications, space, later.Name, IsHealthyAt("8.5.0"));
        Assert.Empty(healthy.Status.Items("conditions"));
    }

    [Theory, OnEveryCluster]
    public async Task Without_its_namespace_it_fails_and_succeeds_when_the_namespace_is_there(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(Applications, space, App("grafana-d", $"{space}-late", "grafana", "8.5.0"));

        var failed = await cluster.UntilAsync(Applications, space, "grafana-d", item => item.Status.At("operationState").Text("phase") == "Failed");
        Assert.Contains($"namespaces \"{space}-late\" not found", failed.Status.Item("conditions", "type", "SyncError").Text("message"), StringComparison.Ordinal);
        Assert.Equal("Missing", Health(failed));

        await cluster.PatchAsync(Applications, space, "grafana-d", "spec: {syncPolicy: {syncOptions: [CreateNamespace=true]}}");
        await cluster.UntilAsync(Applications, space, "grafana-d", IsHealthyAt("8.5.0"));
    }

    [Theory, OnEveryCluster]
    public async Task Without_automation_it_waits_to_be_told(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(Applications, space, App("grafana-e", space, "grafana", "8.5.0", policy: "{}"));
        await cluster.UntilAsync(Applications, space, "grafana-e", item => item.Status.At("sync").Text("status") == "OutOfSync" && Health(item) == "Missing");

        await cluster.PatchAsync(Applications, space, "grafana-e", "operation: {sync: {revision: 8.5.0}}");

        var synced = await cluster.UntilAsync(Applications, space, "grafana-e", IsHealthyAt("8.5.0"));
        Assert.Null(synced.Body.At("operation"));
    }

    [Fact]
    public void Every_chart_can_be_read_and_says_what_it_is()
    {
        Assert.All(ChartRepository.All, chart =>
        {
            Assert.NotEmpty(chart.Versions);
            Assert.True(chart.Workloads.Count + chart.Crds.Count > 0, $"{chart.Name} installs nothing.");
            Assert.All(chart.Workloads, workload => Assert.Contains(workload.Kind, (string[])["Deployment", "StatefulSet", "DaemonSet"]));
            Assert.All(chart.Crds, kind => Assert.Equal(3, kind.Kind.Split('/').Length));
        });
    }

    private async Task<(TestCluster, string)> StartAsync(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        await CustomTests.ServeAsync(cluster, Definition);
        return (cluster, await cluster.NamespaceAsync());
    }

    private static bool IsUnknown(ClusterObject application) => application.Status.At("sync").Text("status") == "Unknown";

    private static string? Health(ClusterObject application) => application.Status.At("health").Text("status");

    private static Func<ClusterObject, bool> IsHealthyAt(string revision) => application => Health(application) == "Healthy"
        && application.Status.At("sync").Text("status") == "Synced" && application.Status.At("sync").Text("revision") == revision;
}
