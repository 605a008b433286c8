using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Controls that are refused: by field, by step, and by phase. A refusal leaves the run as it was.</summary>
public class ControlTests(RunbookServer server)
{
    [Fact]
    public async Task Names_the_field_and_the_possibilities_when_a_control_of_a_parked_run_is_wrong()
    {
        var world = new FakeWorld(Chain).Fail("apply postgresql@us-east-1", "No.", FailureTypes.Rejected);
        await using var run = await server.ProvisionAsync(world);
        var parked = await run.UntilAsync(RunbookPhase.Parked);

        await AssertRefusedAsync(run, "retryStep", "{}", "Field 'step' is missing: which of postgresql@us-east-1.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(run, "retryStep", null, "There is no input. Give a JSON object with the fields of this update.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(run, "retryStep", """{"step":7}""", "Field 'step' has a value of the wrong kind: a text is expected.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(run, "retryStep", """{"stepp":"postgresql@us-east-1"}""", "Unknown field 'stepp'. Possible fields: step, reason.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(
            run, "retryStep", """{"step":"postgres"}""",
            "Field 'step': this run has no step 'postgres'. retryStep is possible for: postgresql@us-east-1.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(
            run, "skipStep", """{"step":"frontend@us-east-1","reason":"why not"}""",
            "skipStep is for steps that failed, and frontend@us-east-1 is blocked. It is possible for: postgresql@us-east-1.", FailureTypes.NotPossible);
        await AssertRefusedAsync(
            run, "skipStep", """{"step":"postgresql@us-east-1"}""", "Field 'reason' is missing: why the platform may go on without it.", FailureTypes.InvalidInput);
        await AssertRefusedAsync(
            run, "approve", $$"""{"planHash":"{{Hash}}"}""", "approve is not possible in phase parked. Possible: retryStep, skipStep, abort.", FailureTypes.NotPossible);
        await AssertRefusedAsync(
            run, "reject", """{"reason":"no"}""", "reject is not possible in phase parked. Possible: retryStep, skipStep, abort.", FailureTypes.NotPossible);

        Assert.Equal(parked.Summary, (await run.StatusAsync()).Summary);
        await run.RetryAsync("postgresql");
        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Says_in_every_phase_which_controls_are_possible()
    {
        var world = new FakeWorld(Chain) { GuardRails = new(1, 4, false, TimeSpan.FromHours(1)) };
        var (planning, health, removing) = (world.Hold("plan"), world.Hold("health postgresql@us-east-1"), world.Hold("remove redis@us-east-1"));
        await using var run = await server.ProvisionAsync(world);
        const string retry = """{"step":"redis@us-east-1"}""";

        await planning.ReachedAsync();
        await AssertRefusedAsync(run, "retryStep", retry, "retryStep is not possible in phase observing. Possible: abort.", FailureTypes.NotPossible);
        await AssertRefusedAsync(run, "approve", "{}", "approve is not possible in phase observing. Possible: abort.", FailureTypes.NotPossible);
        planning.Open();
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await AssertRefusedAsync(run, "retryStep", retry, "retryStep is not possible in phase awaitingApproval. Possible: approve, reject, abort.", FailureTypes.NotPossible);
        await run.ApproveAsync(Hash);
        await health.ReachedAsync();
        await AssertRefusedAsync(run, "approve", $$"""{"planHash":"{{Hash}}"}""", "approve is not possible in phase acting. Possible: abort.", FailureTypes.NotPossible);
        await run.UntilAsync("redis", StepState.Done);
        await AssertRefusedAsync(run, "retryStep", retry, "retryStep is for steps that failed, and redis@us-east-1 is done. It is possible for: none.", FailureTypes.NotPossible);
        await run.AbortAsync();
        await removing.ReachedAsync();
        await AssertRefusedAsync(run, "skipStep", retry, "skipStep is not possible in phase rollingBack. Wait for the rollback to end, or to park.", FailureTypes.NotPossible);
        removing.Open();
        await run.ReportAsync();

        var ended = await Assert.ThrowsAsync<RpcException>(() => run.AbortAsync());
        Assert.Equal(RpcException.StatusCode.NotFound, ended.Code);
    }

    [Fact]
    public async Task Is_the_only_run_of_its_environment()
    {
        var world = new FakeWorld(Chain);
        var planning = world.Hold("plan");
        await using var run = await server.ProvisionAsync(world);

        await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => server.ProvisionAsync(world, new() { Environment = run.Environment }));
        planning.Open();
        await run.ReportAsync();
        await using var again = await server.ProvisionAsync(world, new() { Environment = run.Environment });

        Assert.Equal(ProvisioningOutcome.Healthy, (await again.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Answers_and_goes_on_with_another_worker_when_its_worker_is_gone_while_it_is_parked()
    {
        var world = new FakeWorld(Chain).Fail("apply postgresql@us-east-1", "No.", FailureTypes.Rejected);
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync(RunbookPhase.Parked);

        await run.ReplaceWorkerAsync(server);
        Assert.Equal("Parked: postgresql@us-east-1: No.", (await run.StatusAsync()).Summary);
        await run.RetryAsync("postgresql");

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
    }

    private static async Task AssertRefusedAsync(ProvisioningRun run, string control, string? json, string message, string type)
    {
        object?[] input = json is null ? [] : [System.Text.Json.JsonDocument.Parse(json).RootElement];
        var refusal = await ProvisioningRun.RefusalAsync(() => run.Handle.ExecuteUpdateAsync(control, input).WaitAsync(Wait.Patience));
        Assert.Equal((message, type), (refusal.Message, refusal.ErrorType));
    }
}
