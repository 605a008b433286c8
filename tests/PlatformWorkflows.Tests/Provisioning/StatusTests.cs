using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>What a run tells of itself: the query <c>status</c> in every phase, search attributes, current details and the report.</summary>
public class StatusTests(RunbookServer server)
{
    private const string Untouched = "Nothing has been changed.";

    [Fact]
    public async Task Says_in_every_phase_where_it_stands_what_comes_next_and_what_stopping_would_leave()
    {
        var world = new FakeWorld(Chain) { GuardRails = new(1, 1, false, TimeSpan.FromHours(2)) };
        var (planning, applying, health) = (world.Hold("plan"), world.Hold("apply postgresql@us-east-1"), world.Hold("health redis@us-east-1"));
        var removing = world.Hold("remove redis@us-east-1");
        await using var run = await server.ProvisionAsync(world, new() { OperationId = "op-phases" });

        await planning.ReachedAsync();
        var observing = await run.StatusAsync();
        Assert.Equal(("ProvisionEnvironment", run.Environment, "op-phases"), (observing.Runbook, observing.Environment, observing.OperationId));
        AssertStatus(observing, RunbookPhase.Observing, "The plan.", Untouched);
        Assert.Null(observing.PlanHash);
        planning.Open();

        var awaiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        AssertStatus(awaiting, RunbookPhase.AwaitingApproval, "The plan is applied when it has been approved.", Untouched);
        Assert.Equal(Hash, awaiting.PlanHash);
        await run.ApproveAsync(Hash);

        await applying.ReachedAsync();
        var acting = await run.UntilAsync("postgresql", StepState.Running);
        AssertStatus(
            acting, RunbookPhase.Acting, "frontend@us-east-1", Progress(0), "Remove what postgresql@us-east-1 has created by then");
        Assert.Equal("Applying 1 of 1 objects, then waiting until healthy.", acting.Steps[0].Detail);
        Assert.Equal($"{run.Handle.Id}/postgresql@us-east-1", acting.Steps[0].WorkflowId);
        applying.Open();

        await health.ReachedAsync();
        acting = await run.UntilAsync("redis", StepState.Running);
        AssertStatus(
            acting, RunbookPhase.Acting, "The report, when the running steps are healthy.", Progress(2),
            "Remove what redis@us-east-1 has created by then", $"Remove {Address("frontend")}", $"Remove {Address("postgresql")}");
        await run.AbortAsync("enough");

        await removing.ReachedAsync();
        var rolling = await run.UntilAsync(RunbookPhase.RollingBack);
        AssertStatus(
            rolling, RunbookPhase.RollingBack, "A listing that proves that nothing is left.",
            "Partly rolled back; what is left carries this operation's id, and the next run adopts it.",
            "Remove what redis@us-east-1 has created, if anything", $"Remove {Address("frontend")}", $"Remove {Address("postgresql")}");
        Assert.Equal("Aborted: enough. Removing what this run created, newest first.", rolling.Summary);
        removing.Open();

        await run.ReportAsync();
        AssertStatus(await run.StatusAsync(), RunbookPhase.Aborted, null, "The run has ended; see its report.");
    }

    [Fact]
    public async Task Says_when_it_is_parked_that_the_operator_decides()
    {
        var world = new FakeWorld(Chain).Fail("apply postgresql@us-east-1", "No.", FailureTypes.Rejected);
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);

