using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary><c>scaling</c> of the catalog.</summary>
public sealed class ScalingDefinitionTests
{
    private const string Replicas = "parameters: {replicas: {type: integer, default: 3, minimum: 1, maximum: 20, summary: How many.}, queue: {type: string, default: orders, summary: Which.}}";

    private const string Cpu = "{name: cpu, kind: average, target: 60, query: q}";

    [Fact]
    public void Is_read_with_its_defaults_and_filled_in()
    {
        var catalog = SmallCatalog.Read(new()
        {
            ["web"] = $$"""
                name: web
                {{Replicas}}
                scaling:
                  workload: Deployment/web
                  tasks: {namespace: "${environment}", queue: "${queue}"}
                  signals: [{name: cpu, kind: average, target: 60, unit: "%", query: 'cpu{namespace="${namespace}"}'}]
                """,
        });
        Assert.Empty(catalog.Problems);
        var component = catalog.Catalog!.Find("web")!;
        var scaling = DeclaredScaling.Of(SmallCatalog.Environment(catalog.Catalog), component, Provisioning.TestEnvironment.Region)!;

        Assert.Equal(("replicas", new ScaledWorkload("Deployment", "web", "security"), 100, 10, false), (scaling.Parameter, scaling.Workload, scaling.StepOut, scaling.StepIn, scaling.Shards));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(2), "orders"), (scaling.Stabilize, scaling.Cooldown, scaling.Tasks!.Queue));
        Assert.Equal(new ScalingSignal("cpu", SignalKind.Average, "cpu{namespace=\"security\"}", 60, "%"), Assert.Single(scaling.Signals));
    }

    [Theory]
    [InlineData("{workload: Deployment/web, parameter: queue}", "scaling.parameter", "is not an integer parameter of this component")]
    [InlineData("{workload: DaemonSet/web}", "scaling.workload", "Kind/name such as Deployment/api")]
    [InlineData("{signals: [" + Cpu + "]}", "scaling.workload", "is missing")]
    [InlineData("{workload: Deployment/web, shards: true}", "scaling.shards", "is for a StatefulSet")]
    [InlineData("{workload: Deployment/web, connections: replicas}", "scaling.connectionLimit", "is missing")]
    [InlineData("{workload: Deployment/web, connections: nobody, connectionLimit: replicas}", "scaling.connections", "neither a parameter of this component nor imported")]
    [InlineData("{workload: Deployment/web, signals: [{name: p99, kind: ceiling, target: 60, query: q}]}", "scaling.signals", "need one of kind average or total")]
    [InlineData("{workload: Deployment/web, signals: [{name: cpu, kind: average, target: 0, query: q}]}", "scaling.signals[0].target", "is 0")]
    [InlineData("{workload: Deployment/web, signals: [" + Cpu + ", " + Cpu + "]}", "scaling.signals[1].name", "give each its own")]
    [InlineData("{workload: Deployment/web, signals: [{name: cpu, kind: average, target: 1, query: '${nobody}'}]}", "scaling.signals[0].query", "is not a parameter of this component")]
    [InlineData("{workload: Deployment/web, stabilize: 1s}", "scaling.stabilize", "is too short")]
    public void Says_what_is_wrong_with_it(string scaling, string path, string expected)
    {
        var result = SmallCatalog.Read(new() { ["web"] = $"name: web\n{Replicas}\nscaling: {scaling}", ["web/objects.yaml"] = "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: \"${replicas} ${queue}\"}}" });

        Assert.Contains(result.Problems, problem => problem.Path.EndsWith(path, StringComparison.Ordinal) && problem.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("temporal-frontend", 1, 20)]
    [InlineData("temporal-history", 1, 50)]
    [InlineData("temporal-matching", 1, 10)]
    [InlineData("temporal-worker", 1, 5)]
    [InlineData("business-workers", 1, 100)]
    [InlineData("business-workers-go", 1, 100)]
    [InlineData("postgresql", 100, 1000)]
    [InlineData("elasticsearch", 3, 20)]
    [InlineData("redis", 1, 10)]
    public void The_reference_platform_has_the_ranges_of_the_reference(string component, int minimum, int maximum)
    {
        var production = Reference().Specification!.Find("production")!;

        Assert.Equal(new ScaleRange(minimum, maximum), DeclaredScaling.RangeOf(production, component));
        Assert.NotNull(DeclaredScaling.Of(production, CommittedCatalog.Catalog.Find(component)!, production.PrimaryRegion));
    }

    [Fact]
    public void A_specification_whose_pools_exceed_the_connections_is_refused_with_the_sum()
    {
        var problem = Assert.Single(Reference(text => text.Replace("temporal-history: {replicas: 5,", "temporal-history: {replicas: 12,", StringComparison.Ordinal)).Problems, problem => problem.Path.EndsWith("production.components.postgresql", StringComparison.Ordinal) && problem.Message.Contains("us-east-1", StringComparison.Ordinal));

        Assert.Equal("in us-east-1 the pools need temporal-frontend 3 x 20 + temporal-history 12 x 20 + temporal-matching 3 x 20 + temporal-worker 2 x 20 = 400 connections, and the database accepts 300, of which 13 are kept free; let it accept more, or have fewer replicas or smaller pools", problem.Message);
    }

    private static SpecificationResult Reference(Func<string, string>? change = null) => SpecificationReader.Read(
        Repository.Texts("examples/reference").ToDictionary(file => file.Key, file => change?.Invoke(file.Value) ?? file.Value), CommittedCatalog.Catalog);
}
