using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Waiting for health: what passes, what is waited for, and what cannot become healthy.</summary>
public abstract class HealthTests(TestCluster cluster)
{
    private protected static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Passes_when_the_rollout_is_finished_and_endpoints_are_ready_and_changes_nothing()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.Ready);
        await platform.ProvisionAsync();
        platform.Proxy.Forget();

        var health = await AwaitAsync(platform, Long);
        var again = await AwaitAsync(platform, Long);

        Assert.Equal($"2 of 2 gates passed: Deployment {platform.Space}/web: 2/2 replicas ready; Service {platform.Space}/web: 2 of 2 endpoints ready.", health.Message);
        Assert.Equal(health, again);
        Assert.Empty(platform.Proxy.Mutations);
    }

    [Fact]
    public async Task Fails_at_once_with_the_image_when_it_cannot_be_pulled()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.ImagePull);
        await platform.ProvisionAsync();

        var failure = await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(platform, Long));

        Assert.True(failure.NonRetryable);
        Assert.Contains("cannot pull the image registry.example.com/web:1 of container web (", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fails_at_once_with_the_exit_code_when_a_container_keeps_crashing()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.CrashLoop);
        await platform.ProvisionAsync();

        var failure = await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(platform, Long));

        Assert.Contains("container web keeps crashing (CrashLoopBackOff, ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_for_a_pod_that_cannot_be_scheduled_until_the_deadline_and_then_says_why()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.Unschedulable);
        await platform.ProvisionAsync();

        using var kubectl = new KubectlLike(cluster);
        // The deadline is for what is seen, not for controllers that have yet to make it.
        await Wait.UntilAsync(async () => $"{await kubectl.GetAsync($"/api/v1/namespaces/{platform.Space}/pods")}".Contains("Unschedulable", StringComparison.Ordinal), () => "There is no such pod.");
        var failure = await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(platform, TimeSpan.FromSeconds(3)));

        Assert.Contains("is not healthy after 3s", failure.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be scheduled (Unschedulable: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(platform.Spoken, text => text.Contains("\"message\":\"Deployment", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_next_attempt_goes_on_with_the_deadline_of_the_first()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.Unschedulable);
        await platform.ProvisionAsync();
        var began = DateTimeOffset.UtcNow - TimeSpan.FromHours(1);
        var heartbeat = PlatformOpsDataConverter.Instance.PayloadConverter.ToPayload(new HealthProgress(began, "waiting"));
        var second = new ActivityEnvironment
        {
            Info = ActivityEnvironment.DefaultInfo with { HeartbeatDetails = [heartbeat], DataConverter = PlatformOpsDataConverter.Instance },
        };

        await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(platform, TimeSpan.FromMinutes(59), second));
    }

    [Fact]
    public async Task Ends_when_it_is_cancelled()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var fate = cluster.Give(platform.Space, "web", PodFate.Unschedulable);
        await platform.ProvisionAsync();
        using var cancelled = new CancellationTokenSource();
        var waiting = AwaitAsync(platform, Long, new ActivityEnvironment { CancellationTokenSource = cancelled });

        while (!platform.Spoken.ToArray().Any(text => text.Contains("\"since\"", StringComparison.Ordinal)))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Looks_again_when_something_changes_and_not_only_when_a_pause_is_over()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var stuck = cluster.Give(platform.Space, "web", PodFate.Unschedulable);
        await platform.ProvisionAsync();
        var plan = (await platform.PlanAsync()).Plan;
        // No pause ever ends.
        var activities = platform.ActivitiesWith(new StoppedClock());
        var waiting = platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), Long)));
        while (!platform.Spoken.ToArray().Any(text => text.Contains("\"since\"", StringComparison.Ordinal)))
        {
            Assert.False(waiting.IsCompleted, "It did not have to wait.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await stuck.DisposeAsync();
        await using var fate = cluster.Give(platform.Space, "web", PodFate.Ready);

        Assert.StartsWith("2 of 2 gates passed", (await waiting.WaitAsync(Long, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private protected static async Task<ComponentHealth> AwaitAsync(TestPlatform platform, TimeSpan within, ActivityEnvironment? environment = null)
    {
        var plan = (await platform.PlanAsync()).Plan;
        return await platform.RunAsync(() => platform.Activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), within)), environment);
    }
}

/// <summary>Time stands still.</summary>
internal sealed class StoppedClock : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
}

public sealed class HealthTestsOnTheSandbox(SandboxCluster cluster) : HealthTests(cluster);

public sealed class HealthTestsOnARealApiServer(RealApiServer cluster) : HealthTests(cluster)
{
    private readonly RealApiServer cluster = cluster;

    [Fact]
    public async Task A_new_template_that_repairs_the_old_one_is_not_blamed_for_its_pods()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        await using var player = new PodPlayer(cluster, platform.Space, image => image.EndsWith(":1", StringComparison.Ordinal) ? PodFate.ImagePull : PodFate.Ready);
        await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(platform, Long));

        platform.Specify("{image: \"registry.example.com/web:2\"}");
        await platform.ProvisionAsync("op-2");

        Assert.StartsWith("2 of 2 gates passed", (await AwaitAsync(platform, Long)).Message, StringComparison.Ordinal);
    }
}
