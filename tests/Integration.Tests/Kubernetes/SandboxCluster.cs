using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>The sandbox's Kubernetes API.</summary>
public sealed class SandboxCluster : TestCluster
{
    private const string Region = "us-east-1";

    private SandboxHost? host;

    public override string? MissingControllers => "The sandbox does not run its controllers yet; the same test runs on a real API server.";

    public override async ValueTask InitializeAsync()
    {
        host = await SandboxHost.StartAsync(new SandboxOptions { Regions = [Region] });
        Api = host.Regions[Region].ApiServer;
        // The only user that it knows.
        Token = host.Regions[Region].Kubeconfig.Split("token: \"")[1].Split('"')[0];
    }

    public override async ValueTask DisposeAsync()
    {
        await host!.DisposeAsync();
        await base.DisposeAsync();
    }
}
