using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Catalog;

public sealed class CommittedCatalogTests
{
    public static TheoryData<string> Environments { get; } = ["development", "staging", "production"];

    [Fact]
    public void The_catalog_and_the_reference_platform_are_read_without_problems()
    {
        Assert.Empty(CommittedCatalog.Result.Problems);
        Assert.Empty(CommittedCatalog.Reference.Problems);
    }

    [Fact]
    public void Dependencies_form_an_order_in_which_the_namespaces_come_before_everything_in_the_cluster()
    {
        var dependencies = CommittedCatalog.Catalog.Dependencies;
        DependencyGraph.Order(dependencies);

        Assert.All(
            CommittedCatalog.Catalog.Components.Where(component => component.Kinds.Any(kind => !kind.OutsideKubernetes)),
            component => Assert.Contains("namespaces", DependencyGraph.Closure([component.Name], dependencies)));
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void No_placeholder_is_left_and_no_object_is_rendered_twice(string environment)
    {
        var objects = Objects(environment);

        Assert.Empty(CommittedCatalog.Render(CommittedCatalog.Environment(environment)).GroupBy(pair => pair.Object.Address)
            .Where(group => group.Skip(1).Any(pair => !pair.Component.Excludes.Contains(group.First().Component.Name) && !group.First().Component.Excludes.Contains(pair.Component.Name)))
            .Select(group => group.Key));
        // Programs of the outside world write their variables in upper case.
        Assert.Empty(objects.Where(rendered => Regex.IsMatch(rendered.Manifest.ToJsonString(), @"\$\{[a-z]")).Select(rendered => rendered.Address));
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_object_lives_in_a_namespace_that_is_created(string environment)
    {
        var objects = Objects(environment);
        var namespaces = objects.Where(rendered => rendered.Address.Kind == "Namespace").Select(rendered => rendered.Address.Name).ToHashSet();

        Assert.Empty(objects.Where(rendered => rendered.Address.Namespace is { } space && !namespaces.Contains(space)).Select(rendered => rendered.Address));
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_service_and_disruption_budget_selects_pods_that_a_workload_creates_and_names_ports_that_they_have(string environment)
    {
        var objects = Objects(environment);
        foreach (var selecting in objects.Where(rendered => (rendered.Address.Kind is "Service" or "PodDisruptionBudget") && !IsNameOnly(rendered)))
        {
            var selector = (JsonObject)(selecting.Manifest["spec"]!["selector"]!["matchLabels"] ?? selecting.Manifest["spec"]!["selector"]!);
            var pods = objects.Where(workload => workload.Address.Namespace == selecting.Address.Namespace && Selects(selector, workload)).ToList();
            Assert.True(pods.Count == 1, $"{selecting.Address} selects the pods of {pods.Count} workloads");
            var ports = CommittedCatalog.PodTemplate(pods[0])!["spec"]!["containers"]!.AsArray()
                .SelectMany(container => container!["ports"]?.AsArray() ?? []).Select(port => (string?)port!["name"]).ToHashSet();
            foreach (var port in selecting.Manifest["spec"]!["ports"]?.AsArray() ?? [])
                Assert.Contains((string?)port!["targetPort"], ports);
        }
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Workloads_refer_only_to_what_is_declared(string environment)
    {
        var rendered = CommittedCatalog.Render(CommittedCatalog.Environment(environment));
        var objects = rendered.Select(pair => pair.Object).ToList();
        var keys = rendered.Select(pair => pair.Component).Distinct()
            .SelectMany(component => component.Secrets)
            .SelectMany(secret => secret.Literals.Keys.Concat(secret.Generated.Keys).Select(key => $"{secret.Namespace}/{secret.Name}/{key}"))
            .ToHashSet();
        foreach (var workload in objects.Where(candidate => CommittedCatalog.PodTemplate(candidate) is not null))
        {
            var pod = CommittedCatalog.PodTemplate(workload)!["spec"]!;
            var space = workload.Address.Namespace!;
            foreach (var reference in CommittedCatalog.Everywhere(pod, "secretKeyRef"))
                Assert.Contains($"{space}/{reference["name"]}/{reference["key"]}", keys);
            foreach (var volume in CommittedCatalog.Everywhere(pod, "configMap"))
                Assert.Contains(objects, candidate => Is(candidate, "ConfigMap", space, (string)volume["name"]!));
            Assert.Contains(objects, candidate => Is(candidate, "ServiceAccount", space, (string)pod["serviceAccountName"]!));
            Assert.Contains(objects, candidate => Is(candidate, "PriorityClass", null, (string)pod["priorityClassName"]!));
            var volumes = (pod["volumes"]?.AsArray() ?? []).Concat(workload.Manifest["spec"]!["volumeClaimTemplates"]?.AsArray() ?? [])
                .Select(volume => (string?)(volume!["name"] ?? volume["metadata"]!["name"])).ToHashSet();
            Assert.All(CommittedCatalog.Everywhere(pod, "volumeMounts").SelectMany(mounts => mounts.AsArray()), mount => Assert.Contains((string?)mount!["name"], volumes));
            Assert.All(CommittedCatalog.Everywhere(pod, "subPath"), path => Assert.Contains(objects, candidate =>
                candidate.Address.Kind == "ConfigMap" && candidate.Address.Namespace == space && candidate.Manifest["data"]![(string)path!] is not null));
        }
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_container_has_a_fixed_image_resources_and_probes(string environment)
    {
        foreach (var workload in Objects(environment).Where(candidate => CommittedCatalog.PodTemplate(candidate) is not null))
        {
            var pod = CommittedCatalog.PodTemplate(workload)!["spec"]!;
            var lasting = pod["containers"]!.AsArray();
            foreach (var container in lasting.Concat(pod["initContainers"]?.AsArray() ?? []))
            {
                var image = (string)container!["image"]!;
                var tag = image[(image.LastIndexOf('/') + 1)..].Split(':').ElementAtOrDefault(1);
                Assert.True(tag is not (null or "" or "latest"), $"{workload.Address} runs {image}, which is not a fixed version");
                foreach (var resource in (string[])["cpu", "memory"])
                    Assert.True(container["resources"]?["requests"]?[resource] is not null && container["resources"]?["limits"]?[resource] is not null, $"{workload.Address}: {container["name"]} has no {resource}");
            }

            // A Job's containers end; nobody waits for their readiness.
            if (workload.Address.Kind != "Job")
                Assert.All(lasting, container => Assert.True(container!["readinessProbe"] is not null && container["livenessProbe"] is not null, $"{workload.Address}: {container["name"]} has no probes"));
        }
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_gate_waits_for_something_that_the_component_declares(string environment)
    {
        var rendered = CommittedCatalog.Render(CommittedCatalog.Environment(environment));
        foreach (var group in rendered.GroupBy(pair => pair.Component, pair => pair.Object))
        {
            foreach (var gate in group.Key.Health)
            {
                Assert.True(gate switch
                {
                    RolloutGate rollout => group.Any(candidate => Is(candidate, rollout.Kind, rollout.Namespace, rollout.Name)),
                    JobGate job => group.Any(candidate => Is(candidate, "Job", job.Namespace, job.Name)),
                    EndpointsGate endpoints => group.Any(candidate => Is(candidate, "Service", endpoints.Namespace, endpoints.Service)),
                    TemporalFrontendGate frontend => IsFrontend(frontend.Service, frontend.Port),
                    CanaryGate canary => IsFrontend(canary.Service, canary.Port) && group.Any(candidate => Is(candidate, "TemporalNamespace", null, canary.TemporalNamespace)),
                    ApplicationGate application => group.Any(candidate => Is(candidate, "Application", application.Namespace, application.Name)),
                    ConditionGate condition => group.Any(candidate => candidate.Address.ApiVersion == condition.Kind.ApiVersion && Is(candidate, condition.Kind.Kind, condition.Namespace, condition.Name)),
                    ExternalGate => group.Any(candidate => candidate.Address.ApiVersion == ObjectKind.ExternalApiVersion),
                    VaultGate vault => group.Any(candidate => Is(candidate, "Service", vault.Namespace, vault.Service)),
                    PostgresqlGate postgresql => group.Any(candidate => Is(candidate, "Service", postgresql.Namespace, postgresql.Service)),
                    // The chart makes it, out of the release's name.
                    PrometheusGate prometheus => group.Key.Chart is not null && prometheus.Service.StartsWith(group.Key.Name, StringComparison.Ordinal),
                    // Who only has a login there waits for one that it depends on.
                    ElasticsearchGate elasticsearch => rendered.Any(candidate => Is(candidate.Object, "Service", elasticsearch.Namespace, elasticsearch.Service)
                        && DependencyGraph.Closure([group.Key.Name], CommittedCatalog.Catalog.Dependencies).Contains(candidate.Component.Name)),
                    DatabaseGate => group.Any(candidate => candidate.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" }),
                    BucketGate => group.Any(candidate => candidate.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "Bucket" }),
                    _ => false,
                }, $"{group.Key.Name}: {gate}");
            }
        }
    }

    /// <summary>The namespaces' policies let Prometheus in at one port only.</summary>
    [Fact]
    public void What_Prometheus_reads_of_a_component_is_a_service_that_answers_at_the_port_that_the_network_is_open_at()
    {
        var rendered = CommittedCatalog.Render(CommittedCatalog.Environment("production"));
        var monitors = rendered.Select(pair => pair.Object).Where(candidate => candidate.Address.Kind == "ServiceMonitor").ToList();
        var read = from monitor in monitors
                   from component in ((JsonArray?)monitor.Manifest["spec"]!["selector"]!["matchExpressions"]?[0]!["values"] ?? [monitor.Manifest["spec"]!["selector"]!["matchLabels"]!["platformops.io/component"]!.DeepClone()])
                   select (Component: (string)component!, Space: (string)monitor.Manifest["spec"]!["namespaceSelector"]!["matchNames"]![0]!, Port: (string)monitor.Manifest["spec"]!["endpoints"]![0]!["port"]!);
        Assert.Contains(read, found => found.Component == "elasticsearch-exporter");
        Assert.All(read, found => Assert.Contains(rendered, candidate => candidate.Component.Name == found.Component && candidate.Object.Address is { Kind: "Service" } service && service.Namespace == found.Space
            && candidate.Object.Manifest["spec"]!["ports"]!.AsArray().Any(port => (string?)port!["name"] == found.Port && (long)port["port"]! == 9090)));
    }

    /// <summary>A Service that stands for a name elsewhere has no pods.</summary>
    private static bool IsNameOnly(DesiredObject service) => (string?)service.Manifest["spec"]!["type"] == "ExternalName";

    private static bool IsFrontend(string service, int port) => CommittedCatalog.Catalog.Find("temporal-frontend")!.Manifests.Any(manifest =>
        (string?)manifest.Tree["kind"] == "Service" && (string?)manifest.Tree["metadata"]!["name"] == service
        && manifest.Tree["spec"]!["ports"]!.AsArray().Any(candidate => (long)candidate!["port"]! == port));

    [Theory]
    [InlineData("development", 1)]
    [InlineData("staging", 2)]
    [InlineData("production", 3)]
    public void The_database_layout_decides_how_many_instances_there_are(string environment, int instances) =>
        Assert.Equal(instances, (long)Objects(environment).Single(rendered => Is(rendered, "StatefulSet", "temporal-backend", "postgresql")).Manifest["spec"]!["replicas"]!);

    [Fact]
    public void All_services_of_Temporal_read_one_configuration_with_the_number_of_shards_that_the_platform_declares()
    {
        var objects = Objects("production");
        var configuration = (string)objects.Single(rendered => Is(rendered, "ConfigMap", "temporal-backend", "temporal-config")).Manifest["data"]!["config_template.yaml"]!;
        var history = objects.Single(rendered => Is(rendered, "Deployment", "temporal-backend", "temporal-history"));

        Assert.Contains("numHistoryShards: 512\n", configuration, StringComparison.Ordinal);
        Assert.Equal("512", (string?)history.Manifest["metadata"]!["annotations"]![Ownership.ImmutablePrefix + "historyShards"]);
        foreach (var service in (string[])["frontend", "history", "matching", "worker"])
        {
            var pod = CommittedCatalog.PodTemplate(objects.Single(rendered => Is(rendered, "Deployment", "temporal-backend", $"temporal-{service}")))!["spec"]!;
            Assert.Contains(CommittedCatalog.Everywhere(pod, "configMap"), volume => (string?)volume["name"] == "temporal-config");
        }
    }

    private static List<DesiredObject> Objects(string environment) =>
        [.. CommittedCatalog.Render(CommittedCatalog.Environment(environment)).Select(pair => pair.Object)];

    private static bool Is(DesiredObject candidate, string kind, string? space, string name) =>
        candidate.Address.Kind == kind && candidate.Address.Namespace == space && candidate.Address.Name == name;

    private static bool Selects(JsonObject selector, DesiredObject workload) =>
        CommittedCatalog.PodTemplate(workload)?["metadata"]?["labels"] is JsonObject labels && selector.All(wanted => wanted.Key == "statefulset.kubernetes.io/pod-name"
            ? workload.Address.Kind == "StatefulSet" && (string?)wanted.Value == $"{workload.Address.Name}-0"
            : (string?)labels[wanted.Key] == (string?)wanted.Value);
}
