using PlatformOps.Guard.Configuration;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A mistake in a guard's configuration is said with its field, before anything runs.</summary>
public sealed class GuardConfigurationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("guard-configuration-").FullName;

    public static TheoryData<string, Func<GuardConfiguration, GuardConfiguration>> Mistakes => new()
    {
        { "environment", known => known with { Environment = "" } },
        { "data", known => known with { Data = "" } },
        { "node", known => known with { Node = "US East" } },
        { "peer.node", known => known with { Peer = known.Peer with { Node = known.Node } } },
        { "peer.replication", known => known with { Peer = known.Peer with { Replication = "elsewhere" } } },
        { "state", known => known with { State = "/" + new string('a', 100) } },
        { "binaries", known => known with { Binaries = "/nowhere" } },
        { "clients.listen", known => known with { Clients = new("localhost") } },
        { "clients.requireTls", known => known with { Clients = known.Clients with { RequireTls = true } } },
        { "metrics.listen", known => known with { Metrics = new("everywhere") } },
        { "api.operators", known => known with { Api = known.Api with { Operators = [] } } },
        { "tls.key", known => known with { Tls = known.Tls with { Key = "/nowhere/key.pem" } } },
        { "lease.durationMs", known => known with { Lease = new(DurationMs: 10) } },
        { "lease.renewMs", known => known with { Lease = new(RenewMs: 900) } },
        { "lease.watchMs", known => known with { Lease = new(WatchMs: 5000) } },
        { "synchronousCommit", known => known with { SynchronousCommit = "off" } },
        { "witness", known => known with { Witness = new() } },
        { "witness.s3.bucket", known => known with { Witness = new(S3: new("", "key", "eu-central-1")) } },
        { "witness.kubernetes.namespace", known => known with { Witness = new(Kubernetes: new("", "name")) } },
    };

    [Theory, MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void Each_mistake_names_its_field(string field, Func<GuardConfiguration, GuardConfiguration> mistake)
    {
        Assert.SkipWhen(LocalPair.Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql): the configuration names its programs.");
        var pair = LocalPair.Make(folder, "production", "us-east-1", "us-west-2", new(S3: new("bucket", "key", "eu-central-1")), TimeProvider.System);
        Assert.Equal("us-east-1", GuardConfigurationFile.Load(pair.ConfigurationFile("us-east-1")).Node);
        var file = Path.Combine(folder, "wrong.json");
        File.WriteAllText(file, GuardConfigurationFile.Write(mistake(pair["us-east-1"])));

        var failure = Assert.Throws<GuardConfigurationException>(() => GuardConfigurationFile.Load(file));
        Assert.Contains(failure.Problems, problem => problem.StartsWith(field + " ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_command_says_what_is_wrong_and_where_to_look()
    {
        var file = Path.Combine(folder, "wrong.json");
        await File.WriteAllTextAsync(file, """{"node": "us-east-1", "leese": {}}""", TestContext.Current.CancellationToken);
        using var cli = new Cli();
        var result = await cli.RunAsync("guard", "--config", file);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("leese", result.Error, StringComparison.Ordinal);
        Assert.Contains("docs/guard.md", result.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
