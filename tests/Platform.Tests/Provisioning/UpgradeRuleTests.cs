using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>Which version may follow which, in which order components and regions are upgraded.</summary>
public class UpgradeRuleTests
{
    private const string East = "us-east-1", West = "us-west-2";

    private static readonly ComponentCatalog Catalog = CatalogReader.Read(new Dictionary<string, string>
    {
        ["schema/component.yaml"] = Definition("schema", "dependsOn: []"),
        ["schema/objects.yaml"] = Manifest("schema"),
        ["history/component.yaml"] = Definition("history", "upgradeAfter: [schema]"),
        ["history/objects.yaml"] = Manifest("history"),
    }).Catalog!;

    [Theory]
    [InlineData("1.31.2", "1.31.2", null)]
    [InlineData("1.31.2", "1.31.4", null)]
    [InlineData("1.31.4", "1.31.2", null)]
    [InlineData("1.31.2", "1.32.0", null)]
    [InlineData(null, "1.32.0", null)]
    [InlineData("1.31.2", null, null)]
    [InlineData("1.31.2", "1.33.0", "1.31.2 cannot become 1.33.0: go to the newest 1.32 first, one minor version at a time.")]
    [InlineData("1.32.0", "1.31.9", "1.32.0 cannot become 1.31.9: an older minor version may not be able to read what the newer one wrote.")]
    [InlineData("1.31.2", "2.0.0", "1.31.2 cannot become 2.0.0: that is another major version.")]
    public void Lets_no_minor_version_be_skipped_and_none_go_back(string? from, string? to, string? why) =>
        Assert.Equal(why, Upgrades.WhyNot(Version(from), Version(to)));

    [Theory]
    [InlineData("temporalio/server:1.31.2", "1.31.2")]
    [InlineData("registry:5000/temporalio/server:v1.31.2-rc.1@sha256:abc", "1.31.2")]
    [InlineData("registry:5000/temporalio/server", null)]
    [InlineData("temporalio/server:latest", null)]
    public void Reads_the_version_from_the_tag(string image, string? version) => Assert.Equal(version, ImageVersion.Parse(image)?.ToString());

    [Fact]
    public void Upgrades_the_secondary_region_first_and_the_primary_one_when_that_is_healthy()
    {
        var plan = Plan(specified: "1.32.0", schema: "1.32.0", history: "1.31.2");

        Assert.Equal(["history@us-west-2", "history@us-east-1"], plan.Components.Select(component => component.Step));
        Assert.Equal(["history@us-west-2"], plan.Components[1].DependsOn);
        Assert.All(plan.Components.SelectMany(component => component.Objects), planned => Assert.Equal(PlannedAction.Change, planned.Action));
    }

    [Theory]
    [InlineData("1.32.0", "1.31.2", "1.31.2", "schema has to be upgraded to 1.32.0 first, and it is 1.31.2.")]
    [InlineData("1.32.0", null, "1.31.2", "schema has to be upgraded to 1.32.0 first, and it is not there.")]
    [InlineData("1.33.0", "1.33.0", "1.31.2", "1.31.2 cannot become 1.33.0: go to the newest 1.32 first, one minor version at a time. Because.")]
    public void Refuses_what_breaks_a_rule(string specified, string? schema, string history, string why)
    {
        var planned = Assert.Single(Plan(specified, schema, history).Components[0].Objects);

        Assert.Equal((PlannedAction.Conflict, why), (planned.Action, planned.Reason));
    }

    [Fact]
    public void Does_not_begin_before_the_specification_says_what_the_operator_expects()
    {
        var problems = Upgrades.Unexpected(Environment("1.32.0"), Catalog.Find("history")!, East, "1.33.0", new Dictionary<string, string> { ["version"] = "1.33.0", ["speed"] = "9" });

        Assert.Equal(
            [
                "Field 'version' is 1.33.0, but specification and catalog say temporalio/server:1.32.0.",
                "Field 'parameters' expects version: 1.33.0, but the specification says 1.32.0. Set it under components.history in environments/test.yaml first.",
                "Field 'parameters' names speed, which history does not have. It has: version.",
            ],
            problems);
        Assert.Empty(Upgrades.Unexpected(Environment("1.32.0"), Catalog.Find("history")!, East, "1.32.0", new Dictionary<string, string> { ["version"] = "1.32.0" }));
    }

    [Fact]
    public void The_server_components_of_the_catalog_follow_the_schema_one_after_the_other()
    {
        var catalog = CommittedCatalog.Catalog;
        string[] order = ["temporal-schema", "temporal-frontend", "temporal-history", "temporal-matching", "temporal-worker"];

        Assert.All(order, name => Assert.NotNull(catalog.Find(name)!.OneMinorAtATime));
        foreach (var (before, after) in order.Zip(order.Skip(1)))
            Assert.Contains(before, catalog.Find(after)!.UpgradeAfter);
        Assert.All(order.Skip(1), name => Assert.Contains("temporal-schema", catalog.Find(name)!.UpgradeAfter));
    }

    private static ImageVersion? Version(string? version) => version is null ? null : ImageVersion.Parse($"server:{version}");

    private static ProvisioningPlan Plan(string specified, string? schema, string history)
    {
        RegionObservation Region(string region) => new()
        {
            Region = region,
            Objects = [.. new[] { ("schema", schema), ("history", history) }.Where(pair => pair.Item2 is not null)
                .SelectMany(pair => ManifestRenderer.Render(Environment(pair.Item2!), Catalog.Find(pair.Item1)!, region)).Select(item => new ObservedObject(item.Address, item.Manifest))],
            ObservedAt = DateTimeOffset.UnixEpoch,
            Source = "https://kubernetes.invalid",
        };
        return ProvisioningPlanner.Plan(Environment(specified), Catalog, [Region(East), Region(West)], ["history"], PlanPurpose.Upgrade);
    }

    private static EnvironmentSpecification Environment(string version) =>
        TestEnvironment.Of(mayDestroy: false, [.. new[] { "schema", "history" }.Select(name => new ComponentSpecification { Name = name, Parameters = new() { ["version"] = version } })]) with
        {
            Regions = [new(East, RegionRole.Primary, East), new(West, RegionRole.Secondary, West)],
        };

    private static string Definition(string name, string more) => $$"""
        name: {{name}}
        summary: A system.
        plane: test
        namespace: temporal-backend
        {{more}}
        oneMinorAtATime: Because.
        parameters: {version: {type: string, summary: Its version.} }
        health: []
        manifests: [objects.yaml]
        """;

    private static string Manifest(string name) =>
        $$"""{apiVersion: apps/v1, kind: Deployment, metadata: {name: {{name}} }, spec: {template: {spec: {containers: [{name: app, image: "temporalio/server:${version}"}]} } } }""";
}
