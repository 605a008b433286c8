using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Sandbox;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Every call that creates or changes something is lost once, before or after its effect, and the activity is run again until nothing fails.</summary>
public sealed class CloudCrashTests(SandboxCluster cluster) : IAsyncLifetime
{
    private readonly SandboxAws aws = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => aws.DisposeAsync();

    [Theory]
    [InlineData(FaultKind.Cut, 0)]
    [InlineData(FaultKind.CutAfterEffect, 0)]
    [InlineData(FaultKind.CutAfterEffect, 120)]
    public async Task Whatever_call_is_lost_and_however_long_lists_lag_behind_the_end_is_exactly_one_of_everything(FaultKind kind, int lagSeconds)
    {
        aws.ListLag = TimeSpan.FromSeconds(lagSeconds);
        await aws.InitializeAsync();
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        var lost = new HashSet<string>();
        aws.Inject(new() { Kind = kind, When = call => call.Changes && lost.Add($"{call.Method} {call.Path}") });

        foreach (var region in new[] { CloudPlatform.Primary, CloudPlatform.Secondary })
        {
            var plan = await platform.PlannedAsync();
            var report = await UntilDoneAsync(() => platform.ApplyAsync(plan, region, passing: lagSeconds > 0));
            Assert.All(report.Objects, outcome => Assert.Equal((ObjectResult.Created, "op-1"), (outcome.Result, outcome.OperationId)));
            aws.LetTimePass();
        }

        platform.Specify(instanceClass: "db.t3.large", oldVersionDays: 60, ttl: 30);
        var changes = await platform.PlannedAsync();
        var changed = await UntilDoneAsync(() => platform.ApplyAsync(changes, CloudPlatform.Primary, "op-2"));
        Assert.Equal(3, changed.Objects.Count);
        aws.LetTimePass();

        Assert.All(await platform.PlanAsync(), planned => Assert.True(planned.Action == PlannedAction.None || planned.Address.Region == CloudPlatform.Secondary, planned.Reason));
        Assert.Equal(6, (await platform.ListAsync()).Count);
        using var connection = aws.Connect();
        Assert.Single(await new DatabaseInstances(connection).ListAsync(Ct));
        var zones = new HostedZones(connection);
        var records = await zones.RecordsAsync((await zones.FindAsync(platform.Zone, Names.Stranger, Ct))!, Ct);
        Assert.Equal((2, 2), (records.Count(record => record.Type == "CNAME"), records.Count(record => record.Type == "TXT")));
        // Databases, buckets with their settings, tags and copies, records: each kind of call was lost, most of them in both regions.
        Assert.InRange(lost.Count, 15, 40);
    }

    /// <summary>As Temporal does: what may be tried again is.</summary>
    private static async Task<T> UntilDoneAsync<T>(Func<Task<T>> activity)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await activity();
            }
            catch (ApplicationFailureException failure) when (!failure.NonRetryable && attempt < 40)
            {
                Assert.Contains(failure.ErrorType, new[] { FailureTypes.Unavailable, FailureTypes.FactsChanged });
            }
        }
    }
}
