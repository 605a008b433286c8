using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Provisioning;
using static PlatformOps.Platform.Tests.Catalog.SmallCatalog;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>What components say of how they come into the world and what they come after, in a small catalog.</summary>
public class DeliveryTests
{
    private const string Argo = "name: argo-cd\nnamespace: argo-cd\nprovides: [argoproj.io/v1alpha1/Application]";
    private const string Issuer = "name: issuer\ndependsOn: [certificates]";
    private const string Certificates =
        """
        name: certificates
        dependsOn: [argo-cd]
        delivery: gitops
        provides: [example.com/v1/Certificate]
        parameters:
          replicas: {type: integer, default: 2, summary: How many.}
          charts: {type: string, default: "https://charts.example.com", summary: Where the charts are.}
        chart: {repository: "${charts}", name: certs, version: 1.2.3, namespace: security}
        values: [values.yaml, {file: strict.yaml, when: security == zero-trust}]
        manifests: []
        """;

    private static readonly Dictionary<string, string> Charted = new()
    {
        ["argo-cd"] = Argo,
        ["certificates"] = Certificates,
        ["certificates/values.yaml"] = "replicaCount: ${replicas}\nwebhook: {hostNetwork: true, port: 8443}",
        ["certificates/strict.yaml"] = "webhook: {hostNetwork: false}",
        ["issuer"] = Issuer,
        ["issuer/objects.yaml"] = "{apiVersion: example.com/v1, kind: Certificate, metadata: {name: web}}",
    };

    [Theory]
    [InlineData(SecurityLevel.DevelopmentTls, true)]
    [InlineData(SecurityLevel.ZeroTrust, false)]
    public void A_chart_becomes_an_Application_with_its_values_laid_over_one_another(SecurityLevel security, bool hostNetwork)
    {
        var catalog = Read(Charted).Catalog!;

        var application = Assert.Single(ManifestRenderer.Render(Environment(catalog) with { Security = security }, catalog.Find("certificates")!, TestEnvironment.Region));

        Assert.Equal(new(TestEnvironment.Region, "argoproj.io/v1alpha1", "Application", "argo-cd", "certificates"), application.Address);
        Assert.Equal("certificates", (string?)application.Manifest["metadata"]!["labels"]![Ownership.ComponentLabel]);
        Assert.True(JsonNode.DeepEquals(
            YamlText.Parse($$$"""
                repoURL: https://charts.example.com
                chart: certs
                targetRevision: 1.2.3
                helm:
                  releaseName: certificates
                  valuesObject: {replicaCount: 2, webhook: {port: 8443, hostNetwork: {{{(hostNetwork ? "true" : "false")}}} }}
                """),
            application.Manifest["spec"]!["source"]), application.Manifest.ToJsonString());
        Assert.Equal("security", (string?)application.Manifest["spec"]!["destination"]!["namespace"]);
        Assert.Equal([new ApplicationGate("certificates", "argo-cd")], catalog.Find("certificates")!.Health);
    }

