using PlatformOps.BootstrapServer.Deployments;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

public class RoutingTests
{
    private static readonly WorkerVersion One = new("shop", "1");
    private static readonly WorkerVersion Two = new("shop", "2");
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("1", null, 0, false, "1")]
    [InlineData("1", "2", 0, false, "1")]
    [InlineData("1", "2", 100, false, "2")]
    [InlineData("1", null, 100, false, null)] // ramps to workers without version
    [InlineData(null, "2", 100, false, "2")]
    [InlineData(null, null, 0, false, null)]
    [InlineData("1", "2", 0, true, "2")] // asked for the ramping version
    [InlineData("1", null, 0, true, "1")]
    public void Unpinned_work_goes_to_the_current_or_the_ramping_version(string? current, string? ramping, float percentage, bool useRamping, string? expected)
    {
        var route = new QueueRoute { Current = Version(current), Ramping = Version(ramping), RampingPercentage = percentage, Versions = new HashSet<WorkerVersion>() };
        Assert.Equal(Version(expected), Routing.Target(route, "some id", useRamping).Version);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(50)]
    [InlineData(90)]
    public void A_ramp_takes_its_share_of_the_workflow_ids_and_a_larger_one_takes_the_same_and_more(float percentage)
    {
        var ids = Enumerable.Range(0, 10_000).Select(i => $"order-{i}").ToList();
        var taken = ids.Where(id => Taken(id, percentage)).ToList();
        Assert.InRange(taken.Count / 100.0, percentage - 2, percentage + 2);
        Assert.All(taken, id => Assert.True(Taken(id, percentage + 5)));
    }

    [Fact]
    public void A_queue_that_no_version_serves_has_no_route() => Assert.Null(RouteTable.Of([Deployment("shop", "1", Noon, queue: "other")], "orders", TaskQueueType.Workflow));

    [Fact]
    public void A_current_version_without_workers_for_the_queue_does_not_get_its_work()
    {
        var deployment = Deployment("shop", "1", Noon, queue: "orders");
        deployment.Versions.Add(new StoredVersion { BuildId = "2" });
        deployment.Current = "2";
        var route = RouteTable.Of([deployment], "orders", TaskQueueType.Workflow)!;
        Assert.False(route.IsRouted);
        Assert.Equal([One], route.Versions);
    }

    [Fact]
    public void Of_two_deployments_that_want_a_queue_the_one_that_was_set_later_gets_it()
    {
        var route = RouteTable.Of([Deployment("shop", "1", Noon, "orders"), Deployment("store", "7", Noon.AddHours(1), "orders")], "orders", TaskQueueType.Workflow)!;
        Assert.Equal(new WorkerVersion("store", "7"), route.Current);
        Assert.Equal(2, route.Versions.Count);
    }

    [Fact]
    public void A_version_that_becomes_current_ends_its_ramp_and_the_one_before_drains()
    {
        var deployment = Deployment("shop", "1", Noon, "orders");
        deployment.Versions.Add(new StoredVersion { BuildId = "2", Status = WorkerDeploymentVersionStatus.Inactive });
        RoutingChange.SetCurrent(deployment, "1", Noon);
        RoutingChange.SetRamping(deployment, "2", false, 10, Noon.AddMinutes(1));
        Assert.Equal((WorkerDeploymentVersionStatus.Current, WorkerDeploymentVersionStatus.Ramping), (deployment.Versions[0].Status, deployment.Versions[1].Status));
        Assert.Equal(10, deployment.Versions[1].RampPercentage);
        RoutingChange.SetCurrent(deployment, "2", Noon.AddMinutes(2));
        Assert.Equal((WorkerDeploymentVersionStatus.Draining, WorkerDeploymentVersionStatus.Current), (deployment.Versions[0].Status, deployment.Versions[1].Status));
        Assert.Equal((null, 0, 3), (deployment.Ramping, deployment.RampingPercentage, deployment.Revision));
        Assert.Equal((Noon.AddMinutes(2), null), (deployment.Versions[0].LastDeactivation, deployment.Versions[0].CurrentSince));
        Assert.Equal(Noon.AddMinutes(1), deployment.Versions[1].FirstActivation);
        Assert.False(RoutingChange.SetHeld(deployment.Versions[1], false, Noon));
        Assert.True(RoutingChange.SetHeld(deployment.Versions[0], false, Noon.AddMinutes(3)));
        Assert.Equal(WorkerDeploymentVersionStatus.Drained, deployment.Versions[0].Status);
    }

    [Theory]
    [InlineData(VersioningBehavior.Pinned, true, ContinueAsNewVersioningBehavior.Unspecified, "pinned")]
    [InlineData(VersioningBehavior.Pinned, false, ContinueAsNewVersioningBehavior.Unspecified, "")]
    [InlineData(VersioningBehavior.Pinned, true, ContinueAsNewVersioningBehavior.AutoUpgrade, "upgrade")]
    [InlineData(VersioningBehavior.AutoUpgrade, true, ContinueAsNewVersioningBehavior.Unspecified, "upgrade")]
    [InlineData(VersioningBehavior.AutoUpgrade, false, ContinueAsNewVersioningBehavior.UseRampingVersion, "")]
    public void A_run_that_continues_as_new_hands_its_version_on(VersioningBehavior behavior, bool fits, ContinueAsNewVersioningBehavior asked, string inherited)
    {
        var next = new WorkflowExecutionStartedEventAttributes();
        VersionInheritance.IntoContinued(State(behavior), next, sameQueue: fits, _ => false, asked);
        Assert.Equal(inherited == "pinned" ? One.ToMessage() : null, next.InheritedPinnedVersion);
        Assert.Equal(inherited == "upgrade" ? asked : null, next.InheritedAutoUpgradeInfo?.ContinueAsNewInitialVersioningBehavior);
        if (inherited.Length > 0)
            Assert.Equal(One, VersionInheritance.AtStart(next)!.Version);
    }

    [Fact]
    public void A_retry_is_pinned_only_when_the_failed_run_had_inherited_that()
    {
        var (fresh, inherited) = (new WorkflowExecutionStartedEventAttributes(), new WorkflowExecutionStartedEventAttributes { InheritedPinnedVersion = One.ToMessage() });
        var next = new WorkflowExecutionStartedEventAttributes();
        VersionInheritance.IntoRetry(State(VersioningBehavior.Pinned), fresh, next);
        Assert.Null(next.InheritedPinnedVersion);
        VersionInheritance.IntoRetry(State(VersioningBehavior.Pinned), inherited, next);
        Assert.Equal(One.ToMessage(), next.InheritedPinnedVersion);
    }

    [Fact]
    public void An_override_comes_before_what_the_worker_said_and_a_move_before_both()
    {
        var state = State(VersioningBehavior.Pinned);
        state.Info.VersioningOverride = new VersioningOverride { AutoUpgrade = true };
        Assert.Equal((VersioningBehavior.AutoUpgrade, One, null), (state.Behavior, state.Version, state.Pinned));
        state.Info.VersioningOverride = new VersioningOverride { Pinned = new() { Behavior = VersioningOverride.Types.PinnedOverrideBehavior.Pinned, Version = Two.ToMessage() } };
        Assert.Equal((VersioningBehavior.Pinned, Two), (state.Behavior, state.Pinned));
        state.Info.VersionTransition = new DeploymentVersionTransition();
        Assert.Equal((VersioningBehavior.AutoUpgrade, null), (state.Behavior, state.Version));
    }

    private static VersioningState State(VersioningBehavior behavior) => new()
    {
        Info = new WorkflowExecutionVersioningInfo { Behavior = behavior, DeploymentVersion = One.ToMessage(), RevisionNumber = 3 },
    };

    private static bool Taken(string id, float percentage) => Routing.Threshold(id) <= percentage;

    private static WorkerVersion? Version(string? build) => build is null ? null : new WorkerVersion("shop", build);

    private static StoredDeployment Deployment(string name, string build, DateTimeOffset changed, string queue) => new()
    {
        Name = name,
        Current = build,
        CurrentChanged = changed,
        Versions = [new StoredVersion { BuildId = build, Queues = [new VersionQueue(queue, TaskQueueType.Workflow)] }],
    };
}
