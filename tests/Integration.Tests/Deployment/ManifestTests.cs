using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Activities;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.Kubernetes;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>What is shipped to deploy PlatformOps and its bootstrap Temporal cluster.</summary>
public sealed class ManifestTests(RealApiServer cluster)
{
    public static TheoryData<string> Overlays => [.. Kustomization.Overlays];

    /// <summary>Kinds that an API server of the test may not serve, each with the older one that says the same.</summary>
    private static readonly Dictionary<string, string> Older = new() { ["policy/v1"] = "policy/v1beta1", ["batch/v1 CronJob"] = "batch/v1beta1" };

    /// <summary>Kinds that no API server serves by itself: here they are left out. What is in them is looked at by promtool and by the tests of rules and dashboards.</summary>
    private static readonly string[] OfOperators = ["monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 ServiceMonitor", "monitoring.coreos.com/v1 PrometheusRule"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task An_API_server_takes_every_object_and_keeps_every_field(string overlay)
    {
        Assert.SkipWhen(cluster.Missing is not null, cluster.Missing ?? "");
        using var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator })
        {
            BaseAddress = cluster.Api,
            DefaultRequestHeaders = { Authorization = new("Bearer", cluster.Token) },
        };
        var resources = new Dictionary<string, JsonObject?>();
        foreach (var manifest in await Kustomization.RenderAsync(overlay))
        {
            if (OfOperators.Contains($"{manifest["apiVersion"]} {manifest["kind"]}"))
                continue;
            if (await FindAsync(manifest) is null && Older.GetValueOrDefault((string)manifest["apiVersion"]!, Older.GetValueOrDefault($"{manifest["apiVersion"]} {manifest["kind"]}", "")) is { Length: > 0 } older)
                manifest["apiVersion"] = older;
            var path = await FindAsync(manifest);
            Assert.True(path is not null, $"{manifest["apiVersion"]} {manifest["kind"]} is not served: it is missing in the list of what is left out, or is written wrongly.");
            using var request = new HttpRequestMessage(HttpMethod.Patch, new Uri($"{path}?fieldManager=test&force=true", UriKind.Relative))
            {
                Content = new ByteArrayContent(Encoding.UTF8.GetBytes(manifest.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue("application/apply-patch+yaml") } },
            };
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            var said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, $"{Kustomization.Name(manifest)}: {said}");
            Assert.Empty(Lost(manifest, JsonNode.Parse(said), Kustomization.Name(manifest)));
        }

        async Task<string?> FindAsync(JsonObject manifest)
        {
            var version = (string)manifest["apiVersion"]!;
            var root = version.Contains('/', StringComparison.Ordinal) ? $"/apis/{version}" : $"/api/{version}";
            if (!resources.TryGetValue(root, out var served))
            {
                using var answer = await client.GetAsync(new Uri(root, UriKind.Relative), TestContext.Current.CancellationToken);
                served = resources[root] = answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsObject() : null;
            }

            var resource = served?["resources"]!.AsArray().FirstOrDefault(resource => (string?)resource!["kind"] == (string?)manifest["kind"] && !((string)resource["name"]!).Contains('/', StringComparison.Ordinal));
            var space = (bool?)resource?["namespaced"] == true ? $"/namespaces/{manifest["metadata"]!["namespace"]}" : "";
            return resource is null ? null : $"{root}{space}/{resource["name"]}/{manifest["metadata"]!["name"]}";
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Pods_are_confined_and_end_in_order(string overlay)
    {
        var objects = await Kustomization.RenderAsync(overlay);
        var spaces = objects.Where(manifest => (string?)manifest["kind"] == "Namespace").ToList();
        Assert.All(spaces, space => Assert.Equal("restricted", (string?)space["metadata"]!["labels"]!["pod-security.kubernetes.io/enforce"]));
        Assert.Contains(objects, manifest => (string?)manifest["kind"] == "NetworkPolicy" && manifest["spec"]!["podSelector"] is JsonObject { Count: 0 } && manifest["spec"]!["ingress"] is null && manifest["spec"]!["egress"] is null
            && manifest["spec"]!["policyTypes"]!.AsArray().Count == 2);
        foreach (var (owner, template) in Templates(objects))
        {
            var (name, pod) = (Kustomization.Name(owner), template["spec"]!.AsObject());
            Assert.True((bool?)pod["securityContext"]?["runAsNonRoot"] == true, $"{name} may run as root.");
            Assert.True((string?)pod["securityContext"]?["seccompProfile"]?["type"] == "RuntimeDefault", $"{name} has no seccomp profile.");
            Assert.Contains(objects, manifest => (string?)manifest["kind"] == "ServiceAccount" && (string?)manifest["metadata"]!["name"] == (string?)pod["serviceAccountName"]);
            Assert.Contains(objects, manifest => (string?)manifest["kind"] == "PriorityClass" && (string?)manifest["metadata"]!["name"] == (string?)pod["priorityClassName"]);
            foreach (var container in pod["containers"]!.AsArray().Concat(pod["initContainers"]?.AsArray() ?? []).Select(container => container!.AsObject()))
            {
                var context = container["securityContext"];
                Assert.True(
                    (bool?)context?["readOnlyRootFilesystem"] == true && (bool?)context["allowPrivilegeEscalation"] == false && context["capabilities"]!["drop"]!.AsArray().Select(drop => (string?)drop).SequenceEqual(["ALL"]),
                    $"{name}, container {container["name"]}, may do more than it has to.");
                Assert.True(container["resources"]?["requests"] is not null && container["resources"]?["limits"]?["memory"] is not null, $"{name} states no resources.");
                Assert.Matches(":[0-9]+\\.[0-9]+", (string)container["image"]!);
            }

            if ((string?)owner["kind"] is not ("Deployment" or "StatefulSet"))
                continue;
            Assert.All(pod["containers"]!.AsArray(), container => Assert.True(container!["readinessProbe"] is not null && container["livenessProbe"] is not null, $"{name} has no probes."));
            Assert.Contains(objects, manifest => (string?)manifest["kind"] == "PodDisruptionBudget" && Selects(manifest["spec"]!["selector"]!["matchLabels"]!, template["metadata"]!["labels"]!));
            if (Argument(pod, "grace") is { } grace)
                Assert.True(int.Parse(grace, CultureInfo.InvariantCulture) < (long)pod["terminationGracePeriodSeconds"]!, $"{name} is killed before its activities have ended or were cancelled.");
        }
    }

    [Theory]
    [InlineData("k8s/platformops/overlays/us-east-1", "us-east-1")]
    [InlineData("k8s/platformops/overlays/us-west-2", "us-west-2")]
    public async Task Every_domain_has_workers_with_credentials_and_an_account_of_their_own(string overlay, string region)
    {
        var objects = await Kustomization.RenderAsync(overlay);
        var workers = Templates(objects).Where(found => Argument(found.Template["spec"]!, "domain") is not null).ToDictionary(found => Enum.Parse<WorkerDomain>(Environment(found.Template["spec"]!, "DOMAIN")));
        Assert.Equal(Enum.GetValues<WorkerDomain>(), workers.Keys.Order());
        foreach (var (domain, (_, template)) in workers)
        {
            var (word, pod) = (domain.ToString().ToLowerInvariant(), template["spec"]!);
            Assert.Equal($"platformops-{word}", (string?)pod["serviceAccountName"]);
            Assert.Equal(domain != WorkerDomain.Runbooks, (bool)pod["automountServiceAccountToken"]!);
            Assert.Equal(domain == WorkerDomain.Runbooks ? [] : [$"platformops-connections-{word}"],
                pod["volumes"]!.AsArray().Where(volume => (string?)volume!["name"] == "connections" && volume["secret"] is not null).Select(volume => (string?)volume!["secret"]!["secretName"]));
            Assert.Equal(domain == WorkerDomain.Runbooks, Argument(pod, "connections") is null);
            var bound = objects.Where(manifest => ((string)manifest["kind"]!).EndsWith("RoleBinding", StringComparison.Ordinal)
                && manifest["subjects"]!.AsArray().Any(subject => (string?)subject!["name"] == $"platformops-{word}")).ToList();
            Assert.Equal(domain != WorkerDomain.Runbooks, bound.Count > 0);
            Assert.All(bound, binding => Assert.StartsWith($"platformops-{word}", (string)binding["roleRef"]!["name"]!, StringComparison.Ordinal));
            Assert.All(bound.SelectMany(binding => binding["subjects"]!.AsArray()), subject => Assert.Equal("platformops", (string?)subject!["namespace"]));
        }

        var settings = objects.Single(manifest => (string?)manifest["kind"] == "ConfigMap" && ((string)manifest["metadata"]!["name"]!).StartsWith("platformops-settings", StringComparison.Ordinal));
        Assert.Equal(region, (string?)settings["data"]!["REGION"]);
    }

    [Fact]
    public async Task Every_secret_that_is_mounted_is_explained()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Tools.Root, "docs", "deployment.md"), TestContext.Current.CancellationToken);
        foreach (var overlay in Kustomization.Overlays)
        {
            foreach (var (_, template) in Templates(await Kustomization.RenderAsync(overlay)))
            {
                Assert.All(
                    (template["spec"]!["volumes"]?.AsArray() ?? []).Select(volume => (string?)volume!["secret"]?["secretName"]).OfType<string>(), secret => Assert.Contains($"`{secret}`", page, StringComparison.Ordinal));
            }
        }
    }

    private static IEnumerable<(JsonObject Owner, JsonObject Template)> Templates(IEnumerable<JsonObject> objects) =>
        from manifest in objects
        let template = manifest["spec"]?["template"] ?? manifest["spec"]?["jobTemplate"]?["spec"]?["template"]
        where template is JsonObject
        select (manifest, template.AsObject());

    private static string? Argument(JsonNode pod, string name) => pod["containers"]![0]!["args"]?.AsArray().Select(argument => (string)argument!)
        .FirstOrDefault(argument => argument.StartsWith($"--{name}=", StringComparison.Ordinal))?[(name.Length + 3)..];

    private static string Environment(JsonNode pod, string name) => (string)pod["containers"]![0]!["env"]!.AsArray().Single(variable => (string?)variable!["name"] == name)!["value"]!;

    private static bool Selects(JsonNode selector, JsonNode labels) => selector.AsObject().All(wanted => (string?)labels[wanted.Key] == (string?)wanted.Value);

    /// <summary>What was sent and did not come back.</summary>
    private static IEnumerable<string> Lost(JsonNode? sent, JsonNode? kept, string place) => (sent, kept) switch
    {
        (JsonObject map, JsonObject into) => map.SelectMany(field => Lost(field.Value, into[field.Key], $"{place}.{field.Key}")),
        (JsonArray list, JsonArray into) => list.Count != into.Count ? [place] : list.SelectMany((item, index) => Lost(item, into[index], $"{place}[{index}]")),
        (null or JsonObject { Count: 0 } or JsonArray { Count: 0 }, null) => [],
        _ => JsonNode.DeepEquals(sent, kept) ? [] : [$"{place}: {sent?.ToJsonString()} became {kept?.ToJsonString() ?? "nothing"}"],
    };
}