    [Fact]
    public void A_changed_value_of_a_chart_is_another_catalog()
    {
        var changed = new Dictionary<string, string>(Charted) { ["certificates/values.yaml"] = "replicaCount: ${replicas}" };

        Assert.NotEqual(Read(Charted).Catalog!.Digest, Read(changed).Catalog!.Digest);
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "issuer", "name: issuer", "issuer.dependsOn: it has objects of example.com/v1/Certificate, which certificates provides: depend on it" },
        { "certificates", Certificates.Replace("dependsOn: [argo-cd]", "dependsOn: []", StringComparison.Ordinal), "certificates.dependsOn: it has objects of argoproj.io/v1alpha1/Application, which argo-cd provides: depend on it" },
        { "argo-cd", "name: argo-cd", "certificates.delivery: gitops needs a component that provides argoproj.io/v1alpha1/Application, and the catalog has none" },
        { "certificates", Certificates.Replace("delivery: gitops", "delivery: manifests", StringComparison.Ordinal), "certificates.chart: is only for delivery gitops, and this is manifests; set delivery to gitops, or remove it" },
        { "argo-cd", $"{Argo}\ndelivery: gitops", "argo-cd.chart: is missing: delivery gitops installs a chart; give its repository, name and version, or deliver the manifests" },
        { "certificates", Certificates.Replace("1.2.3", "1.x", StringComparison.Ordinal), "certificates.chart.version: '1.x' is not one version such as 1.2.3: a range or a branch would change by itself" },
        { "argo-cd", $"{Argo}\nmanifests: []", "argo-cd.manifests: is missing: list the files that are to be applied" },
        { "argo-cd", $"{Argo}\nexcludes: [flux]", "argo-cd.excludes[0]: flux is not in the catalog; add it, or remove it here." },
        { "argo-cd", $"{Argo}\ndependsOnPrimary: [vault]", "argo-cd.dependsOnPrimary[0]: vault is not in the catalog; add it, or remove it here." },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_what_would_be_right(string component, string definition, string problem) =>
        Assert.Contains(Read(new(Charted) { [component] = definition }).Problems, found => found.ToString().Contains(problem, StringComparison.Ordinal));

    [Theory]
    [InlineData("one", "web@us-east-1: one@us-east-1")]
    [InlineData("other", "web@us-east-1: other@us-east-1")]
    [InlineData("one other", "web@us-east-1: one@us-east-1, other@us-east-1")]
    public void Of_alternatives_those_come_first_that_the_environment_has(string enabled, string expected)
    {
        var catalog = Read(new() { ["one"] = "name: one", ["other"] = "name: other", ["web"] = "name: web\ndependsOn: [one|other]" }).Catalog!;
        var environment = Environment(catalog, name => name == "web" || enabled.Split(' ').Contains(name));

        var web = ProvisioningPlanner.Plan(environment, catalog, [TestEnvironment.Observation([])]).Components[^1];

        Assert.Equal(expected, $"{web.Step}: {string.Join(", ", web.DependsOn)}");
    }

    [Fact]
    public void The_other_region_waits_for_the_primary_where_a_component_says_so()
    {
        var catalog = Read(new() { ["bucket"] = "name: bucket\ndependsOnPrimary: [bucket]", ["database"] = "name: database\ndependsOn: [bucket]" }).Catalog!;
        var environment = Environment(catalog) with { Regions = [new("us-east-1", RegionRole.Primary, "a"), new("us-west-2", RegionRole.Secondary, "b")] };

        var plan = ProvisioningPlanner.Plan(environment, catalog, [TestEnvironment.Observation([]), TestEnvironment.Observation([]) with { Region = "us-west-2" }]);

        Assert.Equal(
            ["bucket@us-east-1: ", "bucket@us-west-2: bucket@us-east-1", "database@us-east-1: bucket@us-east-1", "database@us-west-2: bucket@us-west-2"],
            plan.Components.Select(component => $"{component.Step}: {string.Join(", ", component.DependsOn)}"));
    }

    [Fact]
    public void External_services_are_verified_and_never_planned_to_change()
    {
        var catalog = Read(new()
        {
            ["gitlab"] = "name: gitlab\ndelivery: external\nhealth: [{external: {}}]",
            ["gitlab/objects.yaml"] = "{apiVersion: external.platformops.io/v1, kind: GitLabProject, metadata: {name: platform}, spec: {visibility: private}}",
        }).Catalog!;

        var planned = Assert.Single(Assert.Single(ProvisioningPlanner.Plan(Environment(catalog), catalog, [TestEnvironment.Observation([])]).Components).Objects);

        Assert.Equal((PlannedAction.None, null, "It is verified against its service, and never changed by us."), (planned.Action, planned.Address.Namespace, planned.Reason));
    }
}
