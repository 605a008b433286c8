using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PlatformOps.Activities.Failover;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What a connections file says of failovers: numbers are checked before anything runs, and count.</summary>
public sealed class FailoverAccessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("failover-access-").FullName;

    [Theory]
    [InlineData("timing.freshForSeconds", "\"timing\": {\"freshForSeconds\": 0.5}")]
    [InlineData("timing.stalledAfter", "\"timing\": {\"stalledAfter\": 1.2}")]
    [InlineData("timing.againstRenewalSeconds", "\"timing\": {\"againstRenewalSeconds\": 0}")]
    [InlineData("timing.restartInPlaceSeconds", "\"timing\": {\"restartInPlaceSeconds\": -1}")]
    [InlineData("handoverSeconds", "\"handoverSeconds\": 0")]
    [InlineData("timing.approvalExpiresSeconds", "\"timing\": {\"approvalExpiresSeconds\": 1}")]
    [InlineData("witness.timeoutMilliseconds", "\"witness\": {\"bucket\": \"b\", \"key\": \"k\", \"timeoutMilliseconds\": 0}")]
    [InlineData("nodes", "\"nodes\": {\"a\": {\"guard\": \"https://a:1\"}, \"b\": {\"rds\": {\"instance\": \"b\", \"closedSecurityGroup\": \"sg-1\"}}}", "are")]
    [InlineData("nodes.a", "\"nodes\": {\"a\": {\"clients\": \"a:5432\"}}", "needs")]
    [InlineData("nodes.a.cloudNativePg", "\"synchronous\": false, \"nodes\": {\"a\": {\"cloudNativePg\": {\"namespace\": \"n\"}}}", "needs")]
    [InlineData("nodes.a.rds", "\"synchronous\": false, \"nodes\": {\"a\": {\"rds\": {\"instance\": \"i\"}}}", "needs")]
    [InlineData("nodes.a.aurora", "\"synchronous\": false, \"nodes\": {\"a\": {\"aurora\": {\"globalCluster\": \"g\", \"cluster\": \"c\"}}}", "needs")]
    [InlineData("nodes", "\"synchronous\": false, \"nodes\": {\"a\": {\"aurora\": {\"globalCluster\": \"g\", \"cluster\": \"c\", \"closedSecurityGroup\": \"s\"}}, \"b\": {\"aurora\": {\"globalCluster\": \"h\", \"cluster\": \"c\", \"closedSecurityGroup\": \"s\"}}}", "are")]
    [InlineData("secrets[0]", "\"secrets\": [{\"name\": \"database\"}]", "needs")]
    [InlineData("externalSecrets[0].keys", "\"nodes\": {\"a\": {\"guard\": \"https://a:1\"}, \"b\": {\"guard\": \"https://b:1\"}}, \"externalSecrets\": [{\"namespace\": \"n\", \"name\": \"e\", \"keys\": {\"a\": \"x\", \"b\": \"x\"}}]", "needs")]
    [InlineData("buckets[0].names", "\"nodes\": {\"a\": {\"guard\": \"https://a:1\"}, \"b\": {\"guard\": \"https://b:1\"}}, \"buckets\": [{\"names\": {\"a\": \"one\"}}]", "needs")]
    [InlineData("synchronous", "\"nodes\": {\"a\": {\"rds\": {\"instance\": \"i\", \"closedSecurityGroup\": \"sg-1\"}}}")]
    public void What_cannot_work_names_its_field(string field, string stated, string verb = "is")
    {
        var failure = Assert.Throws<AdapterException>(() => PlatformConnections.Load(Connections(stated)));
        Assert.Contains($" failover.production.{field} {verb} ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_stated_is_as_it_was_and_what_is_counts()
    {
        Assert.Equal(new FailoverTiming(), new FailoverTimingAccess().ToTiming());
        var read = PlatformConnections.Load(Connections("\"timing\": {\"againstRenewalSeconds\": 2.5, \"restartInPlaceSeconds\": 0}")).Failover["production"].Timing!.ToTiming();
        Assert.Equal(new FailoverTiming { AgainstRenewal = TimeSpan.FromSeconds(2.5), RestartInPlace = TimeSpan.Zero }, read);
    }

    [Fact]
    public async Task A_witness_in_S3_that_does_not_answer_is_given_up_after_the_time_that_is_stated()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var certificates = new LocalCertificates(folder, TimeProvider.System);
        certificates.Make("platformops");
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        await File.WriteAllTextAsync(Path.Combine(folder, "credentials"), "[default]\naws_access_key_id = id\naws_secret_access_key = not-a-secret\n", TestContext.Current.CancellationToken);
        var pair = FailoverPairs.Open("production", new()
        {
            GuardTls = new(certificates.Authority, certificates.Certificate("platformops"), certificates.Key("platformops")),
            Timing = new(StalledAfter: 0.6),
            Witness = new("witness", "production", new("eu-central-1", address, Path.Combine(folder, "credentials")), TimeoutMilliseconds: 150),
        }, new());
        Assert.Equal(0.6, pair.Timing.StalledAfter);

        var started = Stopwatch.StartNew();
        Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<AdapterException>(() => pair.Witness.ReadAsync(TestContext.Current.CancellationToken))).Kind);
        Assert.InRange(started.Elapsed, TimeSpan.FromMilliseconds(140), TimeSpan.FromSeconds(15));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Connections(string stated)
    {
        var file = Path.Combine(folder, "connections.json");
        File.WriteAllText(file, $"{{\"failover\": {{\"production\": {{{stated}}}}}}}");
        return file;
    }
}
