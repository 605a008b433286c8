using System.Reflection;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Activities;

namespace PlatformOps.Chaos.Tests.Bootstrap;

/// <summary>A database to which nothing happens.</summary>
public class WatchedDatabase : DispatchProxy
{
    public static IReadOnlyList<string> Regions { get; } = ["us-east-1", "us-west-2"];

    public static IFailoverActivities Create() => Create<IFailoverActivities, WatchedDatabase>();

    protected override object Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        nameof(IFailoverActivities.ReadFailoverSettingsAsync) => Task.FromResult(new FailoverSettings
        {
            Regions = Regions,
            Policy = new(FailoverMode.Automatic, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)),
            Timing = new(),
            Approvals = 0,
            RegionQueues = Regions.ToDictionary(region => region, _ => TaskQueues.Failover),
        }),
        nameof(IFailoverActivities.ObserveRegionAsync) => ObserveAsync(),
        var other => throw new NotSupportedException($"Nobody asked for {other}."),
    };

    private static async Task ObserveAsync()
    {
        var context = ActivityExecutionContext.Current;
        while (true)
        {
            context.Heartbeat();
            await Task.Delay(TimeSpan.FromMilliseconds(100), context.CancellationToken);
        }
    }
}
