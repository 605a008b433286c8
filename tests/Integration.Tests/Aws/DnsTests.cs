using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Dns;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Zones and records against a Route 53 API.</summary>
public abstract class DnsTests(TestAws aws)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_zone_is_created_once_and_adopted_when_asked_again()
    {
        using var connection = aws.Connect("eu-west-1");
        var zones = new HostedZones(connection);
        var name = $"{Names.New("zone")}.example.com";
        Assert.Null(await zones.FindAsync(name, Names.Owner, Ct));

        var (zone, creation) = await zones.EnsureAsync(name, Names.Owner, "op-1", Ct);
        Assert.Equal(Creation.Created, creation);
        Assert.Equal((zone, Creation.Adopted), await zones.EnsureAsync(name, Names.Owner, "op-1", Ct));
        Assert.Equal((zone, Creation.Adopted), await zones.EnsureAsync(name, Names.Owner, "op-2", Ct));
        Assert.Equal(zone, await zones.FindAsync(name, Names.Owner, Ct));

        Assert.Null(await zones.FindAsync(name, Names.Stranger, Ct));
        var refused = await Assert.ThrowsAsync<AdapterException>(() => zones.EnsureAsync(name, Names.Stranger, "op-3", Ct));
        Assert.Equal(AdapterFailureKind.Conflict, refused.Kind);
        Assert.True(await zones.DeleteAsync(name, Names.Owner, Ct));
        Assert.False(await zones.DeleteAsync(name, Names.Owner, Ct));
    }

    [Fact]
    public async Task Weighted_and_failover_records_are_written_over_and_read_back()
    {
        using var connection = aws.Connect();
        var zones = new HostedZones(connection);
        var name = $"{Names.New("records")}.example.com";
        var (zone, _) = await zones.EnsureAsync(name, Names.Owner, "op-1", Ct);
        DnsRecord Weighted(string region, int weight) => new()
        {
            Name = $"api.{name}",
            Type = "CNAME",
            Values = [$"{region}.example.net"],
            TimeToLive = TimeSpan.FromSeconds(30),
            Set = region,
            Weight = weight,
        };
        DnsRecord Failover(string region, string role) => new()
        {
            Name = $"db.{name}",
            Type = "CNAME",
            Values = [$"db.{region}.example.net"],
            TimeToLive = TimeSpan.FromSeconds(5),
            Set = region,
            Failover = role,
        };

        var change = await zones.UpsertAsync(zone, [Weighted("east", 100), Weighted("west", 0), Failover("east", "PRIMARY"), Failover("west", "SECONDARY")], "op-1", Ct);
        aws.LetTimePass();
        Assert.True(await zones.InSyncAsync(change, Ct));
        await zones.UpsertAsync(zone, [Weighted("east", 0), Weighted("west", 100)], "op-1", Ct);
        await zones.UpsertAsync(zone, [Weighted("east", 0), Weighted("west", 100)], "op-1", Ct);

        var records = (await zones.RecordsAsync(zone, Ct)).Where(record => record.Type == "CNAME").ToList();
        Assert.Equal([("east", 0), ("west", 100)], records.Where(record => record.Name == $"api.{name}").Select(record => (record.Set!, record.Weight!.Value)).Order());
        Assert.Equal([("east", "PRIMARY"), ("west", "SECONDARY")], records.Where(record => record.Name == $"db.{name}").Select(record => (record.Set!, record.Failover!)).Order());
        Assert.Equal(["east.example.net"], records.Single(record => record is { Set: "east", Weight: not null }).Values);

        await zones.DeleteAsync(zone, records, "op-2", Ct);
        Assert.DoesNotContain(await zones.RecordsAsync(zone, Ct), record => record.Type == "CNAME");
    }

    [Fact]
    public async Task Says_who_calls_and_gives_keys_of_a_role()
    {
        using var connection = aws.Connect();
        var identity = new AwsIdentity(connection);

        Assert.Equal("123456789012", (await identity.CallerAsync(Ct)).Account);
        var role = await identity.AssumeAsync("arn:aws:iam::123456789012:role/deployer", "provision/production op:1", TimeSpan.FromMinutes(15), Ct);
        Assert.NotNull(role.Keys.SessionToken);
        Assert.DoesNotContain(role.Keys.SecretAccessKey, role.ToString(), StringComparison.Ordinal);
        using var acting = aws.Connect(keys: role.Keys);
        Assert.Contains("assumed-role/deployer/provision-production-op-1", (await new AwsIdentity(acting).CallerAsync(Ct)).Arn, StringComparison.Ordinal);
    }
}

public sealed class DnsTestsOnMoto(MotoServer aws) : DnsTests(aws);

public sealed class DnsTestsOnTheSandbox(SandboxAws aws) : DnsTests(aws);