        AssertStatus(
            parked, RunbookPhase.Parked, "Whatever the operator decides.", Progress(1),
            $"Remove {Address("redis")}", "Remove what postgresql@us-east-1 has created, if anything");
    }

    [Fact]
    public async Task Can_be_found_by_its_search_attributes_and_so_can_its_children()
    {
        var world = new FakeWorld(Chain) { GuardRails = new(1, 4, false, TimeSpan.FromHours(1)) };
        await using var run = await server.ProvisionAsync(world, new() { OperationId = "op-found" });
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal([run.Handle.Id], await FoundAsync(run, "Phase = 'awaitingApproval'"));
        await run.ApproveAsync(Hash);
        await run.ReportAsync();

        Assert.Equal([run.Handle.Id], await FoundAsync(run, $"Phase = 'completed' AND PlanHash = '{Hash}' AND OperationId = 'op-found'"));
        Assert.Equal([$"{run.Handle.Id}/redis@us-east-1"], await FoundAsync(run, $"Component = 'redis' AND Region = 'us-east-1' AND PlanHash = '{Hash}'"));
        Assert.Equal(4, (await FoundAsync(run, "Runbook = 'ProvisionEnvironment' AND OperationId = 'op-found'")).Count);
    }

    [Fact]
    public async Task Shows_its_state_and_what_failed_as_current_details()
    {
        var world = new FakeWorld(Chain).Fail("health postgresql@us-east-1", "0/1 replicas ready.", FailureTypes.Unhealthy);
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync(RunbookPhase.Parked);

        var details = await DetailsAsync(run.Handle.Id);

        Assert.Equal(
            "**parked**: Parked: postgresql@us-east-1: 0/1 replicas ready.\n\n1 of 3 steps done, 0 running, 1 failed, 1 blocked.\n- postgresql@us-east-1: 0/1 replicas ready.",
            details);
        Assert.Equal("Healthy. 1 of 1 gates passed.", await DetailsAsync($"{run.Handle.Id}/redis@us-east-1"));
        Assert.Equal("Failed. 0/1 replicas ready.", await DetailsAsync($"{run.Handle.Id}/postgresql@us-east-1"));
    }

    [Fact]
    public async Task Reports_every_object_with_its_owner_the_operation_and_what_became_of_it()
    {
        var plan = Of(
            Component("postgresql").With(
                Plans.Object("postgresql"), Plans.Object("postgresql-config", PlannedAction.Change, "1 field differs."),
                Plans.Object("old-config", PlannedAction.Prune, "It is ours and no longer declared."), Plans.Object("postgresql-data", PlannedAction.None, "As wanted.")),
            Component("frontend", "postgresql"));
        await using var run = await server.ProvisionAsync(new FakeWorld(plan), new() { OperationId = "op-report" });

        var report = await run.ReportAsync();

        var owner = $"component postgresql of reference/{run.Environment}";
        Assert.Equal(
            [
                new(Address("postgresql"), owner, "op-report", ObjectResult.Created),
                new(Address("postgresql-config"), owner, "op-report", ObjectResult.Changed),
                new(Address("old-config"), owner, "op-report", ObjectResult.Pruned),
                new(Address("postgresql-data"), owner, null, ObjectResult.Unchanged),
                new(Address("frontend"), $"component frontend of reference/{run.Environment}", "op-report", ObjectResult.Created),
            ],
            report.Objects);
        Assert.Equal(("op-report", Hash), (report.OperationId, report.PlanHash));
        Assert.Equal("4 objects were created, changed or removed; all 2 steps are healthy.", report.Summary);
        Assert.All(report.Steps, step => Assert.True(report.StartedAt <= step.StartedAt && step.StartedAt <= step.FinishedAt && step.FinishedAt <= report.FinishedAt));
    }

    private static string Progress(int done) =>
        $"{done} of 3 steps are as planned, the others as they were or partly applied; the next run adopts what is there.";

    private static void AssertStatus(RunbookStatus status, RunbookPhase phase, string? next, string ifStopped, params string[] compensations)
    {
        Assert.Equal(phase, status.Phase);
        Assert.Equal(next, status.Next);
        Assert.Equal(ifStopped, status.IfStoppedNow);
        Assert.Equal(compensations, status.Compensations);
    }

    private async Task<string?> DetailsAsync(string workflowId) =>
        (await server.Client.GetWorkflowHandle(workflowId).QueryAsync<Temporalio.Api.Sdk.V1.WorkflowMetadata>("__temporal_workflow_metadata", [])).CurrentDetails;

    /// <summary>The workflows of this run that a filter finds; finding may lag behind what queries say.</summary>
    private Task<List<string>> FoundAsync(ProvisioningRun run, string filter) => Wait.UntilAsync(
        async () => await server.Client.ListWorkflowsAsync($"Environment = '{run.Environment}' AND {filter}").Select(found => found.Id).ToListAsync(),
        found => found.Count > 0,
        _ => $"nothing for {filter}");
}
