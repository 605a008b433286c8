using System.Net;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox.Databases;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Two Clusters under a played operator, in a real API server.</summary>
public sealed class CloudNativePostgresTests(RealApiServer cluster) : FailoverDatabaseTests
{
    [Fact]
    public async Task A_planned_promotion_names_primary_and_token_in_one_patch_and_an_unplanned_one_none()
    {
        await using var planned = await World.StartAsync(cluster);
        await planned.Database.FenceAsync(First, 1, TimeSpan.FromSeconds(30), Ct);
        var token = (string)(await planned.ClusterAsync("east"))["status"]!["demotionToken"]!;
        await planned.Database.PromoteAsync(Second, await ClaimAsync(planned.Witness, Second), Ct);
        var patch = Assert.Single(planned.Patches("west"));
        Assert.Equal("west", (string?)patch["spec"]!["replica"]!["primary"]);
        Assert.Equal(token, (string?)patch["spec"]!["replica"]!["promotionToken"]);
        Assert.Equal("2", (string?)patch["metadata"]!["annotations"]!["platformops.io/epoch"]);
        Assert.NotNull(patch["metadata"]!["resourceVersion"]);
        Assert.Equal(token, (string?)(await planned.ClusterAsync("west"))["status"]!["lastPromotionToken"]);

        await using var unplanned = await World.StartAsync(cluster);
        await unplanned.Database.PromoteAsync(Second, await ClaimAsync(unplanned.Witness, Second), Ct);
        Assert.Equal("[\"*\"]", (string?)Assert.Single(unplanned.Patches("east"))["metadata"]!["annotations"]!["cnpg.io/fencedInstances"]);
        Assert.Null((string?)Assert.Single(unplanned.Patches("west"))["spec"]!["replica"]!["promotionToken"]);
    }

