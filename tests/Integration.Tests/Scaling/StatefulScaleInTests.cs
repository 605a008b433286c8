using System.Diagnostics;
using System.Text.Json.Nodes;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Scaling;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Sandbox.External;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>Replicas that hold data, and go only when nobody misses them: by hand, by the autoscaler, and by provisioning.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class StatefulScaleInTests(SandboxCluster cluster, PostgresCluster postgres)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_instance_that_commits_of_a_real_server_wait_for_stays()
    {
        await postgres.StartAsync();
        await using var world = await World.CreateAsync(cluster, "postgresql: {service: web}", "", access => access with
        {
            Postgresql = new(postgres.Address, PostgresCluster.Owner, postgres.PasswordFile, CertificateAuthority: postgres.Authority),
        });
        Assert.Equal(("web-0", 0, 0, null), (await world.LookAsync(2)).Around.Database is { } alone ? (alone.Primary, alone.Standbys?.Count, alone.Needed, alone.Trouble) : default);
        using var first = Standby("web-1");
        using var second = Standby("web-2");
        await postgres.SqlAsync("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (\"web-2\", \"web-1\")'");
        try
        {
            Assert.Equal("web-1=potential web-2=sync", await world.UntilAsync("web-1=potential web-2=sync"));
            Assert.StartsWith("web-2, which would go, is a synchronous standby", await world.RefusalAsync(2), StringComparison.Ordinal);
            // The decision is older than the facts: the last look says no.
            var refused = await world.Platform.FailsAsync(FailureTypes.FactsChanged, () => world.SetAsync(3, 2));
            Assert.Contains("keeps its 3 replicas for now: web-2, which would go, is a synchronous standby", refused.Message, StringComparison.Ordinal);
            Assert.Equal(3, (await world.LookAsync(2)).Seen.Replicas);

            await postgres.SqlAsync("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (\"web-0\", \"web-1\", \"web-2\")'");
            await world.UntilAsync("web-1=quorum web-2=quorum");
            Assert.Contains("0 of them would stay: no commit would end any more", await world.RefusalAsync(1), StringComparison.Ordinal);
            Assert.Null(await world.RefusalAsync(2));
            // Provisioning goes by the specification, and is held by the same facts. It has PostgreSQL read its configuration again meanwhile.
            world.Platform.Specify("{replicas: 1}");
            var provisioning = world.ProvisionAsync();
            await Wait.UntilAsync(() => world.Platform.Spoken.Any(said => said.Contains("stays at 3: Commits wait for 1 of the standbys web-1, web-2", StringComparison.Ordinal)), () => string.Join('\n', world.Platform.Spoken));
            Assert.Equal(3, (await world.LookAsync(2)).Seen.Replicas);
            await postgres.SqlAsync("ALTER SYSTEM RESET synchronous_standby_names");
            await provisioning;
            Assert.Equal(1, (await world.LookAsync(2)).Seen.Replicas);
        }
        finally
        {
            await postgres.SqlAsync("ALTER SYSTEM RESET synchronous_standby_names");
            first.Kill();
            second.Kill();
        }
    }

    /// <summary>A changed <c>max_connections</c> takes a restart.</summary>
    [Fact]
    public async Task Pools_have_to_fit_into_what_a_server_accepts_now_not_into_what_is_declared()
    {
        await postgres.StartAsync();
        await using var world = await World.CreateAsync(cluster, "postgresql: {service: web}", ", connections: pool, connectionLimit: maxConnections", access => access with
        {
            Postgresql = new(postgres.Address, PostgresCluster.Owner, postgres.PasswordFile, CertificateAuthority: postgres.Authority),
        });

        var accepted = int.Parse((await postgres.AskAsync("SHOW max_connections"))!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(accepted, (await world.LookAsync(4)).Around.Connections!.Limit);
        Assert.StartsWith("With 8 replicas the pools need app 8 x 20 = 160 connections, and the database accepts 100", await world.RefusalAsync(8), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_of_Elasticsearch_goes_when_it_holds_no_shard_also_at_the_last_look()
    {
        await using var services = await ExternalStandIn.StartAsync(ct: Ct);
        services.Put("ElasticsearchCluster", (JsonObject)JsonNode.Parse("""{"nodes": {"web-0": 5, "web-1": 5, "web-2": 5, "web-3": 2} }""")!);
        var token = Path.Combine(cluster.Folder, $"{Guid.NewGuid():N}.token");
        await File.WriteAllTextAsync(token, services.Token, Ct);
        await using var world = await World.CreateAsync(cluster, "elasticsearch: {service: web, tls: false}", ", shards: true", access => access with
        {
            External = new Dictionary<string, ExternalAccess> { ["elasticsearch"] = new(services.Address("elasticsearch").AbsoluteUri, token, User: "elastic") },
        }, replicas: 4);

        // Provisioning would take the node at once, with its shards.
        world.Platform.Specify("{replicas: 3}");
        var refused = await world.Platform.FailsAsync(FailureTypes.Conflict, world.ProvisionAsync);
        Assert.Contains("web-3 still holds 2 shards", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"platformops scale {world.Platform.Environment} app --region us-east-1 --replicas 3", refused.Message, StringComparison.Ordinal);
        Assert.Contains("still holds 2 shards", (await world.Platform.FailsAsync(FailureTypes.FactsChanged, () => world.SetAsync(4, 3))).Message, StringComparison.Ordinal);
        Assert.Equal(4, (await world.LookAsync(3)).Seen.Replicas);

        await world.EmptyAsync("web-3");
        await Wait.UntilAsync(async () => await world.RefusalAsync(3) is null, () => "The node was to become empty.");
        // Whoever ends the exclusion may have shards given to it again at any moment.
        await world.EmptyAsync(null);
        Assert.Contains("must not be given any before it goes", (await world.Platform.FailsAsync(FailureTypes.FactsChanged, () => world.SetAsync(4, 3))).Message, StringComparison.Ordinal);
        await world.EmptyAsync("web-3");
        await world.SetAsync(4, 3);
        Assert.Equal(3, (await world.LookAsync(3)).Seen.Replicas);
        // It is as declared now.
        await world.ProvisionAsync();
    }

    /// <summary>What follows a server as a standby does, and says what it has written.</summary>
    private Process Standby(string name)
    {
        // Of the cluster, so that it goes with it.
        var folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, $"standby-{Guid.NewGuid():N}")).FullName;
        var start = new ProcessStartInfo(Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin", "pg_receivewal")).Last(File.Exists),
            ["--synchronous", "--no-loop", "-D", folder, "-d", $"host=localhost port={postgres.Address.Split(':')[1]} user={PostgresCluster.Owner} application_name={name} sslmode=verify-full sslrootcert={postgres.Authority}"])
        {
            RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = PostgresCluster.Password;
        return Process.Start(start)!;
    }

    private sealed record World(TestPlatform Platform, ProvisioningActivities Provisioning, ScalingActivities Scaling, IAsyncDisposable Fate) : IAsyncDisposable
    {
        public static async Task<World> CreateAsync(TestCluster cluster, string gate, string scaling, Func<RegionConnection, RegionConnection> reached, int replicas = 3)
        {
            var platform = await TestPlatform.CreateAsync(cluster);
            platform.Scale(1, 8);
            platform.Specify($"{{replicas: {replicas}}}");
            platform.Write("catalog/app/component.yaml", platform.Read("catalog/app/component.yaml").Replace("- rollout: {kind: Deployment, name: web}", $"- {gate}", StringComparison.Ordinal)
                .Replace("parameters:", scaling.Contains("pool", StringComparison.Ordinal)
                    ? "parameters:\n  pool: {type: integer, default: 20, summary: Of each.}\n  maxConnections: {type: integer, default: 500, summary: Of the server.}" : "parameters:", StringComparison.Ordinal)
                + $"\nscaling: {{workload: StatefulSet/web{scaling}}}\n");
            platform.Write("catalog/app/web.yaml", platform.Read("catalog/app/web.yaml")
                .Replace("kind: Deployment", "kind: StatefulSet", StringComparison.Ordinal).Replace("replicas: ${replicas}", "replicas: ${replicas}\n  serviceName: web", StringComparison.Ordinal)
                // The primary is behind the Service.
                .Replace("selector: {app.kubernetes.io/name: web}\n  ports", "selector: {app.kubernetes.io/name: web, statefulset.kubernetes.io/pod-name: web-0}\n  ports", StringComparison.Ordinal));
            var access = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = reached(new() { Kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token) }) };
            var world = new World(platform, platform.ActivitiesWith(access), platform.Scaling(access), cluster.Give(platform.Space, "web", PodFate.Ready));
            await world.ProvisionAsync();
            await Wait.UntilAsync(async () => (await world.LookAsync(null)).Seen.Ready == replicas, () => "The pods were to become ready.", TimeSpan.FromMinutes(2));
            return world;
        }

        public async Task ProvisionAsync()
        {
            var plan = (await Platform.PlanAsync(Provisioning)).Plan;
            foreach (var component in plan.Components)
                await Platform.ApplyAsync(plan, component.Component, "op-1", activities: Provisioning);
        }

        public Task<ScalingSight> LookAsync(int? to) => Platform.RunAsync(() => Scaling.ObserveScalingAsync(new(Reference, null, to)));

        /// <summary>Why the number would be refused or waited for; null: it would be set.</summary>
        public async Task<string?> RefusalAsync(int to)
        {
            var sight = await LookAsync(to);
            var decision = ScalingGuards.Apply("app", sight.Subject.How!, ScalingDecision.Scale(sight.Seen.Replicas!.Value, to, "asked for"), sight.Around, sight.Pods);
            return decision.Verdict == ScalingVerdict.Scale ? null : decision.Why;
        }

        public async Task<string> UntilAsync(string standbys)
        {
            var seen = "";
            await Wait.UntilAsync(async () => (seen = string.Join(' ', ((await LookAsync(2)).Around.Database?.Standbys ?? []).Select(standby => $"{standby.Name}={standby.State}"))) == standbys, () => seen);
            return seen;
        }

        public async Task SetAsync(int from, int to)
        {
            var sight = await LookAsync(to);
            await Platform.RunAsAWorkerAsync(() => Scaling.SetReplicasAsync(new(Reference, sight.Uid!, from, to, "op-scale", "the sale", [])));
        }

        public Task EmptyAsync(string? node) => Platform.RunAsync(() => Scaling.EmptyNodeAsync(new(Reference, node)));

        private ScalingReference Reference => new(Platform.Environment, "app", TestPlatform.Region);

        public async ValueTask DisposeAsync()
        {
            await Fate.DisposeAsync();
            Scaling.Dispose();
            await Platform.DisposeAsync();
        }
    }
}
