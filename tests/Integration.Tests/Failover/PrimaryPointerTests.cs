using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Secrets;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Everything that leads to the primary, in the clusters and the AWS of two regions of the sandbox.</summary>
public sealed class PrimaryPointerTests(RealApiServer real) : IAsyncLifetime
{
    private const string East = "us-east-1", West = "us-west-2", Space = "orders", Role = "arn:aws:iam::123456789012:role/copies";

    private readonly string folder = Directory.CreateTempSubdirectory("pointers-").FullName;
    private readonly string eastern = Names.New("orders-east"), western = Names.New("orders-west");
    private SandboxHost sandbox = null!;
    private AwsStandIn aws = null!;
    private FailoverAccess access = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_leads_to_the_new_primary_and_back_and_an_older_epoch_changes_nothing()
    {
        using var failover = Activities();
        var done = (await RunAsync(() => failover.RepointAsync(Order(2, East, West)))).Detail;
        Assert.Equal(5 * 2, done.Split(" leads to ").Length - 1);
        Assert.Equal(5 * 2, (await RunAsync(() => failover.RepointAsync(Order(2, East, West)))).Detail.Split($" led already to {West}").Length - 1);
        await LeadsAsync(failover, West, 2);

        var old = await Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync(() => failover.RepointAsync(Order(1, West, East))));
        Assert.Contains("which is higher than 1", old.Message, StringComparison.Ordinal);
        await LeadsAsync(failover, West, 2);

