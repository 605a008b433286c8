using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>Components of the reference that the specification leaves to Kubernetes.</summary>
public sealed class DelegatedScalingTests
{
    private const string Production = "environments/production.yaml";

    /// <summary>What the environment says beside the reference, and the problem that it makes.</summary>
    public static TheoryData<string, string> Mistakes => new()
    {
        { "scaling: {elasticsearch: {by: keda}}", "scaling.elasticsearch.by: its nodes keep shards" },
        { "scaling: {business-workers: {by: keda}}", "scaling.business-workers.by: components.keda is missing" },
        { "components: {keda: {}, business-workers: {drainSeconds: 600}}\nscaling: {business-workers: {by: keda}}", "scaling.business-workers.by: KEDA does not ask what a worker does: its pods need at least 30m to stop (the longest activity, tasks.longest), and have 10m" },
        { "scaling: {postgresql: {by: hpa}}", "scaling.postgresql.by: the catalog names no workload and signals of postgresql" },
        { "scaling: {temporal-frontend: {by: hpa, maximum: 20}}", "components.postgresql: in us-east-1 the pools need temporal-frontend 20 x 20" },
        { "scaling: {redis: {by: helm}}", "scaling.redis.by: 'helm' is not possible; one of autoscale, keda, hpa is expected" },
    };

    [Fact]
    public void Keda_gets_the_signals_of_the_catalog_and_the_range_of_the_specification()
    {
        var environment = Read("components: {keda: {}}\nscaling: {business-workers: {minimum: 2, maximum: 40, by: keda}}");
        var component = CommittedCatalog.Catalog.Find("business-workers")!;

        var made = Assert.Single(ManifestRenderer.Render(environment, component, environment.PrimaryRegion), item => item.Address.Kind == "ScaledObject");
        var spec = made.Manifest["spec"]!;

        Assert.Equal(("temporal-product", "business-workers"), (made.Address.Namespace, made.Address.Name));
        Assert.Equal((2, 40, "Deployment"), ((int)spec["minReplicaCount"]!, (int)spec["maxReplicaCount"]!, (string)spec["scaleTargetRef"]!["kind"]!));
        Assert.Equal(["slots", "backlog", "cpu"], spec["triggers"]!.AsArray().Select(trigger => (string)trigger!["name"]!));
        var (slots, backlog) = (spec["triggers"]![0]!, spec["triggers"]![1]!);
        Assert.Equal(("prometheus", "Value", "70", "false"), ((string)slots["type"]!, (string)slots["metricType"]!, (string)slots["metadata"]!["threshold"]!, (string)slots["metadata"]!["ignoreNullValues"]!));
        Assert.Contains("task_queue=~\"orders\"", (string)slots["metadata"]!["query"]!, StringComparison.Ordinal);
        Assert.Equal(
            """{"endpoint":"temporal-frontend.temporal-backend:7233","namespace":"orders","taskQueue":"orders","queueTypes":"workflow,activity","targetQueueSize":"100"}""",
            backlog["metadata"]!.ToJsonString());
        // A latency asks for one more and nobody else knows what that is; 90 minutes are more than an autoscaler looks back.
        Assert.Equal("schedule-to-start", (string)made.Manifest["metadata"]!["annotations"]![DelegatedScaling.LeftOut]!);
        Assert.Equal(3600, (long)spec["advanced"]!["horizontalPodAutoscalerConfig"]!["behavior"]!["scaleDown"]!["stabilizationWindowSeconds"]!);
        Assert.Contains("keda", component.Needs(environment));
        Assert.IsType<ConditionGate>(DelegatedScaling.Gate(environment, component));
    }

    [Fact]
    public void A_HorizontalPodAutoscaler_gets_the_CPU()
    {
        var environment = Read("scaling: {redis: {by: hpa}}");
        var component = CommittedCatalog.Catalog.Find("redis")!;

        var made = Assert.Single(ManifestRenderer.Render(environment, component, environment.PrimaryRegion), item => item.Address.Kind == "HorizontalPodAutoscaler");

        Assert.Equal("""[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":60}}}]""", made.Manifest["spec"]!["metrics"]!.ToJsonString());
        Assert.Equal("""{"apiVersion":"apps/v1","kind":"StatefulSet","name":"redis"}""", made.Manifest["spec"]!["scaleTargetRef"]!.ToJsonString());
        Assert.Null(made.Manifest["metadata"]!["annotations"]?[DelegatedScaling.LeftOut]);
        Assert.Equal("A HorizontalPodAutoscaler (scaling.redis.by of the specification)", DelegatedScaling.ScalerOf(environment, "redis"));
        Assert.DoesNotContain("keda", component.Needs(environment));
    }

    [Fact]
    public void Without_by_nobody_scales_beside_PlatformOps()
    {
        var environment = Read("components: {keda: {}}");

        Assert.Null(DelegatedScaling.ScalerOf(environment, "business-workers"));
        Assert.DoesNotContain(
            CommittedCatalog.Catalog.Components.Where(component => environment.Components.Any(listed => listed.Name == component.Name)).SelectMany(component => ManifestRenderer.Render(environment, component, environment.PrimaryRegion)),
            item => item.Address.Kind is "ScaledObject" or "HorizontalPodAutoscaler");
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void What_Kubernetes_cannot_scale_is_refused(string beside, string problem) =>
        Assert.Contains(SpecificationReader.Read(With(beside), CommittedCatalog.Catalog).Problems, found => $"{found.Path}: {found.Message}".StartsWith($"environments.production.{problem}", StringComparison.Ordinal));

    private static EnvironmentSpecification Read(string beside)
    {
        var read = SpecificationReader.Read(With(beside), CommittedCatalog.Catalog);
        Assert.Empty(read.Problems);
        return read.Specification!.Environments.Single(environment => environment.Name == "production");
    }

    private static Dictionary<string, string> With(string beside)
    {
        var files = Repository.Texts("examples/reference");
        files[Production] += $"\n{beside}\n";
        return files;
    }
}
