using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.Backups;
using PlatformOps.Integration.Tests.Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Integration.Tests.Secrets;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The roles of the domains are what their activities do on the wire: nothing is missing, and nothing is there that nobody does.</summary>
[Collection(nameof(PostgresCluster))]
public sealed partial class PermissionTests(RealApiServer real, SandboxCluster sandbox, PostgresCluster postgres)
{
    private static readonly string[] Whole = ["get", "list", "watch", "create", "patch", "delete"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>As its service account, so that the server's own authorizer decides; what the catalog declares beyond it is read from the catalog.</summary>
    [Fact]
    public async Task Provisioning()
    {
        var role = await RoleAsync("provisioning");
        await using var platform = await TestPlatform.CreateAsync(real);
        await BindAsync("provisioning");
        platform.Proxy.As = "system:serviceaccount:platformops:platformops-provisioning";
        await using var fate = real.Give(platform.Space, "web", PodFate.Ready);
        await platform.ProvisionAsync();
        var plan = (await platform.PlanAsync()).Plan;
        await platform.RunAsync(() => platform.Activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), TimeSpan.FromMinutes(2))));
        await platform.RemoveAsync("app");
        await platform.RemoveAsync("ground");
        Assert.Empty((await platform.ListAsync()).Objects);

        var declared = Declared().SelectMany(kind => Whole.Select(verb => new WireAccess(verb, kind.Group, kind.Resource)));
        Check(role, [.. Seen(platform.Proxy), .. declared],
            // Newer servers have them instead of Endpoints; on the sandbox they are watched.
            new("list", "discovery.k8s.io", "endpointslices"), new("watch", "discovery.k8s.io", "endpointslices"), new("get", "", "endpoints"), new("watch", "", "endpoints"),
            // Of rollouts that are not done at the first look, which depends on the machine.
            new("list", "", "pods"), new("list", "apps", "replicasets"),
            // When a quota leaves no room: seen in the tests of refusals.
            new("list", "", "persistentvolumeclaims"),
            // Of gates that this platform has not.
            new("list", "monitoring.coreos.com", "prometheuses"));
    }

    /// <summary>The roles that the catalog gives away reach further than provisioning itself: it may hand out these, by name, and no other.</summary>
    [Fact]
    public async Task Provisioning_hands_out_the_roles_of_the_catalog_and_no_others()
    {
        await using var platform = await TestPlatform.CreateAsync(real);
        await BindAsync("provisioning");
        platform.Proxy.As = "system:serviceaccount:platformops:platformops-provisioning";
        await platform.ApplyAsync((await platform.PlanAsync()).Plan, "ground");
        using var provisioning = new KubectlLike(platform.Proxy);
        var handedOut = Manifests().Where(manifest => (string?)manifest["apiVersion"] == "rbac.authorization.k8s.io/v1" && !manifest.ToJsonString().Contains("${", StringComparison.Ordinal)).ToList();
        Assert.True(handedOut.Count >= 8, $"{handedOut.Count} roles and bindings");
        foreach (var manifest in handedOut.Where(manifest => !((string)manifest["kind"]!).StartsWith("Cluster", StringComparison.Ordinal)))
            manifest["metadata"]!["namespace"] = platform.Space;
        foreach (var manifest in handedOut.OrderBy(manifest => ((string)manifest["kind"]!).EndsWith("Binding", StringComparison.Ordinal)))
            await provisioning.ApplyAsync(PathOf(manifest, platform.Space), manifest.ToJsonString(), "test");

        var own = new JsonObject { ["apiVersion"] = "rbac.authorization.k8s.io/v1", ["kind"] = "ClusterRole", ["metadata"] = new JsonObject { ["name"] = "more" }, ["rules"] = JsonNode.Parse("""[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]""") };
        var refused = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => provisioning.ApplyAsync(PathOf(own, platform.Space), own.ToJsonString(), "test"));
        Assert.Contains("attempting to grant RBAC permissions not currently held", refused.Message, StringComparison.Ordinal);
        using var admin = new KubectlLike(real);
        foreach (var manifest in handedOut.Where(manifest => ((string)manifest["kind"]!).StartsWith("Cluster", StringComparison.Ordinal)))
            await admin.DeleteAsync(PathOf(manifest, platform.Space));
    }

    [Fact]
    public async Task Rotation()
    {
        await using var login = await RotationWorld.StartAsync(sandbox, postgres);
        await Seen(login.Platform.Proxy, login.RotateAsync);
        await using var certificate = await CertificateWorld.StartAsync(sandbox);
        await Seen(certificate.Platform.Proxy, certificate.RotateAsync);

        Check(await RoleAsync("rotation"), [.. Seen(login.Platform.Proxy), .. Seen(certificate.Platform.Proxy)],
            // An apply of something new is a patch on the wire, and the server asks whether it may be created too.
            new("create", "", "secrets"),
            // Of what clients of a managed database trust: seen in the test of that.
            new("get", "", "configmaps"),
            // Of rollouts that are not done at the first look, which depends on the machine.
            new("list", "apps", "replicasets"),
            // Consumers of these kinds are restarted in the same way; here they are Deployments.
            new("get", "apps", "statefulsets"), new("patch", "apps", "statefulsets"), new("get", "apps", "daemonsets"), new("patch", "apps", "daemonsets"), new("list", "policy", "poddisruptionbudgets"),
            // Where Secrets are copied by External Secrets, workloads installed by Argo CD, and roots named by webhooks and cert-manager: seen in the tests of those.
            new("list", "argoproj.io", "applications"), new("get", "argoproj.io", "applications"), new("patch", "argoproj.io", "applications"), new("list", "argoproj.io", "applicationsets"), new("get", "external-secrets.io", "externalsecrets"), new("list", "external-secrets.io", "externalsecrets"), new("patch", "external-secrets.io", "externalsecrets"),
            new("get", "external-secrets.io", "secretstores"), new("get", "external-secrets.io", "clustersecretstores"), new("list", "cert-manager.io", "certificates"),
            new("get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"), new("list", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"), new("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
            new("get", "admissionregistration.k8s.io", "validatingwebhookconfigurations"), new("list", "admissionregistration.k8s.io", "validatingwebhookconfigurations"), new("patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations"));
    }

    [Fact]
    public async Task Backup()
    {
        var folder = Directory.CreateTempSubdirectory("permissions-");
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        cluster.Proxy.Forget();
        await cluster.ExportAsync(cluster.Archive(folder.FullName));
        folder.Delete(recursive: true);

        var role = await RoleAsync("backup");
        Assert.All(Seen(cluster.Proxy), access => Assert.True(role.Exists(rule => rule.Allows(access)), $"{access} is not granted."));
        Assert.All(Seen(cluster.Proxy), access => Assert.Contains(access.Verb, new[] { "get", "list" }));
        // Everything is read; the one thing that is changed is that Velero is asked for a backup.
        Assert.Equal([new("create", "velero.io", "backups")], role.SelectMany(rule => rule.Granted()).Where(access => access.Verb is not ("get" or "list")));
    }

    [Fact]
    public async Task Scaling()
    {
        await using var platform = await TestPlatform.CreateAsync(sandbox);
        platform.Scale(1, 8);
        platform.Write("catalog/app/component.yaml", platform.Read("catalog/app/component.yaml") + "\nscaling: {workload: Deployment/web}\n");
        await platform.ProvisionAsync();
        using var scaling = platform.Scaling();
        var subject = new PlatformOps.Workflows.Scaling.ScalingReference(platform.Environment, "app", TestPlatform.Region);
        platform.Proxy.Forget();
        var sight = await platform.RunAsync(() => scaling.ObserveScalingAsync(new(subject, "replicas", 4)));
        await platform.RunAsAWorkerAsync(() => scaling.SetReplicasAsync(new(subject, sight.Uid!, 2, 4, "op-scale", "more", [])));
        await Wait.UntilAsync(async () => (sight = await platform.RunAsync(() => scaling.ObserveScalingAsync(new(subject, "replicas", 2)))).Pods.Count > 0, () => "There are no pods.");
        await platform.RunAsAWorkerAsync(() => scaling.SetReplicasAsync(new(subject, sight.Uid!, 4, 2, "op-scale", "fewer", sight.Pods)));

        Check(await RoleAsync("scaling"), Seen(platform.Proxy),
            // Workers of Temporal that have nothing to do are told to go first.
            new("patch", "", "pods"),
            // The catalog scales StatefulSets too.
            new("get", "apps", "statefulsets"), new("list", "apps", "statefulsets"), new("patch", "apps", "statefulsets"), new("list", "apps", "deployments"));
    }

    [Fact]
    public async Task Failover()
    {
        await using var proxy = await sandbox.ProxyAsync();
        using var connection = KubernetesConnection.Open(
            new() { Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Kubeconfig = sandbox.Kubeconfig(proxy.Address, proxy.Token) } } }, TestPlatform.Region, "test");
        var name = $"postgresql-{Guid.NewGuid():N}"[..20];
        var endpoints = new PrimaryEndpoints(connection, "default", name);
        Assert.True(await endpoints.LeadToAsync("10.0.0.1:5432", 1, Ct));
        Assert.True(await endpoints.LeadToAsync("10.0.0.2:5432", 2, Ct));
        var witness = new KubernetesWitness(connection, "default", name, TimeSpan.FromSeconds(10));
        Assert.Null(await witness.ReadAsync(Ct));
        var first = await witness.WriteAsync(new(1, "us-east-1", "first", null, null), version: null, Ct);
        await witness.WriteAsync(new(2, "us-west-2", "second", null, null), first.Version, Ct);

        Check(await RoleAsync("failover"), Seen(proxy),
            // Seen in the tests of CloudNativePG, with its operator played.
            new("get", "postgresql.cnpg.io", "clusters"), new("patch", "postgresql.cnpg.io", "clusters"));
    }

    /// <param name="otherwise">What is granted and not done here: why, stands beside each.</param>
    private static void Check(List<Rule> role, IReadOnlyList<WireAccess> done, params WireAccess[] otherwise)
    {
        Assert.Empty(done.Where(access => !role.Exists(rule => rule.Allows(access))).Distinct());
        Assert.Empty(role.SelectMany(rule => rule.Granted()).Except(done).Except(otherwise));
    }

    private static IReadOnlyList<WireAccess> Seen(ApiProxy proxy) => [.. proxy.Seen.Select(WireAccess.Of).OfType<WireAccess>().Distinct()];

    /// <summary>From here on only what this does.</summary>
    private static Task<T> Seen<T>(ApiProxy proxy, Func<Task<T>> does)
    {
        proxy.Forget();
        return does();
    }

    private static async Task<List<Rule>> RoleAsync(string domain) =>
    [
        .. (await Kustomization.RenderAsync("k8s/platformops/overlays/us-east-1")).Single(manifest => Kustomization.Name(manifest) == $"ClusterRole /platformops-{domain}")["rules"]!.AsArray()
            .Select(rule => new Rule(Words(rule!["apiGroups"]), Words(rule["resources"]), Words(rule["verbs"]), rule["resourceNames"] is not null)),
    ];

    private static IReadOnlyList<string> Words(JsonNode? list) => [.. list!.AsArray().Select(word => (string)word!)];

    private async Task BindAsync(string domain)
    {
        using var admin = new KubectlLike(real);
        foreach (var manifest in (await Kustomization.RenderAsync("k8s/platformops/overlays/us-east-1")).Where(manifest => Kustomization.Name(manifest) is var name && name.StartsWith("ClusterRole", StringComparison.Ordinal) && name.EndsWith($"platformops-{domain}", StringComparison.Ordinal)))
            await admin.ApplyAsync(PathOf(manifest, ""), manifest.ToJsonString(), "test");
        // The authorizer hears of it a little later.
        using var account = new KubectlLike(real, $"system:serviceaccount:platformops:platformops-{domain}");
        await Wait.UntilAsync(async () => await account.GetAsync("/api/v1/namespaces") is not null, () => "The binding has no effect.");
    }

    private static string PathOf(JsonObject manifest, string space)
    {
        var kind = (string)manifest["kind"]!;
        return $"/apis/rbac.authorization.k8s.io/v1{(kind.StartsWith("Cluster", StringComparison.Ordinal) ? "" : $"/namespaces/{space}")}/{Plural(kind)}/{manifest["metadata"]!["name"]}";
    }

    /// <summary>The kinds of the catalog's manifests that are the cluster's own, with what its charts and secrets are made of.</summary>
    private static IEnumerable<(string Group, string Resource)> Declared() => Manifests()
        .Select(manifest => (Version: (string)manifest["apiVersion"]!, Kind: (string)manifest["kind"]!))
        .Concat([(Version: "argoproj.io/v1alpha1", Kind: "Application"), (Version: "v1", Kind: "Secret"), (Version: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"), (Version: "keda.sh/v1alpha1", Kind: "ScaledObject")])
        .Where(kind => !kind.Version.Contains("platformops.io/", StringComparison.Ordinal))
        .Select(kind => (kind.Version.Contains('/', StringComparison.Ordinal) ? kind.Version[..kind.Version.IndexOf('/', StringComparison.Ordinal)] : "", Plural(kind.Kind))).Distinct();

    private static IEnumerable<JsonObject> Manifests() => Directory.EnumerateFiles(Path.Combine(Tools.Root, "k8s", "components"), "*.yaml", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(file) is var name && name != "component.yaml" && !name.StartsWith("values", StringComparison.Ordinal))
        .SelectMany(file => Separator().Split(File.ReadAllText(file))).Select(text => YamlText.Read(text) as JsonObject).OfType<JsonObject>().Where(manifest => manifest["apiVersion"] is not null);

    private static string Plural(string kind) => kind.ToLowerInvariant() is var word && word.EndsWith('y') ? $"{word[..^1]}ies" : word.EndsWith('s') ? $"{word}es" : $"{word}s";

    [GeneratedRegex("^---.*$", RegexOptions.Multiline)]
    private static partial Regex Separator();

    private sealed record Rule(IReadOnlyList<string> Groups, IReadOnlyList<string> Resources, IReadOnlyList<string> Verbs, bool Named)
    {
        public bool Allows(WireAccess access) => !Named && Has(Groups, access.Group) && Has(Resources, access.Resource) && Has(Verbs, access.Verb);

        /// <summary>Rules for objects by their names are looked at where they are used.</summary>
        public IEnumerable<WireAccess> Granted() => Named ? [] : from verb in Verbs from api in Groups from resource in Resources select new WireAccess(verb, api, resource);

        private static bool Has(IReadOnlyList<string> words, string word) => words.Contains("*") || words.Contains(word);
    }
}
