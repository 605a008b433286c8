using System.Text.Json;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Sandbox.External;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>A plan travels through histories: it must stay small.</summary>
public sealed class PlanSizeTests
{
    [Fact]
    public async Task The_largest_environment_of_the_reference_platform_is_planned_in_pages_that_each_fit_into_a_payload()
    {
        await using var sandbox = await SandboxHost.StartAsync(new SandboxOptions { Regions = ["us-east-1", "us-west-2"], TimeScale = 0 }, TestContext.Current.CancellationToken);
        await using var services = await ExternalStandIn.StartAsync(ct: TestContext.Current.CancellationToken);
        var folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;
        var token = Path.Combine(folder, "external.token");
        await File.WriteAllTextAsync(token, services.Token, TestContext.Current.CancellationToken);
        await using var aws = await AwsStandIn.StartAsync(new(), TestContext.Current.CancellationToken);
        var credentials = Path.Combine(folder, "aws-credentials");
        await File.WriteAllTextAsync(credentials, $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = sandbox\n", TestContext.Current.CancellationToken);
        var regions = new Dictionary<string, RegionConnection>();
        foreach (var region in sandbox.Regions.Values)
        {
            var kubeconfig = Path.Combine(folder, region.Name);
            await File.WriteAllTextAsync(kubeconfig, region.Kubeconfig, TestContext.Current.CancellationToken);
            regions[region.Name] = new()
            {
                Kubeconfig = kubeconfig,
                Context = region.Context,
                Aws = new(Endpoint: aws.Address.AbsoluteUri, CredentialsFile: credentials),
                External = services.Services.ToDictionary(name => name, name => new ExternalAccess(services.Address(name).AbsoluteUri, token)),
            };
        }

        await using var activities = new ProvisioningActivities(new(Path.Combine(Root, "examples/reference"), Path.Combine(Root, "k8s/components")), new() { Regions = regions });
        var pages = new List<PlanEnvironmentResult>();
        do
            pages.Add(await new ActivityEnvironment().RunAsync(() => activities.PlanEnvironmentAsync(new("production", After: pages.LastOrDefault()?.More))));
        while (pages[^1].More is not null);

        var components = pages.SelectMany(page => page.Plan.Components).ToList();
        Assert.Single(pages.Select(page => page.Plan.Hash).Distinct());
        Assert.Equal(components.Count, components.Select(component => component.Step).Distinct().Count());
        Assert.Equal(["us-east-1", "us-west-2"], components.Select(component => component.Region).Distinct().Order());
        Assert.All(components.SelectMany(component => component.Objects), planned =>
            Assert.Equal(planned.Address.ApiVersion == ObjectKind.ExternalApiVersion ? PlannedAction.None : PlannedAction.Create, planned.Action));
        Assert.All(pages, page => Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(page, PlatformOpsDataConverter.Json).Length, 1_000, 100_000));
        Assert.Equal(0, aws.MutatingCalls);
        Assert.Equal(0, sandbox.Regions.Values.Sum(region => region.MutatingCalls));
        Directory.Delete(folder, recursive: true);
    }

    internal static string Root
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "PlatformOps.sln")))
                folder = Path.GetDirectoryName(folder)!;
            return folder;
        }
    }
}