    [Fact]
    public async Task A_demotion_that_has_given_no_token_yet_is_not_followed_by_a_promotion()
    {
        await using var world = await World.StartAsync(cluster);
        await world.StopOperatorAsync();
        var epoch = await ClaimAsync(world.Witness, Second);
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Database.FenceAsync(First, epoch, TimeSpan.FromSeconds(30), soon.Token));
        using var later = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Database.PromoteAsync(Second, epoch, later.Token));
        Assert.Empty(world.Patches("west"));
    }

    [Fact]
    public async Task Nobody_is_promoted_while_the_other_clusters_API_does_not_answer_but_by_force()
    {
        await using var world = await World.StartAsync(cluster);
        var epoch = await ClaimAsync(world.Witness, Second);
        world.EastIsGone = true;

        var failure = await Assert.ThrowsAsync<AdapterException>(() => world.Database.PromoteAsync(Second, epoch, Ct));
        Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
        Assert.Contains("by force", failure.Message, StringComparison.Ordinal);
        Assert.Empty(world.Patches("west"));
        Assert.True((await world.Database.PromoteUnfencedAsync(Second, epoch, Ct)).Writable);
    }

    [Fact]
    public async Task Observers_that_see_it_serve_renew_the_lease_and_nobody_elses()
    {
        await using var world = await World.StartAsync(cluster);
        var before = (await world.Witness.ReadAsync(Ct))!.Record;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while ((await world.Database.KeepLeaseAsync(First, Ct))!.Lease!.Sequence == before.Lease!.Sequence)
            await Task.Delay(50, patience.Token);

        await ClaimAsync(world.Witness, Second);
        Assert.Null((await world.Database.KeepLeaseAsync(First, Ct))!.Lease);
        Assert.Null((await world.Database.KeepLeaseAsync(Second, Ct))!.Lease);
    }

    private protected override async Task<IDatabaseWorld> NewAsync() => await World.StartAsync(cluster);

    private sealed class World : IDatabaseWorld
    {
        private readonly HttpClient http = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator });
        private readonly string space = $"databases-{Guid.NewGuid():N}"[..22];
        private readonly TestCluster cluster;
        private readonly ApiProxy proxy;
        private readonly KubernetesConnection third;
        private CloudNativePgOperator? @operator;

        private World(TestCluster cluster, ApiProxy proxy)
        {
            (this.cluster, this.proxy) = (cluster, proxy);
            http.BaseAddress = cluster.Api;
            http.DefaultRequestHeaders.Authorization = new("Bearer", cluster.Token);
            var connections = new PlatformConnections { Regions = new[] { First, Second, "third" }.ToDictionary(region => region, region => new RegionConnection { Kubeconfig = cluster.Kubeconfig(proxy.Address, proxy.Token, region) }) };
            third = KubernetesConnection.Open(connections, "third", "third");
            Witness = new KubernetesWitness(third, space, "production", TimeSpan.FromSeconds(10));
            Database = new(
                new Dictionary<string, (KubernetesConnection, CloudNativePgNode)> { [First] = (KubernetesConnection.Open(connections, First, First), new(space, "east")), [Second] = (KubernetesConnection.Open(connections, Second, Second), new(space, "west")) },
                Witness, TimeProvider.System);
            proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(EastIsGone && call.Path.EndsWith("/clusters/east", StringComparison.Ordinal) ? (HttpStatusCode.ServiceUnavailable, "gone") : null);
        }

        public CloudNativePostgres Database { get; }

        public IWitness Witness { get; }

        public bool EastIsGone { get; set; }

        IFailoverDatabase IDatabaseWorld.Database => Database;

        public static async Task<World> StartAsync(TestCluster cluster)
        {
            var world = new World(cluster, await cluster.ProxyAsync());
            await world.SendAsync(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CloudNativePgOperator.Definition, mayExist: true);
            await world.SendAsync(HttpMethod.Post, "/api/v1/namespaces", new() { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = world.space } });
            var place = $"/apis/postgresql.cnpg.io/v1/namespaces/{world.space}/clusters";
            while (!(await world.http.GetAsync(new Uri(place, UriKind.Relative), Ct)).IsSuccessStatusCode)
                await Task.Delay(50, Ct);
            await world.SendAsync(HttpMethod.Post, place, Cluster("east", source: "west"));
            await world.SendAsync(HttpMethod.Post, place, Cluster("west", source: "east"));
            world.@operator = CloudNativePgOperator.Start(cluster.Api, cluster.Token, world.space);
            while (await world.Database.ObserveAsync(First, Ct) is not { Writable: true } || await world.Database.ObserveAsync(Second, Ct) is not { Role: NodeRole.Standby })
                await Task.Delay(20, Ct);
            await world.Database.KeepLeaseAsync(First, Ct);
            return world;
        }

        public async Task<JsonObject> ClusterAsync(string name) =>
            JsonNode.Parse(await http.GetStringAsync(new Uri($"/apis/postgresql.cnpg.io/v1/namespaces/{space}/clusters/{name}", UriKind.Relative), Ct))!.AsObject();

        /// <summary>What the product changed of a cluster.</summary>
        public IReadOnlyList<JsonObject> Patches(string name) => [.. proxy.Seen.Where(call => call.Method == "PATCH" && call.Path.EndsWith($"/clusters/{name}", StringComparison.Ordinal)).Select(call => JsonNode.Parse(call.Body)!.AsObject())];

        public async Task StopOperatorAsync()
        {
            await @operator!.DisposeAsync();
            @operator = null;
        }

        public async ValueTask DisposeAsync()
        {
            if (@operator is not null)
                await @operator.DisposeAsync();
            Database.Dispose();
            third.Dispose();
            await proxy.DisposeAsync();
            http.Dispose();
        }

        private static JsonObject Cluster(string name, string source) => new()
        {
            ["apiVersion"] = "postgresql.cnpg.io/v1",
            ["kind"] = "Cluster",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["instances"] = 2,
                ["replica"] = new JsonObject { ["primary"] = "east", ["source"] = source },
                ["externalClusters"] = new JsonArray(new JsonObject { ["name"] = "east" }, new JsonObject { ["name"] = "west" }),
            },
        };

        private async Task SendAsync(HttpMethod method, string path, JsonObject body, bool mayExist = false)
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = new StringContent(body.ToJsonString()) };
            request.Content.Headers.ContentType = new("application/json");
            using var answer = await http.SendAsync(request, Ct);
            Assert.True(answer.IsSuccessStatusCode || (mayExist && answer.StatusCode == HttpStatusCode.Conflict), await answer.Content.ReadAsStringAsync(Ct));
        }
    }
}
