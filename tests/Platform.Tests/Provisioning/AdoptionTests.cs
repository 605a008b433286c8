using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>What to write into the specification so that it says what was found.</summary>
public class AdoptionTests
{
    private static readonly ComponentCatalog Catalog = CatalogReader.Read(new Dictionary<string, string>
    {
        ["web/component.yaml"] = """
            name: web
            summary: A system.
            plane: test
            namespace: temporal-backend
            health: []
            manifests: [objects.yaml]
            parameters:
              replicas: {type: integer, default: 2, minimum: 1, maximum: 9, summary: Instances.}
              version: {type: string, default: "1.31.2", summary: Its version.}
              level: {type: string, default: info, allowed: [info, debug], summary: What it logs.}
              shards: {type: integer, default: 4, immutable: Data is spread over them., summary: Shards.}
            """,
        ["web/objects.yaml"] = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: ${replicas}
              paused: false
              template: {spec: {containers: [{name: web, image: "temporalio/server:${version}", args: ["--log=${level}"], env: [{name: SHARDS, value: "${shards}"}]}]}}
            """,
    }).Catalog!;

    public static TheoryData<string, string, string, string> Adoptable => new()
    {
        { "spec.replicas", "2", "5", "    replicas: 5\n" },
        { "spec.template.spec.containers[name=web].image", "temporalio/server:1.31.2", "temporalio/server:1.31.3-rc.1", "    version: \"1.31.3-rc.1\"\n" },
        { "spec.template.spec.containers[name=web].args", """["--log=info"]""", """["--log=debug"]""", "    level: \"debug\"\n" },
    };

    [Theory]
    [MemberData(nameof(Adoptable))]
    public void Names_the_parameter_that_gives_the_field_the_value_that_was_found(string path, string declared, string found, string yaml)
    {
        var change = Propose((path, declared, found));

        Assert.Equal(("environments/test.yaml", $"components:\n  web:\n{yaml}"), (change.File, change.Yaml));
        Assert.Empty(change.NotPossible);
    }

    [Theory]
    [InlineData("spec.replicas", "2", "10")]
    [InlineData("spec.paused", "false", "true")]
    [InlineData("spec.template.spec.containers[name=web].image", "temporalio/server:1.31.2", "elsewhere/server:1.31.2")]
    [InlineData("spec.template.spec.containers[name=web].args", """["--log=info"]""", """["--log=trace"]""")]
    [InlineData("spec.template.spec.containers[name=web].env[name=SHARDS].value", "4", "8")]
    public void Says_so_when_no_parameter_may_have_that_value(string path, string declared, string found)
    {
        var change = Propose((path, declared, found));

        Assert.Equal("", change.Yaml);
        Assert.Contains("no parameter of web gives it the value that was found. Revert it,", Assert.Single(change.NotPossible), StringComparison.Ordinal);
    }

    [Fact]
    public void Does_not_choose_between_two_values_of_one_parameter()
    {
        var change = Propose(("spec.replicas", "2", "5"), ("spec.replicas", "2", "6"));

        Assert.Equal("components:\n  web:\n    replicas: 5\n", change.Yaml);
        Assert.Contains("replicas of web has one value for all regions and objects", Assert.Single(change.NotPossible), StringComparison.Ordinal);
    }

    private static SpecificationChange Propose(params (string Path, string Declared, string Found)[] fields) => Adoption.Propose(
        TestEnvironment.Of(mayDestroy: false, [new() { Name = "web", Parameters = new() { ["replicas"] = 2, ["version"] = "1.31.2", ["level"] = "info", ["shards"] = 4 } }]),
        Catalog,
        fields.Select(field => new DriftFinding(
            "web", new(TestEnvironment.Region, "apps/v1", "Deployment", "temporal-backend", "web"), DriftKind.Field, "", field.Path, field.Declared, field.Found)));
}
