using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>What of an environment goes, in which order, and what is kept.</summary>
public class DecommissionPlannerTests
{
    private static readonly ComponentCatalog Catalog = CatalogReader.Read(new Dictionary<string, string>
    {
        ["ground/component.yaml"] = Definition("ground", "infrastructure"),
        ["ground/objects.yaml"] = Manifest("Namespace", "ground"),
        ["store/component.yaml"] = Definition("store", "data", "ground"),
        ["store/objects.yaml"] = Manifest("StatefulSet", "store"),
        ["cache/component.yaml"] = Definition("cache", "temporal-backend", "ground"),
        ["cache/objects.yaml"] = Manifest("Deployment", "cache"),
        ["web/component.yaml"] = Definition("web", "temporal-backend", "store", "cache"),
        ["web/objects.yaml"] = Manifest("Deployment", "web"),
    }).Catalog!;

    private static readonly (string Component, string Kind, string Name)[] World =
    [
        ("ground", "NetworkPolicy", "deny"), ("ground", "Namespace", "space"), ("store", "StatefulSet", "store"), ("store", "Service", "store"),
        ("cache", "Deployment", "cache"), ("web", "Deployment", "web"), ("web", "Service", "web"), ("web", "Secret", "web"), ("gone", "ConfigMap", "old"),
    ];

    [Fact]
    public void Removes_what_stands_on_others_first_and_traffic_before_what_serves_it()
    {
        var plan = Plan(mayDestroy: true, includeDataStores: true);

        Assert.Equal(["gone@us-east-1", "web@us-east-1", "cache@us-east-1", "store@us-east-1", "ground@us-east-1"], plan.Components.Select(component => component.Step));
        Assert.Equal(["cache@us-east-1", "store@us-east-1", "web@us-east-1"], plan.Components[^1].DependsOn);
        Assert.Equal(["Service", "Deployment", "Secret"], plan.Components[1].Objects.Select(planned => planned.Address.Kind));
        Assert.All(plan.Components.SelectMany(component => component.Objects), planned => Assert.Equal(PlannedAction.Prune, planned.Action));
    }

    [Theory]
    [InlineData(true, false, "data stores were not asked for (includeDataStores)")]
    [InlineData(false, false, "the guard rails of this environment do not allow it (mayDestroy: false)")]
    [InlineData(false, true, "the guard rails of this environment do not allow it (mayDestroy: false)")]
    public void Keeps_data_stores_and_what_they_stand_on_unless_they_are_asked_for_and_allowed(bool mayDestroy, bool includeDataStores, string why)
    {
        var objects = Plan(mayDestroy, includeDataStores).Components.SelectMany(component => component.Objects).ToDictionary(planned => $"{planned.Address.Kind} {planned.Address.Name}");

        Assert.Equal(["ConfigMap old", "Deployment cache", "Deployment web", "Service web"], objects.Where(pair => pair.Value.Action == PlannedAction.Prune).Select(pair => pair.Key).Order());
        Assert.Equal($"Kept: it is a data store, and {why}.", objects["StatefulSet store"].Reason);
        Assert.Equal($"Kept: store@us-east-1 stands on it, and {why}.", objects["NetworkPolicy deny"].Reason);
        Assert.Equal($"Kept: a Secret holds data or everything else, and {why}.", objects["Secret web"].Reason);
    }

