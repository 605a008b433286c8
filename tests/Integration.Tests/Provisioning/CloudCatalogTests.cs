using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>The catalog's own components that live in AWS, in two regions.</summary>
public sealed class CloudCatalogTests(SandboxCluster cluster, SandboxAws aws)
{
    [Fact]
    public async Task Buckets_and_records_of_the_catalog_are_provisioned_in_two_regions()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        platform.UseCatalog(["dns-route53", "object-storage"]);

        foreach (var component in new[] { "object-storage", "dns-route53" })
            Assert.NotEmpty(await platform.ProvisionAsync(component: component));

        var planned = (await platform.PlanAsync()).Where(item => item.Address.ApiVersion == ResourceAddress.AwsApiVersion).ToList();
        Assert.Equal(6, planned.Count);
        Assert.All(planned, item => Assert.Equal((PlannedAction.None, "As wanted."), (item.Action, item.Reason)));
    }

    [Fact]
    public async Task Another_cloud_is_refused_with_what_it_would_take()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        platform.UseCatalog(["managed-database"], "provider: gcp");

        var failure = await platform.FailsAsync(FailureTypes.InvalidSpecification, () => platform.PlanAsync());

        Assert.Contains("'gcp' is not possible; one of aws is expected", failure.Message, StringComparison.Ordinal);
        Assert.Contains("IDeclaredObjects", failure.Message, StringComparison.Ordinal);
    }
}
