using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Specification;

public class SpecificationSchemaTests
{
    private static readonly JsonObject Platform = SpecificationSchema.Platform(TestCatalog.Reference);
    private static readonly JsonObject Environment = SpecificationSchema.Environment(TestCatalog.Reference);

    [Theory]
    [InlineData("platform.yaml")]
    [InlineData("environments/development.yaml")]
    [InlineData("environments/staging.yaml")]
    [InlineData("environments/production.yaml")]
    public void The_reference_platform_satisfies_the_schema_with_and_without_a_catalog(string file)
    {
        var tree = YamlText.Parse(Repository.Texts("examples/reference")[file]);
        var isPlatform = file == "platform.yaml";
        Assert.Empty(SchemaCheck.Violations(isPlatform ? SpecificationSchema.Platform(CommittedCatalog.Catalog) : SpecificationSchema.Environment(CommittedCatalog.Catalog), tree));
        Assert.Empty(SchemaCheck.Violations(isPlatform ? SpecificationSchema.Platform() : SpecificationSchema.Environment(), tree));
    }

    [Theory]
    [InlineData("replcas: 1", ".replcas: additional")]
    [InlineData("kind: Platform", ".kind: not in enum")]
    [InlineData("clusterSize: '3'", ".clusterSize: not \"integer\"")]
    [InlineData("clusterSize: 0", ".clusterSize: out of range")]
    [InlineData("nodes: {UPPER: {count: 1}}", ".nodes.UPPER: propertyNames")]
    [InlineData("components: {mongodb: {}}", ".components.mongodb: additional")]
    [InlineData("components: {temporal-history: {replicas: 51}}", ".components.temporal-history.replicas: out of range")]
    [InlineData("components: {redis: {memory: 2 GB}}", ".components.redis.memory: none of anyOf")]
    [InlineData("components: {redis: {grace: 30}}", ".components.redis.grace: not \"string\"")]
    [InlineData("components: {redis: {level: loud}}", ".components.redis.level: not in enum")]
    [InlineData("backups: {postgresql: {frequency: never}}", ".backups.postgresql.frequency: pattern")]
    public void The_schema_refuses_what_the_reader_refuses(string line, string violation)
    {
        var lines = new[] { "apiVersion: platformops.io/v1", "kind: Environment", "name: production" }.Where(first => line.Split(':')[0] != first.Split(':')[0]);
        var text = string.Join('\n', lines.Append(line));
        Assert.Equal([violation], SchemaCheck.Violations(Environment, YamlText.Parse(text)));

        var files = Repository.Texts("examples/reference");
        files["environments/production.yaml"] = text;
        var path = violation.Split(':')[0];
        Assert.Contains(SpecificationReader.Read(files, TestCatalog.Reference).Problems, problem => problem.Path == $"environments.production{path}");
    }

    [Fact]
    public void The_files_say_what_they_are_and_the_rest_may_come_from_the_other_file() =>
        Assert.Equal([".apiVersion: required", ".kind: required", ".name: required"], SchemaCheck.Violations(Environment, new JsonObject()));

    [Fact]
    public void Every_key_is_described_for_the_editor()
    {
        foreach (var schema in new[] { Platform, Environment, SpecificationSchema.Component() })
            Assert.All(Properties(schema), property => Assert.False(string.IsNullOrWhiteSpace((string?)property.Schema["description"]), property.Path));
    }

    [Fact]
    public void A_component_needs_what_its_reader_needs()
    {
        var component = YamlText.Parse("{name: redis, summary: A cache., plane: data, namespace: data, health: [{rollout: {kind: Pod}}], manifests: [{file: a.yaml, when: flag}]}");
        Assert.Equal([".health[0].rollout.name: required", ".health[0].rollout.kind: not in enum"], SchemaCheck.Violations(SpecificationSchema.Component(), component));
    }

    internal static IEnumerable<(string Path, JsonObject Schema)> Properties(JsonObject schema, string path = "")
    {
        foreach (var (key, value) in schema["properties"] as JsonObject ?? [])
        {
            yield return ($"{path}.{key}", (JsonObject)value!);
            foreach (var inside in Properties((JsonObject)value!, $"{path}.{key}"))
                yield return inside;
        }

        foreach (var inner in new[] { schema["additionalProperties"], schema["items"] }.OfType<JsonObject>())
        {
            foreach (var inside in Properties(inner, $"{path}.*"))
                yield return inside;
        }
    }
}
