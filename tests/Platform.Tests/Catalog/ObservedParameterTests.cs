using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Provisioning;
using static PlatformOps.Platform.Tests.Catalog.SmallCatalog;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>Values that only the world knows: here the address of a database, which a Service stands for.</summary>
public sealed class ObservedParameterTests
{
    private const string Database = "{apiVersion: aws.platformops.io/v1, kind: DatabaseInstance, metadata: {name: store}, spec: {engine: postgres}}";
    private const string Service = "{apiVersion: v1, kind: Service, metadata: {name: postgresql}, spec: {type: ExternalName, externalName: \"${address}\"}}";
    private const string Definition = """
        name: database
        observed:
          address: {apiVersion: aws.platformops.io/v1, kind: DatabaseInstance, name: store, field: status.address}
        manifests: [store.yaml, service.yaml]
        """;

    private static readonly Dictionary<string, string> Texts = new() { ["database"] = Definition, ["database/store.yaml"] = Database, ["database/service.yaml"] = Service };

    [Fact]
    public void Before_it_is_known_the_plan_says_when_it_will_be()
    {
        var service = Planned(LiveService("old.example.net"))[1];

        Assert.Equal(PlannedAction.Change, service.Action);
        Assert.Equal("old.example.net -> (known once us-east-1 DatabaseInstance store has status.address)", $"{service.Changes[0].From} -> {service.Changes[0].To}");
    }

    [Fact]
    public void Once_it_is_known_it_is_what_is_wanted()
    {
        Assert.Equal(PlannedAction.None, Planned(LiveDatabase("db.example.net"), LiveService("db.example.net"))[1].Action);
        var moved = Planned(LiveDatabase("other.example.net"), LiveService("db.example.net"))[1];
        Assert.Equal("spec.externalName db.example.net -> other.example.net", $"{moved.Changes.Single().Path} {moved.Changes[0].From} -> {moved.Changes[0].To}");
    }

    [Fact]
    public void That_it_becomes_known_while_a_plan_is_carried_out_is_no_other_plan()
    {
        var (before, after) = (Step(LiveService("old.example.net")), Step(LiveDatabase("db.example.net"), LiveService("old.example.net")));

        Assert.Equal("db.example.net", after.Objects[1].Changes.Single().To);
        Assert.Empty(PlanComparison.Compare(before, after, "op-1", _ => true).Differences);
    }

    [Fact]
    public void Only_the_object_that_refers_to_it_waits_for_it()
    {
        var catalog = Read(Texts).Catalog!;
        var component = catalog.Find("database")!;

        Assert.Equal([0, 1], ManifestRenderer.Render(Environment(catalog), component, TestEnvironment.Region).Select(item => item.Awaits.Count));
        var live = new[] { LiveDatabase("db.example.net") }.ToDictionary(item => item.Address, item => item.Manifest);
        var known = ManifestRenderer.Render(Environment(catalog), component, TestEnvironment.Region, live);
        Assert.All(known, item => Assert.Empty(item.Awaits));
        Assert.Equal("db.example.net", (string?)known[1].Manifest["spec"]!["externalName"]);
    }

    [Fact]
    public void An_item_of_a_list_is_told_by_its_number()
    {
        var source = new ObservedSource("host", new(TestEnvironment.Region, "v1", "Service", "edge", "web"), "status.loadBalancer.ingress.0.hostname");

        Assert.Equal("lb.example.net", (string?)source.In(YamlText.Parse("status: {loadBalancer: {ingress: [{hostname: lb.example.net}]}}")));
        Assert.Null(source.In(YamlText.Parse("status: {loadBalancer: {ingress: []}}")));
        Assert.Null(source.In(null));
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "kind: DatabaseInstance, name", "kind: Bucket, name", "database.observed.address: neither database nor anything that it depends on declares a aws.platformops.io/v1/Bucket: depend on the component that does" },
        { "name: store, field", "name: \"${other}\", field", "database.observed.address.name: ${other} is not a parameter of database" },
        { "service.yaml]", "{file: service.yaml, when: address == here}]", "database.observed.address: service.yaml needs it to say whether an object exists, or what it is called" },
        { "  address:", "  unused: {apiVersion: v1, kind: Service, name: postgresql, field: spec.clusterIP}\n  address:", "database.observed.unused: no manifest uses it: use it, or remove it" },
        { "  address:", "  region: {apiVersion: v1, kind: Service, name: postgresql, field: spec.clusterIP}\n  address:", "database.observed.region: is a parameter of this component, imported, or built in, already; remove one of the two" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_what_would_be_right(string right, string wrong, string problem) => Assert.Contains(
        Read(new(Texts) { ["database"] = Definition.Replace(right, wrong, StringComparison.Ordinal) }).Problems, found => found.ToString().Contains(problem, StringComparison.Ordinal));

    [Theory]
    [InlineData("inside", "no")]
    [InlineData("managed", "yes")]
    public void An_import_from_alternatives_is_that_of_the_one_that_the_environment_has(string enabled, string expected)
    {
        const string Parameter = "\nparameters: {tls: {type: string, default: \"VALUE\", summary: Whether.}}";
        var catalog = Read(new()
        {
            ["inside"] = $"name: inside{Parameter.Replace("VALUE", "no", StringComparison.Ordinal)}",
            ["managed"] = $"name: managed{Parameter.Replace("VALUE", "yes", StringComparison.Ordinal)}",
            ["web"] = "name: web\nimports: {tls: inside|managed}",
            ["web/objects.yaml"] = "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {tls: \"${tls}\"}}",
        }).Catalog!;
        var environment = TestEnvironment.Of(true, [.. catalog.Components.Select(component => new ComponentSpecification
        {
            Name = component.Name,
            Enabled = component.Name == "web" || component.Name == enabled,
            Parameters = new(component.Parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Default?.DeepClone()))),
        })]);

        Assert.Equal(expected, (string?)ManifestRenderer.Render(environment, catalog.Find("web")!, TestEnvironment.Region).Single().Manifest["data"]!["tls"]);
    }

    private static IReadOnlyList<PlannedObject> Planned(params ObservedObject[] live) => Step(live).Objects;

    private static PlannedComponent Step(params ObservedObject[] live)
    {
        var catalog = Read(Texts).Catalog!;
        return ProvisioningPlanner.Plan(Environment(catalog), catalog, [TestEnvironment.Observation(live)]).Components.Single();
    }

    private static ObservedObject LiveDatabase(string address) => TestEnvironment.Observed((JsonObject)YamlText.Parse(
        $"{{apiVersion: aws.platformops.io/v1, kind: DatabaseInstance, metadata: {{name: store, uid: a, labels: {{ours: database}}}}, spec: {{engine: postgres}}, status: {{address: {address}}}}}")!);

    private static ObservedObject LiveService(string name) => TestEnvironment.Observed((JsonObject)YamlText.Parse(
        $"{{apiVersion: v1, kind: Service, metadata: {{name: postgresql, namespace: security, uid: b, labels: {{ours: database}}}}, spec: {{type: ExternalName, externalName: {name}}}}}")!);
}
