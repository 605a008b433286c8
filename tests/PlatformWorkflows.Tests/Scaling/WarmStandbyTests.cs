using PlatformOps.Activities;
using PlatformOps.Platform.Scaling;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Exceptions;
using Temporalio.Worker;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>What the runbook makes of what was found. What is looked at and decided: the tests of <see cref="StandbyCapacity"/>.</summary>
public class WarmStandbyTests(RunbookServer server)
{
    internal static StandbyVerdict Short { get; } = new(false, "us-west-2 could not carry us-east-1: 2 of 4 nodes of class data-layer are ready. Add nodes or raise quotas there before a failover needs them.", ["2 of 4 nodes of class data-layer are ready"]);

    [Fact]
    public async Task That_something_is_missing_is_a_result_and_no_failure()
    {
        var environment = $"production-{Guid.NewGuid():N}";

        var report = await LookAsync(server, new() { Standby = Short }, environment);

        Assert.Equal((WarmStandbyOutcome.Short, "us-west-2", "us-east-1", Short.Summary), (report.Outcome, report.Region, report.Serving, report.Summary));
        Assert.Equal(Short.Shortfalls, report.Shortfalls);
        var run = await server.Client.GetWorkflowHandle(WarmStandby.WorkflowId(environment)).DescribeAsync();
        Assert.Equal(
            (nameof(WarmStandby), environment, "completed", "short"),
            (run.TypedSearchAttributes.Get(RunbookSearchAttributes.Runbook), run.TypedSearchAttributes.Get(RunbookSearchAttributes.Environment), run.TypedSearchAttributes.Get(RunbookSearchAttributes.Phase),
                run.TypedSearchAttributes.Get(RunbookSearchAttributes.Outcome)));
    }

    [Fact]
    public async Task What_is_not_known_is_never_enough() =>
        Assert.Equal(WarmStandbyOutcome.Unknown, (await LookAsync(server, new() { Standby = new(null, "Its cluster does not answer.", []) }, $"production-{Guid.NewGuid():N}")).Outcome);

    [Fact]
    public async Task A_look_that_is_not_possible_fails_with_its_reason()
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => LookAsync(server, new() { Away = true }, $"production-{Guid.NewGuid():N}"));

        var reason = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal((FailureTypes.Unavailable, "The API server does not answer."), (reason.ErrorType, reason.Message));
    }

    /// <summary>Runs it to its end on a queue of its own and gives its workflow id.</summary>
    internal static async Task<string> ShownAsync(RunbookServer server, FakeScaling world)
    {
        await LookAsync(server, world, "production");
        return WarmStandby.WorkflowId("production");
    }

    private static async Task<WarmStandbyReport> LookAsync(RunbookServer server, FakeScaling world, string environment)
    {
        var queue = $"queue-{Guid.NewGuid()}";
        using var worker = new TemporalWorker(server.Client, WorkerRegistration.CreateWorkerOptions(new FakeWorld(Chain), queue, scaling: world));
        return await worker.ExecuteAsync(async () =>
        {
            var run = await server.Client.StartWorkflowAsync(nameof(WarmStandby), [new WarmStandbyRequest { Environment = environment }], new(WarmStandby.WorkflowId(environment), queue));
            return await run.GetResultAsync<WarmStandbyReport>().WaitAsync(Wait.Patience);
        });
    }
}
