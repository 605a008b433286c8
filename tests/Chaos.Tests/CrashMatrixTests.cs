using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;

namespace PlatformOps.Chaos.Tests;

/// <summary>The reference platform's production environment, provisioned by workers that are killed at every side effect.</summary>
public sealed class CrashMatrixTests
{
    /// <summary>Every kind of call that changes something. A system that is missing here is not killed, and a new kind of call shows up as a difference.</summary>
    private static readonly string[] Kinds =
    [
        "cloudflare POST", "kubernetes PATCH", "kubernetes POST", "rds CreateDBInstance", "rds CreateDBInstanceReadReplica", "route53 POST hostedzone",
        "s3 PUT bucket", "s3 PUT encryption", "s3 PUT lifecycle", "s3 PUT object-lock", "s3 PUT publicAccessBlock", "s3 PUT replication", "s3 PUT tagging",
        "temporal AddSearchAttributes", "temporal DeleteWorkflowExecution", "temporal RegisterNamespace", "temporal RespondWorkflowTaskCompleted", "temporal StartWorkflowExecution",
    ];

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task There_is_exactly_one_of_everything_whenever_workers_die(KillPoints points)
    {
        var ct = TestContext.Current.CancellationToken;
        var killer = new EffectKiller(points);
        await using var platform = await ChaosPlatform.ProductionAsync(killer, ct);
        using var worker = platform.Worker(killer);
        await worker.ExecuteAsync(
            async () =>
            {
                var first = await ProvisionAsync(platform.Client);
                var report = await ChaosPlatform.EndOfAsync(first);
                var created = (await first.QueryAsync(workflow => workflow.Objects())).Where(item => item.Result == ObjectResult.Created).Select(item => item.Address).ToList();
                var planned = (await first.QueryAsync(workflow => workflow.Plan()))!.Components.SelectMany(component => component.Objects).Where(item => item.Action == PlannedAction.Create).Select(item => item.Address).ToList();

                Assert.Equal((ProvisioningOutcome.Healthy, ""), (report.Outcome, report.Outcome == ProvisioningOutcome.Healthy ? "" : report.Summary));
                Assert.Empty(killer.Spared);
                Assert.Equal(Kinds, killer.Kinds);
                Assert.Equal(Sorted(planned), Sorted(created));
                Assert.Equal(Sorted(created), Sorted(await platform.CreatedAsync(report.OperationId)));
                // cert-manager makes a Secret for each Certificate, with our labels.
                var issued = planned.Where(address => address.Kind == "Certificate").Select(address => address with { ApiVersion = "v1", Kind = "Secret", Name = $"{address.Name}-tls" });
                Assert.Equal(planned.Concat(issued).SelectMany(EverythingElse.Texts).Order(StringComparer.Ordinal), await platform.EverythingAsync(ct));
                foreach (var region in platform.Stack.Regions)
                {
                    var secret = await EverythingOurs.SecretAsync(region, "temporal-backend", "postgresql-credentials", ct);
                    Assert.True(platform.Stack.AcceptsDatabaseLogin(region.Name, "reference-production", secret["username"], secret["password"]), $"The database of {region.Name} has another password than its Secret.");
                    Assert.False(platform.Stack.AcceptsDatabaseLogin(region.Name, "reference-production", secret["username"], "another"));
                }

                var effects = killer.Effects;
                Assert.Equal(ProvisioningOutcome.Healthy, (await ChaosPlatform.EndOfAsync(await ProvisionAsync(platform.Client))).Outcome);
                Assert.Equal(effects, killer.Effects);
            },
            ct);
    }

    private static Task<WorkflowHandle<ProvisionEnvironment, ProvisioningReport>> ProvisionAsync(ITemporalClient client) => client.StartWorkflowAsync(
        (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = ChaosPlatform.Environment }),
        new(ProvisionEnvironment.WorkflowId(ChaosPlatform.Environment), Workflows.TaskQueues.Default));

    private static IEnumerable<string> Sorted(IEnumerable<ResourceAddress> addresses) => addresses.Select(EverythingElse.Text).Order(StringComparer.Ordinal);
}
