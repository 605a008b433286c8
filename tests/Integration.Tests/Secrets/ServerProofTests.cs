using System.Diagnostics;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Redis;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Servers that a credential is for: each pod is asked, and not only where clients are sent.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class ServerProofTests(SandboxCluster cluster, PostgresCluster postgres)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_redis_that_its_service_does_not_reach_is_named_and_keeps_the_old_password_valid_until_it_was_told()
    {
        await using var redis = new RedisPods(cluster);
        await using var world = await RotationWorld.StartAsync(cluster, redis, reloads: "[]\n    servers: [StatefulSet/redis]", leaveSubject: true);
        using var kubectl = new KubectlLike(cluster);
        var (login, before) = await world.PublishedAsync();
        Assert.Equal(2, redis.Addresses.Count);

        var (run, said) = (await world.BeginAsync(), "");
        await Wait.UntilAsync(
            async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains("StatefulSet/redis is on its way to version 2: redis-1 does not let in who shows version 2", StringComparison.Ordinal), () => said, TimeSpan.FromMinutes(1));
        Assert.True(await redis.LetsInAsync(login, before, ""));

        await kubectl.MergeAsync($"/api/v1/namespaces/{world.Platform.Space}/services/redis", """{"spec":{"selector":{"statefulset.kubernetes.io/pod-name":null} } }""");
        var report = await run.GetResultAsync();
        Assert.Equal(RotationOutcome.Rotated, report.Outcome);
        var server = report.Consumers.Single(consumer => consumer.Server);
        Assert.Equal(("StatefulSet/redis", ConsumerStanding.Current, "redis-0, redis-1 let in who shows version 2."), (server.Name, server.Standing, server.Detail));
        var (_, after) = await world.PublishedAsync();
        foreach (var address in redis.Addresses)
            Assert.Equal((CredentialStanding.Refused, CredentialStanding.Accepted), (await RedisPods.TryAsync(address, login, before), await RedisPods.TryAsync(address, login, after)));
    }

    /// <summary>Nothing listens there, or something that knows no such login.</summary>
    [Fact]
    public async Task A_pod_of_postgresql_is_asked_at_its_own_address_and_believed_by_its_authority()
    {
        await postgres.StartAsync();
        await postgres.SqlAsync("DROP ROLE IF EXISTS asked; CREATE ROLE asked LOGIN PASSWORD 'right'");
        using var server = PostgresServer.Open(new(postgres.Address, PostgresCluster.Owner, postgres.PasswordFile, CertificateAuthority: postgres.Authority), "", tls: true, "regions.r.postgresql", null);
        var (logins, port) = (new PostgresLogins(server), int.Parse(postgres.Address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(CredentialStanding.Accepted, await logins.TryAtAsync("127.0.0.1", port, "asked", new("right"), Ct));
        Assert.Equal(CredentialStanding.Refused, await logins.TryAtAsync("127.0.0.1", port, "asked", new("wrong"), Ct));
        Assert.Equal(CredentialStanding.Unknown, await logins.TryAtAsync("127.0.0.1", Starter.Demos.LocalPorts.Take(), "asked", new("right"), Ct));
    }

    /// <summary>A real Redis at the address of each pod of a StatefulSet; the Service reaches only the first.</summary>
    private sealed class RedisPods(TestCluster cluster) : RotatedSubject
    {
        private const string Admin = "admin", AdminPassword = "canary-admin-password";
        private const int Port = 6379;

        private readonly string folder = Directory.CreateTempSubdirectory("platformops-redis-").FullName;
        private readonly List<Process> processes = [];

        public override string Declared => "kind: redis-users\n    usernameKey: username\n    redis: {service: redis}";

        /// <summary>Of each, by the name of its pod.</summary>
        public List<string> Addresses { get; } = [];

        public static Task<CredentialStanding> TryAsync(string address, string login, string password) => new RedisUsers(new([address], Tls: false, null, null, null)).TryAsync(login, new(password), Ct);

        public override Task StartAsync()
        {
            if (!File.Exists("/usr/bin/redis-server"))
                Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", "Install Redis (Debian: apt-get install redis-server) to run the tests on a real server.");
            return File.WriteAllTextAsync(Path.Combine(folder, "password"), AdminPassword, Ct);
        }

        /// <summary>Without an address: its Service says where it is.</summary>
        public override RegionConnection Connect(RegionConnection region) =>
            region with { External = new Dictionary<string, ExternalAccess> { ["redis"] = new(TokenFile: Path.Combine(folder, "password"), User: Admin) } };

        public override async Task PrepareAsync(RotationWorld world, string login, string password)
        {
            using var kubectl = new KubectlLike(cluster);
            await kubectl.CreateAsync($"/api/v1/namespaces/{world.Platform.Space}/services", """
                {"metadata":{"name":"redis"},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":{"app":"redis","statefulset.kubernetes.io/pod-name":"redis-0"},"ports":[{"name":"redis","port":6379,"targetPort":6379}] } }
                """);
            await kubectl.CreateAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/statefulsets", """
                {"metadata":{"name":"redis"},"spec":{"replicas":2,"serviceName":"redis","selector":{"matchLabels":{"app":"redis"} },"template":{"metadata":{"labels":{"app":"redis"} },
                 "spec":{"containers":[{"name":"c","image":"i","ports":[{"name":"redis","containerPort":6379}],"envFrom":[{"secretRef":{"name":"credentials"} }],"resources":{"requests":{"cpu":"1m"} } } ] } } } }
                """);
            await Wait.UntilAsync(async () => (await PodsAsync(kubectl, world)).Count == 2, () => "no two pods have an address");
            foreach (var (pod, address) in await PodsAsync(kubectl, world))
            {
                var home = Directory.CreateDirectory(Path.Combine(folder, pod)).FullName;
                await File.WriteAllTextAsync(Path.Combine(home, "users.acl"), $"user default off\nuser {Admin} on >{AdminPassword} ~* &* +@all\nuser {login} on >{password} ~shop:* +get +set +ping\n", Ct);
                processes.Add(Process.Start(new ProcessStartInfo("redis-server", ["--port", $"{Port}", "--bind", address, "--dir", home, "--aclfile", Path.Combine(home, "users.acl"), "--save", "", "--logfile", Path.Combine(home, "log")]))!);
                Addresses.Add($"{address}:{Port}");
            }

            await Wait.UntilAsync(() => LetsInAsync(login, password, ""), () => "Redis does not come up");
        }

        /// <summary>Whether each of them does.</summary>
        public override async Task<bool> LetsInAsync(string login, string password, string who)
        {
            foreach (var address in Addresses)
                if (await TryAsync(address, login, password) != CredentialStanding.Accepted)
                    return false;
            return true;
        }

        public override async ValueTask DisposeAsync()
        {
            foreach (var process in processes)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }

            Directory.Delete(folder, recursive: true);
        }

        private static async Task<IReadOnlyList<(string Pod, string Address)>> PodsAsync(KubectlLike kubectl, RotationWorld world) =>
            [.. (await kubectl.GetAsync($"/api/v1/namespaces/{world.Platform.Space}/pods"))!["items"]!.AsArray().OfType<JsonObject>()
                .Where(pod => (string?)pod["metadata"]!["labels"]?["app"] == "redis" && pod["status"]?["podIP"] is not null)
                .Select(pod => ((string)pod["metadata"]!["name"]!, (string)pod["status"]!["podIP"]!)).Order()];
    }
}