        await RunAsync(() => failover.RepointAsync(Order(3, West, East) with { Kind = FailoverKind.Failback }));
        await LeadsAsync(failover, East, 3);
    }

    [Fact]
    public async Task What_was_left_in_a_region_that_was_away_is_led_when_it_is_rebuilt()
    {
        using (var alone = Activities(away: East))
        {
            Assert.Equal(5, (await RunAsync(() => alone.RepointAsync(Order(2, East, West)))).Detail.Split("does not answer and was left").Length - 1);
            var rebuilding = await Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync(() => alone.RebuildAsync(Order(2, East, West))));
            Assert.Equal((FailureTypes.Unavailable, false), (rebuilding.ErrorType, rebuilding.NonRetryable));
        }

        using var failover = Activities();
        var lost = await RunAsync(() => failover.ReadUnfinishedAsync(new("production")));
        Assert.Equal(5, lost.Steps.Count(step => step is { Step: FailoverStep.Repoint, Actor: NextActor.Run }));
        var rebuilt = await RunAsync(() => failover.RebuildAsync(Order(2, East, West)));
        Assert.Contains($"Secret {Space}/database in {East} leads to 10.2.0.5:5432", rebuilt.Detail, StringComparison.Ordinal);
        await LeadsAsync(failover, West, 2);
    }

    [Fact]
    public async Task What_is_not_there_or_is_anothers_is_refused_with_what_to_do()
    {
        using var cluster = Cluster(West);
        await cluster.DeleteAsync(KubectlLike.Secret(Space, "database"));
        using var failover = Activities();
        var missing = await Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync(() => failover.RepointAsync(Order(2, East, West))));
        Assert.Contains($"There is no Secret {Space}/database in {West}", missing.Message, StringComparison.Ordinal);

        await PutRuleAsync("theirs");
        using var connection = Aws(West);
        var theirs = await Assert.ThrowsAsync<AdapterException>(() => new PrimaryBucket(connection, western).LeadToAsync(West, 3, new(eastern, Role), copied: true, Ct));
        Assert.Contains("rules that are not ours (theirs)", theirs.Message, StringComparison.Ordinal);
        Assert.NotNull((await new Buckets(connection).FindAsync(western, Ct))!.Replication);
    }

    [Fact]
    public async Task Readiness_names_what_a_failover_could_not_change_and_changes_nothing()
    {
        using var failover = Activities();
        Assert.All(await PointersAsync(failover), item => Assert.True(item.Ok, item.Detail));

        // A mark that is there is not touched either.
        await RunAsync(() => failover.RepointAsync(Order(2, East, West)));
        Assert.All(await PointersAsync(failover), item => Assert.True(item.Ok, item.Detail));
        await LeadsAsync(failover, West, 2);

        using (var cluster = Cluster(West))
            await cluster.DeleteAsync(KubectlLike.Secret(Space, "database"));
        aws.Inject(new() { Kind = FaultKind.Error, StatusCode = 403, Path = $"/s3/PUT object/{eastern}" });
        var found = await PointersAsync(failover);
        Assert.Contains("s3:PutObject is not allowed", Assert.Single(found, item => item is { Name: $"pointers@{East}", Ok: false }).Detail, StringComparison.Ordinal);
        Assert.Contains($"Secret {Space}/database in {West} is not there.", Assert.Single(found, item => item is { Name: $"pointers@{West}", Ok: false }).Detail, StringComparison.Ordinal);

        using var alone = Activities(away: East);
        Assert.Null(Assert.Single(await PointersAsync(alone), item => item.Name == $"pointers@{East}").Ok);

        static async Task<IReadOnlyList<ReadinessItem>> PointersAsync(FailoverActivities looking)
        {
            var items = await looking.LookAtPointersAsync("production", Ct);
            Assert.Equal(2, items.Count);
            return items;
        }
    }

    [Fact]
    public async Task A_role_that_names_the_object_is_enough_and_what_it_lacks_is_named()
    {
        Assert.SkipWhen(real.Missing is not null, real.Missing ?? "");
        var space = $"pointers-{Guid.NewGuid():N}"[..20];
        using var admin = new KubectlLike(real);
        await admin.CreateAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{space}}}" } }""");
        await admin.CreateAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"database"},"stringData":{"host":"10.1.0.5"}}""");
        const string binding = """{"metadata":{"name":"failover"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"failover"},"subjects":[{"kind":"User","name":"limited"}]}""";
        await admin.CreateAsync($"/apis/rbac.authorization.k8s.io/v1/namespaces/{space}/rolebindings", binding);
        await admin.CreateAsync($"/apis/rbac.authorization.k8s.io/v1/namespaces/{space}/roles", """{"metadata":{"name":"failover"},"rules":[{"apiGroups":[""],"resources":["secrets"],"resourceNames":["database"],"verbs":["get"]}]}""");
        var connections = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { [West] = new() { Kubeconfig = real.Kubeconfig(real.Api, "limited-token", "limited") } } };
        using var connection = KubernetesConnection.Open(connections, West, "limited");
        var secret = new PrimarySecret(connection, new(space, "database"));

        await Wait.UntilAsync(async () => await secret.MissingAsync(Ct) is { } lacks && lacks.Contains($"Secret {space}/database in {West}: patch is not allowed (resource secrets, namespace {space})", StringComparison.Ordinal), () => "It does not say that patch is missing.");
        await admin.MergeAsync($"/apis/rbac.authorization.k8s.io/v1/namespaces/{space}/roles/failover", """{"rules":[{"apiGroups":[""],"resources":["secrets"],"resourceNames":["database"],"verbs":["get","patch"]}]}""");
        await Wait.UntilAsync(async () => await secret.MissingAsync(Ct) is null, () => "It still says that something is missing.");
        Assert.Contains("get and patch is not allowed", await new PrimarySecret(connection, new(space, "another")).MissingAsync(Ct), StringComparison.Ordinal);
    }

    public async ValueTask InitializeAsync()
    {
        sandbox = await SandboxHost.StartAsync(new() { Regions = [East, West] }, Ct);
        aws = await AwsStandIn.StartAsync(new() { TimeScale = 0.001 }, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "credentials"), $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = not-a-secret\n", Ct);
        access = new()
        {
            Nodes = new Dictionary<string, FailoverNodeAccess> { [East] = new("https://127.0.0.1:1", "10.1.0.5:5432"), [West] = new("https://127.0.0.1:1", "10.2.0.5:5432") },
            Synchronous = false,
            Service = new(Space, "postgresql"),
            Secrets = [new(Space, "database"), new(Space, "reports", "PGHOST", "PGPORT")],
            ExternalSecrets = [new(Space, "login", new Dictionary<string, string> { [East] = "database-east", [West] = "database-west" })],
            Buckets = [new(new Dictionary<string, string> { [East] = eastern, [West] = western }, Role)],
        };
        foreach (var (region, bucket) in new[] { (East, eastern), (West, western) })
        {
            using var connection = Aws(region);
            await new Buckets(connection).EnsureAsync(new() { Name = bucket }, Names.Owner, "op-1", Ct);
            using var cluster = Cluster(region);
            await ExternalSecretTests.ServeAsync(cluster);
            await cluster.CreateAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Space}}}" } }""");
            await cluster.CreateAsync($"/api/v1/namespaces/{Space}/secrets", """{"metadata":{"name":"database"},"stringData":{"host":"10.1.0.5","port":"5432","password":"stays"}}""");
            await cluster.CreateAsync($"/api/v1/namespaces/{Space}/secrets", """{"metadata":{"name":"reports"},"stringData":{"PGPASSWORD":"stays"}}""");
            foreach (var node in new[] { "east", "west" })
                await cluster.CreateAsync($"/api/v1/namespaces/{Space}/secrets", $$$"""{"metadata":{"name":"database-{{{node}}}" },"stringData":{"password":"of-{{{node}}}" } }""");
            await cluster.CreateAsync($"/apis/external-secrets.io/v1/namespaces/{Space}/secretstores", $$$"""{"apiVersion":"external-secrets.io/v1","kind":"SecretStore","metadata":{"name":"store"},"spec":{"provider":{"kubernetes":{"remoteNamespace":"{{{Space}}}"} } } }""");
            await cluster.CreateAsync($"/apis/external-secrets.io/v1/namespaces/{Space}/externalsecrets", """
                {"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"login"},"spec":{"secretStoreRef":{"name":"store"},"target":{"name":"login"},
                 "data":[{"secretKey":"password","remoteRef":{"key":"database-east","property":"password"}},{"secretKey":"other","remoteRef":{"key":"reports","property":"PGPASSWORD"}}]}}
                """);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await sandbox.DisposeAsync();
        await aws.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static FailoverOrder Order(long epoch, string from, string to) => new("production", "op", epoch, from, to, FailoverKind.Failover);

    private static Task<T> RunAsync<T>(Func<Task<T>> activity) => new ActivityEnvironment().RunAsync(activity);

    /// <summary>What clients find, past the product; and what the product says of it.</summary>
    private async Task LeadsAsync(FailoverActivities failover, string primary, long epoch)
    {
        var host = primary == East ? "10.1.0.5" : "10.2.0.5";
        foreach (var region in new[] { East, West })
        {
            using var cluster = Cluster(region);
            var secret = (await cluster.GetAsync(KubectlLike.Secret(Space, "database")))!;
            Assert.Equal((host, "5432", "stays", $"{epoch}"), (Text(secret, "host"), Text(secret, "port"), Text(secret, "password"), (string?)secret["metadata"]!["annotations"]!["platformops.io/epoch"]));
            var reports = (await cluster.GetAsync(KubectlLike.Secret(Space, "reports")))!;
            Assert.Equal((host, "5432", "stays"), (Text(reports, "PGHOST"), Text(reports, "PGPORT"), Text(reports, "PGPASSWORD")));
            var wanted = primary == East ? "of-east" : "of-west";
            await Wait.UntilAsync(async () => await cluster.GetAsync(KubectlLike.Secret(Space, "login")) is { } login && Text(login, "password") == wanted && Text(login, "other") == "stays", () => $"External Secrets does not read {wanted} in {region}.");
        }

        foreach (var (region, bucket, other) in new[] { (East, eastern, western), (West, western, eastern) })
        {
            using var connection = Aws(region);
            var found = (await new Buckets(connection).FindAsync(bucket, Ct))!;
            Assert.Equal(region == primary ? new BucketReplication(other, Role) : null, found.Replication);
        }

        var pointers = (await failover.LookAsync("production", Ct)).Pointers;
        Assert.Equal(10, pointers.Count);
        Assert.All(pointers, pointer => Assert.Equal((primary, (long?)epoch), (pointer.Node, pointer.Epoch)));
    }

    /// <summary>Somebody copies the western bucket by a rule of theirs.</summary>
    private async Task PutRuleAsync(string id)
    {
        using var client = new HttpClient { BaseAddress = aws.Address };
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/{western}?replication")
        {
            Content = new StringContent($"""
                <ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>{Role}</Role><Rule><ID>{id}</ID><Priority>1</Priority><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>
                <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::{eastern}</Bucket></Destination></Rule></ReplicationConfiguration>
                """),
        };
        // The sandbox reads the scope of a signature, and does not check it.
        request.Headers.Authorization = new("AWS4-HMAC-SHA256", $"Credential={aws.AccessKeyId}/20260101/{West}/s3/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static string? Text(JsonObject secret, string key) => (string?)secret["data"]?[key] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded)) : null;

    private KubectlLike Cluster(string region) => new(sandbox.Regions[region].ApiServer, sandbox.Regions[region].Kubeconfig.Split("token: \"")[1].Split('"')[0]);

    private AwsConnection Aws(string region) => new(new() { Region = region, Endpoint = aws.Address, Keys = new(aws.AccessKeyId, "not-a-secret") });

    /// <param name="away">A region of which nothing answers.</param>
    private FailoverActivities Activities(string? away = null)
    {
        var locations = Locations.From(null, null, null);
        return new(
            new ProvisioningSources(locations.Specification, locations.Catalog),
            new()
            {
                Regions = new[] { East, West }.ToDictionary(region => region, region =>
                {
                    var file = Path.Combine(folder, $"{region}-{Guid.NewGuid():N}.kubeconfig");
                    File.WriteAllText(file, region == away ? sandbox.Regions[region].Kubeconfig.Replace(sandbox.Regions[region].ApiServer.ToString().TrimEnd('/'), "https://127.0.0.1:1", StringComparison.Ordinal) : sandbox.Regions[region].Kubeconfig);
                    return new RegionConnection
                    {
                        Kubeconfig = file,
                        Context = sandbox.Regions[region].Context,
                        TemporalAddress = "127.0.0.1:1",
                        Aws = new(Endpoint: region == away ? "http://127.0.0.1:1" : aws.Address.ToString(), CredentialsFile: Path.Combine(folder, "credentials")),
                    };
                }),
                Failover = new Dictionary<string, FailoverAccess> { ["production"] = access },
            },
            (_, _) => new(new Following(), new Claimed(), (_, _) => Task.CompletedTask));
    }

    /// <summary>The west is primary of epoch 2, and the east follows.</summary>
    private sealed class Following : IFailoverDatabase
    {
        public Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct) => Task.FromResult(new DatabaseNode
        {
            Name = node,
            Role = node == West ? NodeRole.Primary : NodeRole.Standby,
            Writable = node == West,
            Fenced = false,
            Epoch = 2,
            Streaming = true,
        });

        public Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) => Task.FromResult(new Divergence(0, 0, 0, 0, null));

        public Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct) => throw new NotSupportedException();

        public Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct) => throw new NotSupportedException();

        public Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct) => throw new NotSupportedException();

        public Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct) => throw new NotSupportedException();

        public Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct) => ObserveAsync(node, ct);

        public Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct) => throw new NotSupportedException();
    }

    private sealed class Claimed : IWitness
    {
        public Task<WitnessEntry?> ReadAsync(CancellationToken ct) => Task.FromResult<WitnessEntry?>(new(new(2, West, "op", new(1, TimeSpan.FromSeconds(1), Released: false), null), "1"));

        public Task<WitnessEntry> WriteAsync(WitnessRecord record, string? version, CancellationToken ct) => throw new NotSupportedException();
    }
}
