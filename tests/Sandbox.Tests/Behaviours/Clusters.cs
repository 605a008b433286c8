using System.Reflection;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Behaviours;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(PlatformOps.Sandbox.Tests.Behaviours.Clusters))]

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>The API servers that the behaviours are tested on, each started once, when the first test asks for it.</summary>
public sealed class Clusters : IAsyncDisposable
{
    public const string StandIn = "stand-in";
    public const string Real = "kube-apiserver";
    private readonly Dictionary<string, Task<(TestCluster Cluster, ClusterBehaviours Behaviours)>> _running = [];

    /// <summary>A server with behaviours at work, for tests that keep to a namespace of their own.</summary>
    internal async Task<TestCluster> LiveAsync(string target)
    {
        Task<(TestCluster Cluster, ClusterBehaviours)>? running;
        lock (_running)
            if (!_running.TryGetValue(target, out running))
                _running[target] = running = StartAsync(target);
        return (await running.WaitAsync(TestContext.Current.CancellationToken)).Cluster;
    }

    /// <summary>A server of its own, without behaviours. The caller disposes it.</summary>
    internal static async Task<TestCluster> NewAsync(string target, TimeProvider? clock = null)
    {
        if (target == Real)
        {
            var plane = await ControlPlane.StartAsync(default);
            return new(plane, plane.Api, plane.Token, plane.Handler);
        }
        var tokens = new ApiServerTokens("user", "controllers");
        var server = await ApiServer.StartAsync(null, tokens, 1, clock ?? TimeProvider.System, default);
        return new(server, server.PlainAddress, tokens.Controllers, () => null);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var running in _running.Values)
        {
            var (cluster, behaviours) = await running;
            await behaviours.DisposeAsync();
            await cluster.DisposeAsync();
        }
    }

    private static async Task<(TestCluster, ClusterBehaviours)> StartAsync(string target)
    {
        var cluster = await NewAsync(target);
        return (cluster, await ClusterBehaviours.StartAsync(cluster.Options(), default));
    }
}

/// <summary>Runs a test on the stand-in and, when KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver, on a real API server too.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnEveryClusterAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        List<ITheoryDataRow> rows = [new TheoryDataRow<string>(Clusters.StandIn)];
        if (ControlPlane.Assets is not null)
            rows.Add(new TheoryDataRow<string>(Clusters.Real));
        return new(rows);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}

public sealed class RealServer
{
    [Fact]
    public void Every_test_of_the_behaviours_runs_on_a_real_API_server_too() =>
        Assert.SkipWhen(ControlPlane.Assets is null, $"Set {ControlPlane.Variable} to a folder with etcd and kube-apiserver to run these tests on a real API server too.");
}