    [Fact]
    public void Keeps_what_defines_the_kind_of_something_that_is_kept_and_what_that_stands_on()
    {
        var catalog = CatalogReader.Read(new Dictionary<string, string>
        {
            ["ground/component.yaml"] = Definition("ground", "infrastructure"),
            ["ground/objects.yaml"] = Manifest("ConfigMap", "ground"),
            ["definer/component.yaml"] = Definition("definer", "infrastructure", "ground") + "provides: [v1/Backup]\n",
            ["definer/objects.yaml"] = Manifest("Deployment", "definer"),
            ["other/component.yaml"] = Definition("other", "infrastructure", "ground") + "provides: [v1/Visit]\n",
            ["other/objects.yaml"] = Manifest("Deployment", "other"),
            ["user/component.yaml"] = Definition("user", "infrastructure", "definer"),
            ["user/objects.yaml"] = Manifest("Backup", "user"),
        }).Catalog!;
        (string, string, string)[] world = [("ground", "ConfigMap", "ground"), ("definer", "Deployment", "definer"), ("other", "Deployment", "other"), ("user", "Backup", "nightly"), ("user", "ConfigMap", "user")];

        var objects = Plan(catalog, world, mayDestroy: true, includeDataStores: false).Components.SelectMany(component => component.Objects).ToDictionary(planned => planned.Address.Name);

        Assert.Equal(["other", "user"], objects.Where(pair => pair.Value.Action == PlannedAction.Prune).Select(pair => pair.Key).Order());
        Assert.StartsWith("Kept: it defines the kind of us-east-1 Backup nightly, and ", objects["definer"].Reason, StringComparison.Ordinal);
        Assert.StartsWith("Kept: definer@us-east-1 stands on it, and ", objects["ground"].Reason, StringComparison.Ordinal);
        Assert.All(Plan(catalog, world, mayDestroy: true, includeDataStores: true).Components.SelectMany(component => component.Objects), planned => Assert.Equal(PlannedAction.Prune, planned.Action));
    }

    [Fact]
    public void Gives_another_hash_when_more_is_to_go() =>
        Assert.NotEqual(Plan(mayDestroy: true, includeDataStores: true).Hash, Plan(mayDestroy: true, includeDataStores: false).Hash);

    [Theory]
    [InlineData("""{kind: Deployment, spec: {replicas: 2}}""", CostClass.Compute)]
    [InlineData("""{kind: Deployment, spec: {replicas: 0}}""", CostClass.None)]
    [InlineData("""{kind: StatefulSet, spec: {replicas: 3, volumeClaimTemplates: [{}]}}""", CostClass.Compute | CostClass.Storage)]
    [InlineData("""{kind: StatefulSet, spec: {replicas: 0, volumeClaimTemplates: [{}]}}""", CostClass.Storage)]
    [InlineData("""{kind: Service, spec: {type: LoadBalancer}}""", CostClass.Network)]
    [InlineData("""{kind: Service, spec: {type: ClusterIP}}""", CostClass.None)]
    [InlineData("""{kind: DatabaseInstance}""", CostClass.Compute | CostClass.Storage)]
    [InlineData("""{kind: ConfigMap}""", CostClass.None)]
    public void Says_what_an_object_costs(string manifest, CostClass cost) => Assert.Equal(cost, Ledger.CostOf(YamlText.Parse(manifest)!.AsObject()));

    private static ProvisioningPlan Plan(bool mayDestroy, bool includeDataStores) => Plan(Catalog, World, mayDestroy, includeDataStores);

    private static ProvisioningPlan Plan(ComponentCatalog catalog, (string Component, string Kind, string Name)[] world, bool mayDestroy, bool includeDataStores) => DecommissionPlanner.Plan(
        TestEnvironment.Of(mayDestroy, [.. catalog.Components.Select(component => new Platform.Specification.ComponentSpecification { Name = component.Name, Parameters = [] })]),
        catalog,
        [TestEnvironment.Observation([.. world.Select(item => TestEnvironment.Observed(new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = item.Kind,
            ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = item.Name, ["labels"] = new System.Text.Json.Nodes.JsonObject { ["ours"] = item.Component } },
        }))])],
        includeDataStores);

    private static string Definition(string name, string plane, params string[] dependsOn) =>
        $"name: {name}\nsummary: A system.\nplane: {plane}\nnamespace: space\ndependsOn: [{string.Join(", ", dependsOn)}]\nhealth: []\nmanifests: [objects.yaml]\n";

    private static string Manifest(string kind, string name) => $"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n";
}
