using PlatformOps.Activities;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>What the runbook makes of what was found. What is looked at: <see cref="FailoverActivityTests"/>.</summary>
public class FailoverReadinessTests(RunbookServer server)
{
    [Fact]
    public async Task Is_ready_when_nothing_is_missing_and_says_how_much_is_unknown()
    {
        var report = await LookAsync(server, new() { Readiness = [new("lag", true, "None."), new("lastDrill", null, "No drill is known.")] });

        Assert.Equal((ReadinessOutcome.Ready, "Ready: everything is there for the next failover. 1 of 2 could not be found out."), (report.Outcome, report.Summary));
        Assert.Equal(["lag", "lastDrill"], report.Items.Select(item => item.Name));
    }

    [Fact]
    public async Task That_something_is_missing_is_a_result_and_no_failure()
    {
        var environment = $"production-{Guid.NewGuid():N}";

        var report = await LookAsync(server, new() { Readiness = [new("lag", true, "None."), new("witness", false, "It keeps nothing. Start the guards.")] }, environment);

        Assert.Equal((ReadinessOutcome.NotReady, "Not ready. witness: It keeps nothing. Start the guards."), (report.Outcome, report.Summary));
        var run = await server.Client.GetWorkflowHandle(FailoverReadiness.WorkflowId(environment)).DescribeAsync();
        Assert.Equal(
            (nameof(FailoverReadiness), environment, "completed", "notReady"),
            (run.TypedSearchAttributes.Get(RunbookSearchAttributes.Runbook), run.TypedSearchAttributes.Get(RunbookSearchAttributes.Environment), run.TypedSearchAttributes.Get(RunbookSearchAttributes.Phase),
                run.TypedSearchAttributes.Get(RunbookSearchAttributes.Outcome)));
    }

    [Fact]
    public async Task A_look_that_is_not_possible_fails_with_its_reason()
    {
        var world = new FakeDatabase().Fail("readiness", "The connections file does not say how the database is reached.", FailureTypes.Rejected);

        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => LookAsync(server, world));

        var reason = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal((FailureTypes.Rejected, "The connections file does not say how the database is reached."), (reason.ErrorType, reason.Message));
        Assert.Equal(["readiness"], world.Events);
    }

    /// <summary>Runs it to its end on a queue of its own.</summary>
    internal static async Task<FailoverReadinessReport> LookAsync(RunbookServer server, FakeDatabase world, string? environment = null)
    {
        var name = environment ?? $"production-{Guid.NewGuid():N}";
        var queue = $"queue-{Guid.NewGuid()}";
        using var worker = new TemporalWorker(server.Client, WorkerRegistration.CreateFailoverWorkerOptions(world, queue));
        return await worker.ExecuteAsync(async () =>
        {
            var run = await server.Client.StartWorkflowAsync(
                nameof(FailoverReadiness), [new FailoverReadinessRequest { Environment = name }], new(FailoverReadiness.WorkflowId(name), queue));
            return await run.GetResultAsync<FailoverReadinessReport>().WaitAsync(Wait.Patience);
        });
    }
}
