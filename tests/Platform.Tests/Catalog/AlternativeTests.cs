using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>The reference platform with its alternatives in place of what it has.</summary>
public sealed class AlternativeTests
{
    [Fact]
    public void Route_53_takes_the_place_of_Cloudflare_in_both_regions_after_their_load_balancers()
    {
        var plan = Plan("cloudflare: {enabled: false}, dns-route53: {enabled: true}");

        var steps = plan.Components.Where(component => component.Component == "dns-route53").ToList();
        Assert.Equal(["dns-route53@us-east-1", "dns-route53@us-west-2"], steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.Equal([$"load-balancer@{step.Region}"], step.DependsOn));
        Assert.Equal(["api-production-us-east-1", "temporal-production-us-east-1"], steps[0].Objects.Select(planned => planned.Address.Name));
        Assert.DoesNotContain(plan.Components, component => component.Component == "cloudflare");
    }

    [Fact]
    public void Whatever_needs_the_database_waits_for_the_managed_one_of_its_region_and_a_replica_for_its_source()
    {
        var plan = Plan("postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}");

        var needs = plan.Components.ToDictionary(component => component.Step, component => component.DependsOn);
        Assert.Equal(["elasticsearch@us-west-2", "managed-database@us-west-2"], needs["temporal-schema@us-west-2"]);
        Assert.Equal(["managed-database@us-east-1", "namespaces@us-west-2"], needs["managed-database@us-west-2"]);
        Assert.Equal(
            ["Secret postgresql-credentials", "DatabaseInstance reference-production", "Service postgresql", "ConfigMap postgresql-server"],
            plan.Components.Single(component => component.Step == "managed-database@us-west-2").Objects.Select(planned => $"{planned.Address.Kind} {planned.Address.Name}"));
    }

    private static ProvisioningPlan Plan(string components)
    {
        var files = new Dictionary<string, string>(Repository.Texts("examples/reference"));
        // Another database is another store: its backups are not those of the one that is declared.
        var production = files["environments/production.yaml"].Split("\nschedules:")[0];
        files["environments/production.yaml"] = $"{production}\ncomponents: {{{components}}}\n";
        var read = SpecificationReader.Read(files, CommittedCatalog.Catalog);
        Assert.Empty(read.Problems);
        var environment = read.Specification!.Find("production")!;
        return ProvisioningPlanner.Plan(
            environment, CommittedCatalog.Catalog,
            [.. environment.Regions.Select(region => new RegionObservation { Region = region.Name, Objects = [], ObservedAt = DateTimeOffset.UnixEpoch, Source = "https://kubernetes.invalid" })]);
    }
}
