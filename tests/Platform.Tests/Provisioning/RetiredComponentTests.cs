using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>What becomes of components that an environment had and does not have any more.</summary>
public sealed class RetiredComponentTests
{
    private static readonly ComponentCatalog Catalog = SmallCatalog.Read(new()
    {
        ["ground"] = "name: ground",
        ["old"] = "name: old\ndependsOn: [ground]",
        ["new"] = "name: new\ndependsOn: [ground]",
        ["store"] = "name: store\nplane: data\ndependsOn: [ground]",
        ["web"] = "name: web\ndependsOn: [old|new]",
        ["extra"] = "name: extra\ndependsOn: [old]",
    }).Catalog!;

    private static readonly (string Component, string Kind, string Name)[] World =
    [
        ("ground", "ConfigMap", "ground"), ("old", "Deployment", "old"), ("old", "Service", "old"), ("old", "Secret", "login"), ("web", "ConfigMap", "web"), ("extra", "ConfigMap", "extra"),
    ];

    [Fact]
    public void They_go_after_everybody_who_may_still_use_them_and_traffic_goes_first()
    {
        var retired = Retired(["ground", "new", "web"], World);

        Assert.Equal(["extra@us-east-1: ", "old@us-east-1: extra@us-east-1, web@us-east-1"], retired.Select(step => $"{step.Step}: {string.Join(", ", step.DependsOn)}"));
        Assert.Equal(
            [
                "Prune Service old: It is ours, and test does not have old any more in us-east-1.",
                "Prune Deployment old: It is ours, and test does not have old any more in us-east-1.",
                "None Secret login: It is ours, and test does not have old any more in us-east-1, but kept: a Secret is never removed by a plan.",
            ],
            retired[1].Objects.Select(planned => $"{planned.Action} {planned.Address.Kind} {planned.Address.Name}: {planned.Reason}"));
    }

    [Fact]
    public void Without_leave_to_destroy_they_are_kept_with_a_sentence() => Assert.All(
        Retired(["ground", "new", "web"], World, mayDestroy: false).SelectMany(step => step.Objects),
        planned => Assert.True(planned.Action == PlannedAction.None && planned.Reason.Contains("but kept: ", StringComparison.Ordinal), planned.Reason));

    [Fact]
    public void A_data_store_is_kept_and_so_is_what_it_stands_on()
    {
        var retired = Retired([], [("ground", "ConfigMap", "ground"), ("store", "StatefulSet", "store"), ("web", "ConfigMap", "web")]);

        var reasons = retired.SelectMany(step => step.Objects).ToDictionary(planned => planned.Address.Name, planned => (planned.Action, planned.Reason));
        Assert.Equal(PlannedAction.Prune, reasons["web"].Action);
        Assert.EndsWith("but kept: it is a data store, which no plan but one to decommission removes.", reasons["store"].Reason, StringComparison.Ordinal);
        Assert.EndsWith("but kept: store@us-east-1, a data store, stands on it.", reasons["ground"].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_catalog_does_not_know_any_more_goes_too() =>
        Assert.Equal("gone@us-east-1", Assert.Single(Retired(["ground"], [("ground", "ConfigMap", "ground"), ("gone", "ConfigMap", "old")])).Step);

    [Fact]
    public void A_region_that_a_component_was_taken_out_of_gives_it_up()
    {
        var environment = Environment(["ground", "web", "new"], mayDestroy: true);
        environment = environment with
        {
            Regions = [new("us-east-1", RegionRole.Primary, "a"), new("us-west-2", RegionRole.Secondary, "b")],
            Components = [.. environment.Components.Select(component => component.Name == "web" ? component with { Regions = ["us-east-1"] } : component)],
        };
        var there = TestEnvironment.Observation(Objects([("web", "ConfigMap", "web")], "us-west-2")) with { Region = "us-west-2" };

        var plan = ProvisioningPlanner.Plan(environment, Catalog, [TestEnvironment.Observation(Objects(World, "us-east-1")), there]);

        Assert.Contains("web@us-west-2", plan.Components.Where(step => step.Retired).Select(step => step.Step));
        Assert.DoesNotContain("web@us-east-1", plan.Components.Where(step => step.Retired).Select(step => step.Step));
    }

    [Fact]
    public void A_report_of_drift_names_them_and_a_plan_for_some_components_does_not_touch_them()
    {
        var environment = Environment(["ground", "new", "web"], mayDestroy: true);
        var world = new[] { TestEnvironment.Observation(Objects(World, "us-east-1")) };

        var drift = Drift.In(ProvisioningPlanner.Plan(environment, Catalog, world, purpose: PlanPurpose.Revert));
        Assert.Equal(4, drift.Count(finding => finding.Kind == DriftKind.Undeclared));
        Assert.All(drift.Where(finding => finding.Kind == DriftKind.Undeclared), finding => Assert.EndsWith("but kept: reverting removes nothing.", finding.Reason, StringComparison.Ordinal));
        Assert.DoesNotContain(ProvisioningPlanner.Plan(environment, Catalog, world, ["web"]).Components, step => step.Retired);
    }

    [Fact]
    public void Somebody_elses_objects_are_none_of_them() => Assert.DoesNotContain(
        ProvisioningPlanner.Plan(Environment(["ground"], mayDestroy: true) with { Name = "another" }, Catalog, [TestEnvironment.Observation(Objects(World, "us-east-1"))]).Components, step => step.Retired);

    private static List<PlannedComponent> Retired(string[] enabled, (string Component, string Kind, string Name)[] world, bool mayDestroy = true) =>
        [.. ProvisioningPlanner.Plan(Environment(enabled, mayDestroy), Catalog, [TestEnvironment.Observation(Objects(world, "us-east-1"))]).Components.Where(step => step.Retired)];

    private static EnvironmentSpecification Environment(string[] enabled, bool mayDestroy) => TestEnvironment.Of(
        mayDestroy, [.. Catalog.Components.Select(component => new ComponentSpecification { Name = component.Name, Enabled = enabled.Contains(component.Name), Parameters = [] })]);

    private static List<ObservedObject> Objects((string Component, string Kind, string Name)[] world, string region) =>
        [.. world.Select(item => TestEnvironment.Observed(YamlText.Parse(
            $"{{apiVersion: v1, kind: {item.Kind}, metadata: {{name: {item.Name}, namespace: security, uid: {item.Name}, labels: {{ours: {item.Component}}}}}}}")!.AsObject()))
            .Select(item => item with { Address = item.Address with { Region = region } })];
}
