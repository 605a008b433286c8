using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Chaos.Tests;

/// <summary>A small environment with something in every system, changed and removed by workers that are killed at every side effect.</summary>
public sealed class RunbookCrashTests
{
    private const string Environment = ChaosPlatform.Environment;

    /// <summary>What each component is to be instead of what it was.</summary>
    private static readonly (string Component, string From, string To)[] Upgrades =
    [
        ("temporal-frontend", "temporal-frontend: {}", "temporal-frontend: {replicas: 2, level: warn}"),
        ("temporal-namespaces", "temporal-namespaces: {}", "temporal-namespaces: {retention: 14d}"),
        ("object-storage", "object-storage: {", "object-storage: {keepDays: 120, "),
        ("managed-database", "managed-database: {", "managed-database: {instanceClass: db.r6g.xlarge, "),
        ("dns-route53", "dns-route53: {", "dns-route53: {ttl: 120, "),
        ("records", "records: {", "records: {origin: new.example.com, "),
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task An_upgrade_ends_as_specified(KillPoints points)
    {
        var provisioned = false;
        var killer = new EffectKiller(points, _ => provisioned);
        await using var platform = await ChaosPlatform.SmallAsync(killer, Ct);
        using var worker = platform.Worker(killer);
        await worker.ExecuteAsync(
            async () =>
            {
                await ProvisionAsync(platform.Client);
                provisioned = true;
                var everything = await platform.EverythingAsync(Ct);
                foreach (var (component, from, to) in Upgrades)
                {
                    platform.Specify(from, to);
                    Assert.Equal(UpgradeOutcome.Upgraded, (await UpgradeAsync(platform.Client, component)).Outcome);
                    Assert.Equal(DriftOutcome.AsDeclared, (await DriftAsync(platform.Client, DriftMode.Report)).Outcome);
                }

                Assert.Equal(everything, await platform.EverythingAsync(Ct));
                AssertAllKilled(
                    killer, "cloudflare POST", "kubernetes PATCH", "rds AddTagsToResource", "rds ModifyDBInstance", "route53 POST hostedzone", "s3 PUT lifecycle", "s3 PUT tagging",
                    "temporal DeleteWorkflowExecution", "temporal RespondWorkflowTaskCompleted", "temporal StartWorkflowExecution", "temporal UpdateNamespace");
            },
            Ct);
    }

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task An_upgrade_that_is_given_up_leaves_everything_as_it_was(KillPoints points)
    {
        var killer = new EffectKiller(points, step => step.StartsWith("restore ", StringComparison.Ordinal));
        string? upgraded = null;
        await using var platform = await ChaosPlatform.SmallAsync(killer, Ct);
        using var worker = platform.Worker(killer, async step =>
        {
            // Both regions have been changed by then, as far as the component is in both.
            if (upgraded is not { } component || step != $"health of {component}@us-east-1")
                return;
            upgraded = null;
            await platform.Client.GetWorkflowHandle<UpgradeComponent>(UpgradeComponent.WorkflowId(Environment, component)).ExecuteUpdateAsync(run => run.AbortAsync(new AbortInput("the test says so")));
        });
        await worker.ExecuteAsync(
            async () =>
            {
                await ProvisionAsync(platform.Client);
                var everything = await platform.EverythingAsync(Ct);
                foreach (var (component, from, to) in Upgrades.Select(upgrade => upgrade with { To = upgrade.To.Replace("level: warn", "level: warn, spare: false", StringComparison.Ordinal) }))
                {
                    platform.Specify(from, to);
                    upgraded = component;
                    var report = await UpgradeAsync(platform.Client, component);
                    platform.Specify(to, from);

                    Assert.Equal((component, UpgradeOutcome.Returned, ""), (component, report.Outcome, report.Outcome == UpgradeOutcome.Returned ? "" : report.Summary));
                    Assert.Equal([], (await PlanAsync(platform.Client)).SelectMany(step => step.Objects).Where(planned => planned.Action != PlannedAction.None).Select(planned => $"{planned.Address}: {planned.Reason}"));
                    Assert.Equal(everything, await platform.EverythingAsync(Ct));
                }

                // The last words of the health check that the abort stopped may come in between.
                Assert.Superset(
                    new HashSet<string> { "cloudflare POST", "kubernetes DELETE", "kubernetes PATCH", "rds ModifyDBInstance", "route53 POST hostedzone", "s3 PUT lifecycle", "temporal UpdateNamespace" },
                    killer.Kinds.ToHashSet());
                Assert.Empty(killer.Spared);
            },
            Ct);
    }

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task Drift_is_reverted_and_then_everything_is_removed(KillPoints points)
    {
        var provisioned = false;
        var killer = new EffectKiller(points, _ => provisioned);
        await using var platform = await ChaosPlatform.SmallAsync(killer, Ct);
        using var worker = platform.Worker(killer);
        await worker.ExecuteAsync(
            async () =>
            {
                await ProvisionAsync(platform.Client);
                provisioned = true;
                var everything = await platform.EverythingAsync(Ct);
                await ByHand.ChangeEverythingAsync(platform, Ct);
                Assert.Equal(DriftOutcome.Reverted, (await DriftAsync(platform.Client, DriftMode.Revert)).Outcome);
                Assert.Equal(DriftOutcome.AsDeclared, (await DriftAsync(platform.Client, DriftMode.Report)).Outcome);
                Assert.Equal(everything, await platform.EverythingAsync(Ct));
                AssertAllKilled(
                    killer, "cloudflare POST", "kubernetes PATCH", "kubernetes POST", "rds AddTagsToResource", "rds ModifyDBInstance", "route53 POST hostedzone", "s3 PUT lifecycle", "s3 PUT tagging",
                    "temporal DeleteWorkflowExecution", "temporal RespondWorkflowTaskCompleted", "temporal StartWorkflowExecution", "temporal UpdateNamespace");

                var removal = await RemoveAsync(platform.Client);
                Assert.Equal((DecommissionOutcome.Removed, ""), (removal.Outcome, string.Join("; ", removal.LeftBehind)));
                Assert.Empty(await platform.EverythingAsync(Ct));
                Assert.Superset(new HashSet<string> { "kubernetes DELETE", "rds DeleteDBInstance", "s3 DELETE bucket", "s3 DELETE replication", "temporal DeleteNamespace" }, killer.Kinds.ToHashSet());
                Assert.Empty(killer.Spared);
            },
            Ct);
    }

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task A_run_that_is_aborted_at_any_of_its_steps_leaves_nothing(KillPoints points)
    {
        var killer = new EffectKiller(points, step => step.StartsWith("undo ", StringComparison.Ordinal));
        string? last = null;
        await using var platform = await ChaosPlatform.SmallAsync(killer, Ct);
        using var worker = platform.Worker(killer, step => step == $"health of {last}"
            ? platform.Client.GetWorkflowHandle<ProvisionEnvironment>(ProvisionEnvironment.WorkflowId(Environment)).ExecuteUpdateAsync(run => run.AbortAsync(new AbortInput("the test says so")))
            : Task.CompletedTask);
        await worker.ExecuteAsync(
            async () =>
            {
                foreach (var step in (await PlanAsync(platform.Client)).Select(component => component.Step))
                {
                    last = step;
                    var report = await ChaosPlatform.EndOfAsync(await StartAsync(platform.Client));

                    Assert.Equal((step, ProvisioningOutcome.RolledBack), (step, report.Outcome));
                    Assert.Empty(await platform.CreatedAsync(report.OperationId));
                    Assert.Equal([], (await platform.EverythingAsync(Ct)).Select(left => $"{step}: {left}"));
                }

                // The last words of the health check that the abort stopped may come in between.
                Assert.Superset(
                    new HashSet<string> { "cloudflare POST", "kubernetes DELETE", "rds DeleteDBInstance", "route53 POST hostedzone", "s3 DELETE bucket", "s3 DELETE replication", "temporal DeleteNamespace" },
                    killer.Kinds.ToHashSet());
                Assert.Empty(killer.Spared);
            },
            Ct);
    }

    private static void AssertAllKilled(EffectKiller killer, params string[] kinds)
    {
        Assert.Equal(kinds, killer.Kinds);
        Assert.Empty(killer.Spared);
    }

    private static Task<WorkflowHandle<ProvisionEnvironment, ProvisioningReport>> StartAsync(ITemporalClient client, RunbookMode mode = RunbookMode.Apply) => client.StartWorkflowAsync(
        (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = Environment, Mode = mode }),
        new(ProvisionEnvironment.WorkflowId(Environment), TaskQueues.Default));

