using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>The sandbox's Kubernetes API. Pods have addresses of this machine, so that tests can answer for them.</summary>
public sealed class SandboxCluster : TestCluster
{
    private const string Region = "us-east-1";

    private SandboxHost? host;

    public override async ValueTask InitializeAsync()
    {
        host = await SandboxHost.StartAsync(new SandboxOptions { Regions = [Region], TimeScale = 0, PodNetwork = "127.77" });
        Api = host.Regions[Region].ApiServer;
        // The only user that it knows.
        Token = host.Regions[Region].Kubeconfig.Split("token: \"")[1].Split('"')[0];
    }

    public override IAsyncDisposable Give(string space, string workload, PodFate fate)
    {
        var region = host!.Regions[Region];
        if (fate != PodFate.Ready)
            region.Misbehave(new(space, workload, Enum.Parse<MisbehaviourKind>(fate.ToString())));
        return new Restored(region);
    }

    public override async ValueTask DisposeAsync()
    {
        await host!.DisposeAsync();
        await base.DisposeAsync();
    }

    private sealed class Restored(SandboxRegion region) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            region.Behave();
            return ValueTask.CompletedTask;
        }
    }
}
