using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>The behaviours call as a user would, so that the stand-in's faults hit them.</summary>
public sealed class UnreliableApiTests : IAsyncDisposable
{
    private readonly ApiServerTokens _tokens = new("user", "controllers");
    private ApiServer? _server;

    [Theory]
    [InlineData(FaultKind.Error)]
    [InlineData(FaultKind.Cut)]
    [InlineData(FaultKind.CutAfterEffect)]
    public async Task Rollouts_finish_and_nothing_is_made_twice_when_every_third_call_fails(FaultKind kind)
    {
        var (cluster, behaviours) = await StartAsync();
        await using var _ = cluster;
        await using var __ = behaviours;
        var space = await cluster.NamespaceAsync();
        _server!.Faults.Add(new() { Kind = kind, Probability = 0.33 });

        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web);
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));
        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {template: {spec: {containers: [{name: web, image: 'web:2'}]}}}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));

        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 3);
        Assert.Equal(2, (await cluster.ListAsync(Resources.ReplicaSets, space)).Count);
    }

    [Fact]
    public async Task A_watch_that_is_too_far_behind_lists_again()
    {
        var (cluster, behaviours) = await StartAsync();
        await using var _ = cluster;
        await using var __ = behaviours;
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web);
        var web = await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));

        // No watch comes through while the world changes and the past is forgotten.
        var cut = new Fault { Kind = FaultKind.Cut, Method = "GET" };
        _server!.Faults.Add(cut);
        _server.Compact();
        await cluster.Client.DeleteAsync(web, "Background", null, default);
        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web.Replace("name: web}", "name: other}").Replace("app: web", "app: other"));
        _server.Compact();
        _server.Faults.Clear();

        await cluster.UntilAsync(Resources.Deployments, space, "other", DeploymentTests.IsRolledOut(3));
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).All(pod => pod.Name.StartsWith("other-", StringComparison.Ordinal)));
        Assert.Null(behaviours.Cluster.Of(Resources.Deployments).Find(space, "web"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task<(TestCluster, ClusterBehaviours)> StartAsync()
    {
        _server = await ApiServer.StartAsync(null, _tokens, 1, TimeProvider.System, default);
        var cluster = new TestCluster(NoServer.Instance, _server.PlainAddress, _tokens.Controllers, () => null);
        return (cluster, await ClusterBehaviours.StartAsync(cluster.Options() with { Token = _tokens.Users }, default));
    }

    private sealed class NoServer : IAsyncDisposable
    {
        public static readonly NoServer Instance = new();

        public ValueTask DisposeAsync() => default;
    }
}