    private static async Task<IReadOnlyList<PlannedComponent>> PlanAsync(ITemporalClient client)
    {
        var planning = await StartAsync(client, RunbookMode.Plan);
        await planning.GetResultAsync();
        return (await planning.QueryAsync(workflow => workflow.Plan()))!.Components;
    }

    private static async Task ProvisionAsync(ITemporalClient client) =>
        Assert.Equal(ProvisioningOutcome.Healthy, (await ChaosPlatform.EndOfAsync(await StartAsync(client))).Outcome);

    private static async Task<UpgradeReport> UpgradeAsync(ITemporalClient client, string component) => await ChaosPlatform.EndOfAsync(await client.StartWorkflowAsync(
        (UpgradeComponent workflow) => workflow.RunAsync(new UpgradeComponentInput { Environment = Environment, Component = component }),
        new(UpgradeComponent.WorkflowId(Environment, component), TaskQueues.Default)));

    private static async Task<DriftReport> DriftAsync(ITemporalClient client, DriftMode mode) => await ChaosPlatform.EndOfAsync(await client.StartWorkflowAsync(
        (DetectDrift workflow) => workflow.RunAsync(new DetectDriftInput { Environment = Environment, Mode = mode }),
        new(DetectDrift.WorkflowId(Environment), TaskQueues.Default)));

    private static async Task<DecommissionReport> RemoveAsync(ITemporalClient client)
    {
        var run = await client.StartWorkflowAsync(
            (DecommissionEnvironment workflow) => workflow.RunAsync(new DecommissionEnvironmentInput { Environment = Environment, IncludeDataStores = true }),
            new(DecommissionEnvironment.WorkflowId(Environment), TaskQueues.Default));
        while ((await run.QueryAsync(workflow => workflow.Status())).Phase != RunbookPhase.AwaitingApproval)
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        var hash = (await run.QueryAsync(workflow => workflow.Plan()))!.Hash;
        await run.ExecuteUpdateAsync(workflow => workflow.ApproveAsync(new ApproveInput(hash, null, null)));
        return await ChaosPlatform.EndOfAsync(run);
    }
}
